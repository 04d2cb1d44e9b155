//! What a record carries to tell whose it is, and from which fields it was made.
#![deny(clippy::disallowed_types)]

use sha2::{Digest, Sha256};

use crate::{
    connector::input::{Fields, invalid},
    job::Job,
    servicenow::{EncodedQuery, Error, Table, encoded_query::Operator},
};

/// Where the fingerprint stands.
pub(super) const DISPLAY: &str = "correlation_display";
/// Where the mark stands on tables that have it.
pub(super) const CORRELATION: &str = "correlation_id";

/// Tables that inherit both fields from `task` in every instance.
const WITH_CORRELATION: [&str; 12] = [
    "task",
    "incident",
    "incident_task",
    "problem",
    "problem_task",
    "change_request",
    "change_task",
    "sc_request",
    "sc_req_item",
    "sc_task",
    "sn_customerservice_case",
    "sn_hr_core_case",
];

/// Whether a table has `correlation_id` and `correlation_display` for sure.
pub(super) fn is_correlated(table: &Table) -> bool {
    WITH_CORRELATION.contains(&table.as_str())
}

/// The mark of the job: 64 hexadecimal digits in a field of the record.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    pub(super) field: String,
    pub(super) value: String,
}

impl Mark {
    /// Whether a text is this mark. ServiceNow may change the case of what it stores.
    pub(super) fn is(&self, text: &str) -> bool {
        text.eq_ignore_ascii_case(&self.value)
    }

    /// The search for records with this mark, in a fixed order.
    pub(super) fn query(&self) -> Result<EncodedQuery, Error> {
        EncodedQuery::default()
            .and(&self.field, Operator::Equal, &[&self.value])
            .map(EncodedQuery::with_tie_break)
            .map_err(|error| invalid(format!("{}: {error}", self.field)))
    }

    /// Whether a text is the mark of another job.
    pub(super) fn is_of_another(&self, text: &str) -> bool {
        text.len() == self.value.len()
            && text.bytes().all(|byte| byte.is_ascii_hexdigit())
            && !self.is(text)
    }
}

/// The text of `correlation_display`: the process instance, and 32 bits of a hash over the
/// fields. A record that carries another hash was made from other fields; one with the same
/// was changed by somebody else if it differs.
#[derive(Clone, Debug)]
pub(super) struct Fingerprint {
    prefix: String,
    hash: String,
}

impl Fingerprint {
    /// The fingerprint of what an author asks for. The order of the fields does not count.
    pub(super) fn new(job: &Job, asked: &Fields) -> Self {
        let mut fields: Vec<_> = asked.iter().filter(|(name, _)| *name != "sys_id").collect();
        fields.sort_unstable();
        let mut hasher = Sha256::new();
        for part in fields.iter().flat_map(|(name, value)| [name, value]) {
            // The length first: `ab`+`c` and `a`+`bc` must differ.
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part.as_bytes());
        }
        let digest: [u8; 32] = hasher.finalize().into();
        let [a, b, c, d, ..] = digest;
        let hash = format!("{:08x}", u32::from_be_bytes([a, b, c, d]));
        Self { prefix: format!("camunda:{}:", job.process_instance_key), hash }
    }

    /// The field's value.
    pub(super) fn text(&self) -> String {
        format!("{}{}", self.prefix, self.hash)
    }

    /// Whether a record was made from the same fields; `None` when its text does not say.
    pub(super) fn is_that_of(&self, text: &str) -> Option<bool> {
        let hash = text.strip_prefix(&self.prefix)?;
        let is_hash = hash.len() == 8 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hash.then(|| hash.eq_ignore_ascii_case(&self.hash))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Fingerprint, Mark};
    use crate::connector::{input::Fields, testing::job};

    fn fingerprint(fields: &Value) -> String {
        let fields = Fields::from_values(fields.as_object().unwrap()).unwrap();
        Fingerprint::new(&job(json!({})), &fields).text()
    }

    #[test]
    fn the_fingerprint_is_that_of_names_and_values_in_any_order() {
        let one = fingerprint(&json!({"a": "1", "b": "2"}));
        assert_eq!(one, "camunda:2251799813685249:63662dce");
        assert_eq!(fingerprint(&json!({"b": 2, "a": 1, "sys_id": "x"})), one);
        for other in [
            json!({"a": "1", "b": "3"}),
            json!({"a": "1"}),
            json!({"a": "1b2"}),
            json!({"a": "1", "b": "2", "c": ""}),
        ] {
            assert_ne!(fingerprint(&other), one);
        }
    }

    #[test]
    fn only_a_whole_fingerprint_of_this_instance_says_anything() {
        let fields = Fields::from_values(json!({"a": "1"}).as_object().unwrap()).unwrap();
        let own = Fingerprint::new(&job(json!({})), &fields);
        assert_eq!(own.is_that_of(&own.text()), Some(true));
        assert_eq!(own.is_that_of("camunda:2251799813685249:00000000"), Some(false));
        for text in [
            "",
            "camunda:2251799813685249",
            "camunda:1:00000000",
            "camunda:2251799813685249:x",
            "SAP",
        ] {
            assert_eq!(own.is_that_of(text), None, "{text}");
        }
    }

    #[test]
    fn another_mark_is_told_from_other_texts() {
        let mark = Mark { field: "correlation_id".to_owned(), value: "ab".repeat(32) };
        assert!(mark.is(&"AB".repeat(32)) && !mark.is_of_another(&"AB".repeat(32)));
        assert!(mark.is_of_another(&"cd".repeat(32)));
        for text in ["", "order-4711", &"ab".repeat(31), &"xy".repeat(32)] {
            assert!(!mark.is(text) && !mark.is_of_another(text), "{text}");
        }
    }
}
