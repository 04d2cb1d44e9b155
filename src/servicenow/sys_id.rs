//! The identity of a record, and the identity we give to the records we create.
#![deny(clippy::disallowed_types)]

use std::fmt;

/// A record's `sys_id`: 32 hexadecimal digits, kept as written (ServiceNow keeps the
/// case of an id that a client chose).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SysId(String);

/// A text that is no sys_id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no sys_id: it has 32 hexadecimal digits; for INC0010001 and the like use number")]
pub struct InvalidSysId(String);

impl SysId {
    /// Reads a sys_id, surrounding blanks ignored.
    pub fn parse(text: &str) -> Result<Self, InvalidSysId> {
        let id = text.trim();
        if id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()) {
            Ok(Self(id.to_owned()))
        } else {
            Err(InvalidSysId(crate::outcome::cut(text, 64)))
        }
    }

    /// The id that these 128 bits spell, in lower case.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(format!("{:032x}", u128::from_be_bytes(bytes)))
    }

    /// The 32 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SysId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::SysId;

    #[test]
    fn bytes_spell_32_digits() {
        let mut bytes = [0; 16];
        bytes[15] = 0xab;
        assert_eq!(SysId::from_bytes(bytes).as_str(), "000000000000000000000000000000ab");
    }

    #[test]
    fn takes_32_hex_digits_and_nothing_else() {
        assert!(SysId::parse("6816f79cc0a8016401c5a33be04be441").is_ok());
        assert!(SysId::parse("AAAABBBBCCCCDDDDEEEEFFFF00001111").is_ok());
        for bad in ["", "INC0010001", "../..", "6816f79cc0a8016401c5a33be04be44g", "6816f79c"] {
            assert!(SysId::parse(bad).is_err(), "{bad}");
        }
    }
}
