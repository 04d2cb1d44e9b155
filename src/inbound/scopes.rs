//! What a credential may do, as the configuration writes it.
//!
//! `operation` or `operation:pattern`, where the pattern names process ids, messages,
//! signals, routes or tenants and `*` stands for any characters. Nothing is allowed that is
//! not written; the default tenant alone needs no word.
#![deny(clippy::disallowed_types)]

use std::fmt;

use crate::ports::DEFAULT_TENANT;

/// What can be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Right {
    /// Start instances of a process.
    Start,
    /// Wait for the end of an instance.
    Await,
    /// Cancel instances of a process.
    Cancel,
    /// Publish a message.
    Publish,
    /// Correlate a message.
    Correlate,
    /// Broadcast a signal.
    Signal,
    /// Call a plain route.
    Route,
    /// Act for a tenant.
    Tenant,
    /// Read the cluster's topology.
    Topology,
}

const RIGHTS: [(&str, Right); 9] = [
    ("start", Right::Start),
    ("await", Right::Await),
    ("cancel", Right::Cancel),
    ("publish", Right::Publish),
    ("correlate", Right::Correlate),
    ("signal", Right::Signal),
    ("route", Right::Route),
    ("tenant", Right::Tenant),
    ("topology", Right::Topology),
];

impl Right {
    fn takes_pattern(self) -> bool {
        !matches!(self, Self::Await | Self::Topology)
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = RIGHTS.iter().find(|(_, right)| right == self).map(|(name, _)| *name);
        f.write_str(name.unwrap_or_default())
    }
}

/// A text in which `*` stands for any characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// A pattern.
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Whether everything fits.
    pub fn is_any(&self) -> bool {
        self.0 == "*"
    }

    /// Whether a text fits. Takes time that grows with both lengths, never more.
    pub fn fits(&self, text: &str) -> bool {
        let mut parts = self.0.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = text.strip_prefix(first) else { return false };
        let mut parts: Vec<&str> = parts.collect();
        let Some(last) = parts.pop() else { return rest.is_empty() };
        for part in parts {
            let Some(at) = rest.find(part) else { return false };
            rest = &rest[at + part.len()..];
        }
        rest.ends_with(last)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Everything that one credential may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(Vec<(Right, Pattern)>);

/// A right that is missing, as the configuration would write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing(pub String);

impl Scopes {
    /// Reads the texts of `allow`; the error names the first that is none.
    pub fn parse(texts: &[String]) -> Result<Self, String> {
        texts.iter().map(|text| scope(text)).collect::<Result<_, _>>().map(Self)
    }

    /// Everything.
    pub fn everything() -> Self {
        Self(RIGHTS.iter().map(|(_, right)| (*right, Pattern::new("*"))).collect())
    }

    /// Whether any scope gives this right at all.
    pub fn has(&self, right: Right) -> bool {
        self.0.iter().any(|(given, _)| *given == right)
    }

    /// Whether a right is given for everything.
    pub fn has_all(&self, right: Right) -> bool {
        self.0.iter().any(|(given, pattern)| *given == right && pattern.is_any())
    }

    /// Demands a right that has no pattern.
    pub fn demand(&self, right: Right) -> Result<(), Missing> {
        if self.has(right) { Ok(()) } else { Err(Missing(right.to_string())) }
    }

    /// Demands a right for a name.
    pub fn demand_for(&self, right: Right, name: &str) -> Result<(), Missing> {
        let given = |(r, pattern): &(Right, Pattern)| *r == right && pattern.fits(name);
        if self.0.iter().any(given) { Ok(()) } else { Err(Missing(format!("{right}:{name}"))) }
    }

    /// Demands the right to act for a tenant.
    pub fn demand_tenant(&self, tenant: &str) -> Result<(), Missing> {
        if tenant == DEFAULT_TENANT { Ok(()) } else { self.demand_for(Right::Tenant, tenant) }
    }
}

fn scope(text: &str) -> Result<(Right, Pattern), String> {
    let (name, pattern) = match text.split_once(':') {
        Some((name, pattern)) => (name, Some(pattern)),
        None => (text, None),
    };
    let known = RIGHTS.iter().find(|(known, _)| *known == name);
    let Some((_, right)) = known else {
        let names: Vec<_> = RIGHTS.iter().map(|(name, _)| *name).collect();
        return Err(format!("'{text}' is no scope: write one of {}", names.join(", ")));
    };
    match pattern {
        Some("") => Err(format!("'{text}' names nothing: write {name}:NAME or {name}:*")),
        Some(pattern) if right.takes_pattern() => Ok((*right, Pattern::new(pattern))),
        Some(_) => Err(format!("'{text}': {name} has no names behind it: write {name}")),
        None if right.takes_pattern() && *right != Right::Cancel => {
            Err(format!("'{text}' says not for what: write {name}:NAME or {name}:*"))
        }
        None => Ok((*right, Pattern::new("*"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes(texts: &[&str]) -> Result<Scopes, String> {
        Scopes::parse(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, text, fits) in [
            ("order", "order", true),
            ("order", "orders", false),
            ("order-*", "order-1", true),
            ("order-*", "order", false),
            ("*", "", true),
            ("*-approved", "x-approved", true),
            ("a*b*c", "a1b2c", true),
            ("a*b*c", "acb", false),
            ("a*bb*b", "abb", false),
            ("ab*ba", "aba", false),
            ("**", "x", true),
        ] {
            assert_eq!(Pattern::new(pattern).fits(text), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn what_is_not_written_is_missing_and_named() {
        let scopes = scopes(&["start:order-*", "cancel", "await"]).unwrap();
        assert_eq!(scopes.demand_for(Right::Start, "order-1"), Ok(()));
        let missing = scopes.demand_for(Right::Start, "invoice");
        assert_eq!(missing, Err(Missing("start:invoice".to_owned())));
        assert_eq!(scopes.demand(Right::Await), Ok(()));
        assert_eq!(scopes.demand(Right::Topology), Err(Missing("topology".to_owned())));
        assert!(scopes.has_all(Right::Cancel) && !scopes.has_all(Right::Start));
        assert_eq!(scopes.demand_tenant("<default>"), Ok(()));
        assert_eq!(scopes.demand_tenant("hr"), Err(Missing("tenant:hr".to_owned())));
    }

    #[test]
    fn a_scope_that_is_none_says_what_to_write() {
        for (text, part) in [
            ("deploy", "'deploy' is no scope"),
            ("start", "write start:NAME or start:*"),
            ("start:", "names nothing"),
            ("await:x", "write await"),
            ("", "is no scope"),
        ] {
            let error = scopes(&[text]).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
