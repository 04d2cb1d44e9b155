//! A table's name, safe to stand in a URL.
#![deny(clippy::disallowed_types)]

use std::fmt;

/// The name of a ServiceNow table: lower-case letters, digits and underscores, a letter
/// first, at most 80 characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Table(String);

/// A text that is no table name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is no table name: use the name (not the label), lower-case letters, digits and \
     underscores, e.g. change_request"
)]
pub struct InvalidTable(String);

impl Table {
    /// Reads a table name, surrounding blanks ignored.
    pub fn parse(text: &str) -> Result<Self, InvalidTable> {
        let name = text.trim();
        let starts_well = name.starts_with(|c: char| c.is_ascii_lowercase());
        let all_well =
            name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if starts_well && all_well && name.len() <= 80 {
            Ok(Self(name.to_owned()))
        } else {
            Err(InvalidTable(crate::outcome::cut(text, 80)))
        }
    }

    /// The name as ServiceNow spells it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn accepts_names_of_stock_and_scoped_tables() {
        for name in ["incident", "sc_req_item", "x_acme_app_order2"] {
            assert_eq!(Table::parse(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn refuses_whatever_could_change_the_url() {
        for name in ["", "../sys_user", "incident?x=", "Incident", "1table", "a/b", "%2e%2e", "a b"]
        {
            assert!(Table::parse(name).is_err(), "{name}");
        }
        assert!(Table::parse(&"a".repeat(81)).is_err());
    }
}
