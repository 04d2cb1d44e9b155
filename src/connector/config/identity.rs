//! How records are told apart where the usual way does not do, and what becomes of a record
//! that an earlier attempt created from other values.

use crate::{
    connector::{input::JOURNALS, pattern::glob},
    outcome::cut,
    servicenow::encoded_query::is_field_name,
};

/// What to do when the fields of a job have changed since an earlier attempt created its
/// record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnMismatch {
    /// The job fails with `SN_CONFLICT`; the record stays as it is.
    #[default]
    Fail,
    /// The record is changed.
    Patch,
}

/// What holds for the inserts on some tables of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityRule {
    tables: String,
    field: Option<String>,
    honours_sys_id: bool,
}

/// Settings that make no rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidIdentityRule {
    /// A text that matches no table name.
    #[error(
        "'{0}' is no table: use lower-case letters, digits and underscores, and * for any text, \
         e.g. \"u_order\" or \"x_acme_*\""
    )]
    Tables(String),
    /// A text that can hold no mark.
    #[error(
        "field '{0}' cannot hold the mark: name a text field of the table, of 64 characters or \
         more, e.g. \"u_external_id\""
    )]
    Field(String),
    /// A rule that changes nothing.
    #[error("says nothing: give field = \"…\", honours_sys_id = false, or both")]
    Empty,
}

/// Fields that hold something else for sure.
const NO_MARKS: [&str; 3] = ["sys_id", "number", "correlation_display"];

impl IdentityRule {
    /// A rule for the tables of a pattern: the field that takes the mark, and whether a new
    /// record gets the sys_id that it is asked for.
    pub fn new(
        tables: &str,
        field: Option<&str>,
        honours_sys_id: bool,
    ) -> Result<Self, InvalidIdentityRule> {
        let is_table = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_*".contains(c);
        let starts_well = tables.starts_with(|c: char| c.is_ascii_lowercase() || c == '*');
        if !starts_well || !tables.chars().all(is_table) {
            return Err(InvalidIdentityRule::Tables(cut(tables, 80)));
        }
        if let Some(field) = field
            && (!is_field_name(field) || field.contains('.') || !may_be_mark(field))
        {
            return Err(InvalidIdentityRule::Field(cut(field, 80)));
        }
        if field.is_none() && honours_sys_id {
            return Err(InvalidIdentityRule::Empty);
        }
        Ok(Self { tables: tables.to_owned(), field: field.map(str::to_owned), honours_sys_id })
    }

    /// The field that takes the mark.
    pub(crate) fn field(&self) -> Option<&str> {
        self.field.as_deref()
    }

    /// Whether new records get the sys_id that they are asked for.
    pub(crate) fn honours_sys_id(&self) -> bool {
        self.honours_sys_id
    }

    /// The rule for a table: that of its name, else that of the longest pattern.
    pub(crate) fn of<'r>(rules: &'r [Self], table: &str) -> Option<&'r Self> {
        let matching = rules.iter().filter(|rule| glob(&rule.tables, table));
        matching.max_by_key(|rule| (!rule.tables.contains('*'), rule.tables.len()))
    }
}

fn may_be_mark(field: &str) -> bool {
    !NO_MARKS.contains(&field) && !JOURNALS.contains(&field)
}

#[cfg(test)]
mod tests {
    use super::{IdentityRule, InvalidIdentityRule};

    fn rule(tables: &str, field: &str) -> IdentityRule {
        IdentityRule::new(tables, Some(field), true).unwrap()
    }

    #[test]
    fn the_name_wins_over_patterns_and_the_longest_of_these() {
        let rules = [rule("*", "u_a"), rule("u_order", "u_b"), rule("u_order*", "u_c")];
        let field = |table| IdentityRule::of(&rules, table).and_then(IdentityRule::field);
        assert_eq!(field("incident"), Some("u_a"));
        assert_eq!(field("u_order"), Some("u_b"));
        assert_eq!(field("u_order_line"), Some("u_c"));
        assert_eq!(IdentityRule::of(&rules[1..], "incident"), None);
    }

    #[test]
    fn mistakes_are_told() {
        for tables in ["", "Incident", "!u_order", "u order", "_x", "u_order?"] {
            let error = IdentityRule::new(tables, None, false).unwrap_err();
            assert_eq!(error, InvalidIdentityRule::Tables(tables.to_owned()));
        }
        for field in ["", "External id", "caller_id.name", "sys_id", "work_notes"] {
            let error = IdentityRule::new("u_order", Some(field), true).unwrap_err();
            assert_eq!(error, InvalidIdentityRule::Field(field.to_owned()));
        }
        let error = IdentityRule::new("u_order", None, true).unwrap_err();
        assert_eq!(error, InvalidIdentityRule::Empty);
    }
}
