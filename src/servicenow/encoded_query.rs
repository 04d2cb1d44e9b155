//! ServiceNow's encoded queries: `active=true^priorityIN1,2`.
//!
//! There is no escape for `^` inside a value, and a value that starts with `javascript:`
//! is run by the server. A query given as text is its author's own and passes as it is; a
//! query built from values refuses both, so that data can never widen it.
#![deny(clippy::disallowed_types)]

use std::fmt;

/// An encoded query, possibly empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EncodedQuery(String);

/// Why values make no query.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidQuery {
    /// Control characters in a text query.
    #[error("the query text holds a line break or another control character: write it in one line")]
    ControlCharacter,
    /// No field name.
    #[error("'{0}' is no field name: use letters, digits, underscores and, to dot-walk, dots")]
    FieldName(String),
    /// An operator that is not known.
    #[error("operator '{0}' of field '{1}' is not known: use one of {known}", known = Operator::known())]
    Operator(String, String),
    /// A value that would change the query around it.
    #[error(
        "the value of '{field}' holds {what}, which ServiceNow would read as part of the query: \
         take it out of the value"
    )]
    Value {
        /// The field.
        field: String,
        /// What is wrong with the value.
        what: &'static str,
    },
}

/// Operators of a built query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// Begins with a text.
    StartsWith,
    /// Ends with a text.
    EndsWith,
    /// Contains a text.
    Contains,
    /// Does not contain a text.
    NotContains,
    /// Is one of several values.
    In,
    /// Is none of several values.
    NotIn,
    /// Has no value.
    IsEmpty,
    /// Has a value.
    IsNotEmpty,
    /// Lies between two values.
    Between,
}

/// Every operator: its public names, and how it is spelled in a query.
const OPERATORS: [(Operator, &[&str], &str); 15] = [
    (Operator::Equal, &["=", "is", "equals"], "="),
    (Operator::NotEqual, &["!=", "is not"], "!="),
    (Operator::Less, &["<"], "<"),
    (Operator::LessOrEqual, &["<="], "<="),
    (Operator::Greater, &[">"], ">"),
    (Operator::GreaterOrEqual, &[">="], ">="),
    (Operator::StartsWith, &["startswith", "starts with"], "STARTSWITH"),
    (Operator::EndsWith, &["endswith", "ends with"], "ENDSWITH"),
    (Operator::Contains, &["contains", "like"], "LIKE"),
    (Operator::NotContains, &["not contains", "does not contain", "not like"], "NOT LIKE"),
    (Operator::In, &["in"], "IN"),
    (Operator::NotIn, &["not in"], "NOT IN"),
    (Operator::IsEmpty, &["isempty", "is empty"], "ISEMPTY"),
    (Operator::IsNotEmpty, &["isnotempty", "is not empty"], "ISNOTEMPTY"),
    (Operator::Between, &["between"], "BETWEEN"),
];

impl Operator {
    /// Reads an operator's name, whatever its case.
    pub fn parse(text: &str) -> Option<Self> {
        let name = text.trim().to_ascii_lowercase();
        OPERATORS.iter().find(|(_, names, _)| names.contains(&name.as_str())).map(|(op, ..)| *op)
    }

    /// The names to choose from.
    pub fn known() -> String {
        OPERATORS.map(|(_, names, _)| names[0]).join(" ")
    }

    fn spelling(self) -> &'static str {
        OPERATORS.iter().find(|(op, ..)| *op == self).map_or("=", |(_, _, spelling)| spelling)
    }
}

impl EncodedQuery {
    /// The author's own query text.
    pub fn from_text(text: &str) -> Result<Self, InvalidQuery> {
        let text = text.trim().trim_end_matches("^EQ").trim_end_matches('^');
        if text.chars().any(char::is_control) {
            return Err(InvalidQuery::ControlCharacter);
        }
        Ok(Self(text.to_owned()))
    }

    /// Adds a condition on one field. `values` has one value, several for `IN` and
    /// `NOT IN`, two for `BETWEEN`, none for the tests on emptiness.
    pub fn and(
        mut self,
        field: &str,
        operator: Operator,
        values: &[&str],
    ) -> Result<Self, InvalidQuery> {
        if !is_field_name(field) {
            return Err(InvalidQuery::FieldName(crate::outcome::cut(field, 80)));
        }
        let separator = match operator {
            Operator::In | Operator::NotIn => ",",
            _ => "@",
        };
        for value in values {
            check(field, value, (values.len() > 1).then_some(separator))?;
        }
        self.push(&format!("{field}{}{}", operator.spelling(), values.join(separator)));
        Ok(self)
    }

    /// The rows after the one with this sys_id, in the order of their sys_id.
    pub fn page_after(&self, last: Option<&str>) -> Result<Self, InvalidQuery> {
        let mut query = self.clone();
        if let Some(last) = last {
            query = query.and("sys_id", Operator::Greater, &[last])?;
        }
        Ok(query.with_tie_break())
    }

    /// The rows in the order of a field; `sys_id` breaks ties, else pages would overlap.
    pub fn ordered_by(mut self, field: &str, descending: bool) -> Result<Self, InvalidQuery> {
        if !is_field_name(field) {
            return Err(InvalidQuery::FieldName(crate::outcome::cut(field, 80)));
        }
        self.push(&format!("ORDERBY{}{field}", if descending { "DESC" } else { "" }));
        Ok(self)
    }

    /// The same rows, ties broken by `sys_id`.
    #[must_use]
    pub fn with_tie_break(mut self) -> Self {
        self.push("ORDERBYsys_id");
        self
    }

