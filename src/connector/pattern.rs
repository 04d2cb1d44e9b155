//! Patterns that operators write: tables with `*`, hosts with a leading `*.`.

/// A host, or all hosts below a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPattern {
    domain: String,
    below: bool,
}

/// A text that is no host pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no host pattern: use a host (sn.example.com) or a domain (*.example.com)")]
pub struct InvalidHostPattern(String);

impl HostPattern {
    /// Reads a host, or `*.` and a domain with at least one dot.
    pub fn parse(text: &str) -> Result<Self, InvalidHostPattern> {
        let lower = text.trim().to_ascii_lowercase();
        let (domain, below) = match lower.strip_prefix("*.") {
            Some(domain) => (domain.to_owned(), true),
            None => (lower.clone(), false),
        };
        let bracketed = domain.starts_with('[') && domain.ends_with(']');
        let well = !domain.is_empty()
            && !domain.starts_with('.')
            && (bracketed
                || domain.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c)))
            && (!below || domain.contains('.'));
        if well { Ok(Self { domain, below }) } else { Err(InvalidHostPattern(text.to_owned())) }
    }

    /// ServiceNow's own domains.
    pub fn defaults() -> Vec<Self> {
        ["service-now.com", "servicenowservices.com"]
            .map(|domain| Self { domain: domain.to_owned(), below: true })
            .into()
    }

    /// Whether the pattern is this one host.
    pub(crate) fn is(&self, host: &str) -> bool {
        !self.below && self.domain == host
    }

    /// Whether a lower-case host falls under the pattern; a domain itself is not below it.
    pub fn matches(&self, host: &str) -> bool {
        if self.below {
            host.strip_suffix(&self.domain)
                .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
        } else {
            host == self.domain
        }
    }
}

/// Whether `text` matches `pattern`, in which `*` stands for any text. Greedy matching with
/// one point to come back to: linear in practice, never recursive.
pub(crate) fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::{HostPattern, glob};

    #[test]
    fn a_domain_pattern_takes_hosts_below_it_only() {
        let pattern = HostPattern::parse("*.service-now.com").unwrap();
        assert!(pattern.matches("dev1.service-now.com"));
        for host in ["service-now.com", "evilservice-now.com", "dev1.service-now.com.evil.example"]
        {
            assert!(!pattern.matches(host), "{host}");
        }
    }

    #[test]
    fn patterns_that_would_take_everything_are_refused() {
        for text in ["*", "*.com", "", "*.", "https://a.example", "a b"] {
            assert!(HostPattern::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("*", "incident", true),
            ("sys_*", "sys_user", true),
            ("sys_*", "sysuser", false),
            ("incident", "incident", true),
            ("incident", "incidents", false),
            ("x_*_b*_c", "x_a_bb_c", true),
            ("a*b*c", "acb", false),
            ("ab*ba", "aba", false),
        ] {
            assert_eq!(glob(pattern, text), expected, "{pattern} {text}");
        }
    }
}
