//! The address of a ServiceNow instance.
#![deny(clippy::disallowed_types)]

use std::fmt;

use url::{Host, Url};

/// An instance: scheme, host and port, nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Instance {
    url: Url,
}

/// A text that names no instance.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidInstance {
    /// Not readable as a name, host or URL.
    #[error(
        "'{0}' names no instance: use its short name (dev12345), its host \
         (dev12345.service-now.com) or its address (https://dev12345.service-now.com)"
    )]
    Unreadable(String),
    /// A URL with more than scheme, host and port.
    #[error("'{0}' has more than scheme, host and port: leave out user, path and query")]
    Excess(String),
    /// Plain http to a host that is not loopback.
    #[error("'{0}' is plain http: use https, or set allow_http = true on the connection")]
    PlainHttp(String),
}

impl Instance {
    /// Reads a short name, a host (with or without port) or a URL. Plain http is taken for
    /// loopback hosts, elsewhere only with `allow_http`.
    pub fn parse(text: &str, allow_http: bool) -> Result<Self, InvalidInstance> {
        let text = text.trim();
        let shown = || crate::outcome::cut(text, 120);
        let url = Self::url_of(text).ok_or_else(|| InvalidInstance::Unreadable(shown()))?;
        let bare = url.username().is_empty()
            && url.password().is_none()
            && matches!(url.path(), "" | "/")
            && url.query().is_none()
            && url.fragment().is_none();
        if !bare {
            return Err(InvalidInstance::Excess(shown()));
        }
        let instance = Self { url };
        if instance.url.scheme() == "http" && !allow_http && !instance.is_loopback() {
            return Err(InvalidInstance::PlainHttp(shown()));
        }
        Ok(instance)
    }

    fn url_of(text: &str) -> Option<Url> {
        let is_short_name = !text.is_empty()
            && text.len() <= 63
            && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !text.eq_ignore_ascii_case("localhost");
        let full = if is_short_name {
            format!("https://{text}.service-now.com")
        } else if text.contains("://") {
            text.to_owned()
        } else {
            format!("https://{text}")
        };
        let url = Url::parse(&full).ok()?;
        (matches!(url.scheme(), "http" | "https") && url.host().is_some()).then_some(url)
    }

    /// Whether the host is this machine.
    pub fn is_loopback(&self) -> bool {
        match self.url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
    }

    /// Whether the host is an address rather than a name.
    pub(crate) fn is_address(&self) -> bool {
        matches!(self.url.host(), Some(Host::Ipv4(_) | Host::Ipv6(_)))
    }

    /// The host as a name or an address.
    pub(crate) fn url_host(&self) -> Option<Host<&str>> {
        self.url.host()
    }

    /// The host, lower case.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// Scheme, host and, where not the default, port; no slash at the end.
    pub fn base_url(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }
}

impl fmt::Display for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.base_url())
    }
}

#[cfg(test)]
mod tests {
    use super::{Instance, InvalidInstance};

    fn base(text: &str) -> String {
        Instance::parse(text, false).unwrap().base_url().to_owned()
    }

    #[test]
    fn short_names_hosts_and_urls_mean_the_same_instance() {
        assert_eq!(base("dev12345"), "https://dev12345.service-now.com");
        assert_eq!(base("dev12345.service-now.com"), "https://dev12345.service-now.com");
        assert_eq!(base("https://Dev12345.service-now.com/"), "https://dev12345.service-now.com");
        assert_eq!(base("http://127.0.0.1:8080"), "http://127.0.0.1:8080");
    }

    #[test]
    fn anything_beside_scheme_host_and_port_is_refused() {
        for text in ["https://a.example/x", "https://u@a.example", "https://a.example?q", "ftp://a"]
        {
            assert!(Instance::parse(text, true).is_err(), "{text}");
        }
    }

    #[test]
    fn plain_http_needs_loopback_or_leave() {
        let refused = Instance::parse("http://sn.example", false);
        assert!(matches!(refused, Err(InvalidInstance::PlainHttp(_))));
        assert!(Instance::parse("http://sn.example", true).is_ok());
        assert!(Instance::parse("http://localhost:1", false).is_ok());
    }
}