    /// Whether a condition added at the end holds for every row: `^NQ` opens a new block
    /// that conditions before it do not reach, and an order of the author's own forbids
    /// paging by sys_id.
    pub fn can_page_by_sys_id(&self) -> bool {
        !self.0.contains("^NQ") && !self.0.contains("^ORDERBY") && !self.0.starts_with("ORDERBY")
    }

    /// Whether there is no condition.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The query as it goes into `sysparm_query`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn push(&mut self, part: &str) {
        if !self.0.is_empty() {
            self.0.push('^');
        }
        self.0.push_str(part);
    }
}

impl fmt::Display for EncodedQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Whether a text can be a field's name, dot-walks included.
pub fn is_field_name(text: &str) -> bool {
    text.len() <= 200
        && text.split('.').all(|part| {
            part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        })
}

/// Refuses a value that would not stay a value.
fn check(field: &str, value: &str, separator: Option<&str>) -> Result<(), InvalidQuery> {
    let refuse = |what| Err(InvalidQuery::Value { field: field.to_owned(), what });
    if value.contains('^') {
        return refuse("a '^'");
    }
    if value.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')) {
        return refuse("a line break or another control character");
    }
    // Also in the middle: `BETWEENa@javascript:…` and `IN1,javascript:…` are run as well.
    if value.to_ascii_lowercase().contains("javascript:") {
        return refuse("'javascript:'");
    }
    match separator {
        Some(",") if value.contains(',') => refuse("a comma inside a list"),
        Some("@") if value.contains('@') => refuse("an '@' inside a range"),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{EncodedQuery, InvalidQuery, Operator};

    fn query() -> EncodedQuery {
        EncodedQuery::default()
    }

    #[test]
    fn conditions_join_with_and() {
        let query = query()
            .and("active", Operator::Equal, &["true"])
            .and_then(|q| q.and("state", Operator::In, &["1", "2"]))
            .and_then(|q| q.and("caller_id.name", Operator::StartsWith, &["Ann"]))
            .and_then(|q| q.and("assigned_to", Operator::IsEmpty, &[]))
            .and_then(|q| q.and("priority", Operator::Between, &["1", "3"]))
            .unwrap();
        assert_eq!(
            query.as_str(),
            "active=true^stateIN1,2^caller_id.nameSTARTSWITHAnn^assigned_toISEMPTY\
             ^priorityBETWEEN1@3"
        );
    }

    #[test]
    fn no_value_can_change_the_query_around_it() {
        for value in [
            "x^active=true",
            "x^NQsys_idISNOTEMPTY",
            "a\nb",
            "a\r\nb",
            "a\u{0}b",
            "a\u{2028}b",
            "javascript:gs.getUserID()",
            " JavaScript:gs.sleep(1)",
            "1@javascript:gs.now()",
        ] {
            for operator in [Operator::Equal, Operator::Contains, Operator::In] {
                let refused = query().and("short_description", operator, &[value]);
                assert!(matches!(refused, Err(InvalidQuery::Value { .. })), "{value:?}");
            }
        }
        assert!(query().and("state", Operator::In, &["1,2", "3"]).is_err());
        assert!(query().and("priority", Operator::Between, &["1@2", "3"]).is_err());
        assert!(query().and("name", Operator::Equal, &["Smith, Ann <a@b.example>"]).is_ok());
    }

    #[test]
    fn no_field_name_can_change_the_query_either() {
        for field in ["", "a b", "a^b", "a=1", "ORDERBY^x", "a..b", ".a", "1a", "a,b", "é"] {
            let refused = query().and(field, Operator::Equal, &["x"]);
            assert!(matches!(refused, Err(InvalidQuery::FieldName(_))), "{field}");
        }
    }

    #[test]
    fn pages_follow_the_sys_id() {
        let query = EncodedQuery::from_text("active=true^").unwrap();
        let page = |last| query.page_after(last).unwrap().to_string();
        assert_eq!(page(None), "active=true^ORDERBYsys_id");
        assert_eq!(page(Some("6816f7")), "active=true^sys_id>6816f7^ORDERBYsys_id");
        assert!(query.page_after(Some("x^NQ")).is_err());
        assert_eq!(EncodedQuery::default().with_tie_break().as_str(), "ORDERBYsys_id");
    }

    #[test]
    fn blocks_and_orders_of_the_author_forbid_paging_by_sys_id() {
        for text in ["a=1^NQb=2", "a=1^ORDERBYnumber", "ORDERBYDESCnumber"] {
            assert!(!EncodedQuery::from_text(text).unwrap().can_page_by_sys_id(), "{text}");
        }
        assert!(EncodedQuery::from_text("a=1^ORb=2^EQ").unwrap().can_page_by_sys_id());
    }

    #[test]
    fn a_text_query_passes_but_stays_one_line() {
        let text = "assigned_to=javascript:gs.getUserID()^active=true";
        assert_eq!(EncodedQuery::from_text(text).unwrap().as_str(), text);
        assert_eq!(EncodedQuery::from_text("a=1\nb=2"), Err(InvalidQuery::ControlCharacter));
    }

    #[test]
    fn operators_are_known_by_several_names() {
        assert_eq!(Operator::parse("LIKE"), Some(Operator::Contains));
        assert_eq!(Operator::parse(" Not In "), Some(Operator::NotIn));
        assert_eq!(Operator::parse("SAMEAS"), None);
        assert!(Operator::known().starts_with("= != <"));
    }
}
