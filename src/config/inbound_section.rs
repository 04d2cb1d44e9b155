//! `[inbound]`: the HTTP endpoint.

mod credentials;
mod routes;

use std::{net::SocketAddr, time::Duration};

use super::section::{Key, Section};
use crate::inbound::{
    Config, Correlation, Idempotency, Limits, Picker, Route, Tls, Token, Unguarded,
};

/// Reads the section; `None` when there is none. `has_rest` tells whether the cluster's REST
/// API has an address.
pub(super) fn read(root: &mut Section<'_>, has_rest: bool) -> Option<Config> {
    let mut section = root.optional_section("inbound")?;
    let default = Config::default();
    let config = Config {
        listen: listen(&mut section).unwrap_or(default.listen),
        open: section.boolean(Key::new("open")).unwrap_or(default.open),
        behind_proxy: section.boolean(Key::new("behind_proxy")).unwrap_or(default.behind_proxy),
        path_prefix: path_prefix(&mut section).unwrap_or_default(),
        tls: tls(&mut section),
        correlation: correlation(&mut section, has_rest),
        credentials: credentials::read(&mut section, has_rest),
        routes: routes::read(&mut section, has_rest),
        token: token(section.section("token")),
        idempotency: idempotency(section.section("idempotency")),
        limits: limits(section.section("limits")),
    };
    check(&section, &config);
    section.finish();
    Some(config)
}

fn listen(section: &mut Section<'_>) -> Option<SocketAddr> {
    let text = section.text(Key::new("listen").env(&["INBOUND_LISTEN"]))?;
    text.parse().ok().or_else(|| {
        let what = format!("'{text}' is no address: write host:port, e.g. 127.0.0.1:8090");
        section.mistake("listen", &what);
        None
    })
}

fn path_prefix(section: &mut Section<'_>) -> Option<String> {
    let text = section.text(Key::new("path_prefix"))?;
    let prefix = text.trim_end_matches('/');
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~/".contains(&b);
    let segments = prefix.split('/').skip(1);
    let fits = segments.clone().all(|part| !part.is_empty() && part.bytes().any(|b| b != b'.'));
    if prefix.is_empty() || (prefix.starts_with('/') && prefix.bytes().all(plain) && fits) {
        return Some(prefix.to_owned());
    }
    section.mistake("path_prefix", &format!("'{text}' is no path: write e.g. \"/servicenow\""));
    None
}

fn tls(section: &mut Section<'_>) -> Option<Tls> {
    let mut tls = section.optional_section("tls")?;
    let (cert, key) = (tls.text(Key::new("cert")), tls.text(Key::new("key")));
    for (name, value) in [("cert", &cert), ("key", &key)] {
        if value.is_none() {
            tls.mistake(name, "is missing: name a PEM file");
        }
    }
    tls.finish();
    Some(Tls { certificates: cert?.into(), key: key?.into() })
}

fn correlation(section: &mut Section<'_>, has_rest: bool) -> Correlation {
    let words = [
        ("forward", Correlation::Forward),
        ("publish", Correlation::Publish),
        ("refuse", Correlation::Refuse),
    ];
    let default = if has_rest { Correlation::Forward } else { Correlation::Publish };
    let correlation = section.one_of(Key::new("correlation"), &words).unwrap_or(default);
    if correlation == Correlation::Forward && !has_rest {
        section.mistake("correlation", "\"forward\" needs zeebe.rest_address");
    }
    correlation
}

fn token(mut section: Section<'_>) -> Token {
    let default = Token::default();
    let lifetime = Duration::from_mins(1)..=Duration::from_hours(24);
    let token = Token {
        key: section.text(Key::new("key")).map(Into::into),
        audience: section.text(Key::new("audience")).unwrap_or(default.audience),
        lifetime: section.duration(Key::new("lifetime"), lifetime).unwrap_or(default.lifetime),
    };
    section.finish();
    token
}

fn idempotency(mut section: Section<'_>) -> Idempotency {
    let default = Idempotency::default();
    let window = Duration::from_mins(1)..=Duration::from_hours(7 * 24);
    let headers = section.texts(Key::new("headers")).unwrap_or(default.headers);
    let headers: Vec<String> = headers.iter().map(|name| name.to_ascii_lowercase()).collect();
    if let Some(name) = headers.iter().find(|name| !is_header(name)) {
        section.mistake("headers", &format!("'{name}' is no name of a header"));
    }
    let idempotency = Idempotency {
        headers,
        body: picker(&mut section, "body"),
        window: section.duration(Key::new("window"), window).unwrap_or(default.window),
        business_id_unique: section
            .boolean(Key::new("business_id_unique"))
            .unwrap_or(default.business_id_unique),
        at_least_once: at_least_once(&mut section),
        remember: section.count(Key::new("remember"), 0..=1_000_000).unwrap_or(default.remember),
    };
    section.finish();
    idempotency
}

fn at_least_once(section: &mut Section<'_>) -> Vec<Unguarded> {
    let names = section.texts(Key::new("at_least_once")).unwrap_or_default();
    let known = |name: String| match name.as_str() {
        "start" => Some(Unguarded::Start),
        "signal" => Some(Unguarded::Signal),
        "correlate" => Some(Unguarded::Correlate),
        _ => {
            let what = format!("'{name}' is none of start, signal, correlate");
            section.mistake("at_least_once", &what);
            None
        }
    };
    names.into_iter().filter_map(known).collect()
}

fn limits(mut section: Section<'_>) -> Limits {
    let default = Limits::default();
    let seconds = |from, to| Duration::from_secs(from)..=Duration::from_secs(to);
    let mut count =
        |name, range, default: usize| section.count(Key::new(name), range).unwrap_or(default);
    let limits = Limits {
        // The gateway takes 4 MiB, and variables travel with more beside them.
        body_bytes: count("body_bytes", 1_024..=3 << 20, default.body_bytes),
        // The JSON reader itself stops at 128.
        json_depth: count("json_depth", 4..=120, default.json_depth),
        connections: count("connections", 16..=1_000_000, default.connections),
        requests: count("requests", 1..=100_000, default.requests),
        rate: u32::try_from(count("rate", 1..=1_000_000, default.rate as usize))
            .unwrap_or(default.rate),
        header_timeout: section
            .duration(Key::new("header_timeout"), seconds(1, 600))
            .unwrap_or(default.header_timeout),
        body_timeout: section
            .duration(Key::new("body_timeout"), seconds(1, 600))
            .unwrap_or(default.body_timeout),
        await_completion: section
            .duration(Key::new("await_completion"), seconds(1, 600))
            .unwrap_or(default.await_completion),
    };
    section.finish();
    limits
}

/// What no single key shows.
fn check(section: &Section<'_>, config: &Config) {
    let is_local = config.listen.ip().is_loopback();
    if config.open && !is_local {
        section.mistake("open", "is for loopback addresses only: configure credentials");
    }
    if !is_local && config.tls.is_none() && !config.behind_proxy {
        section.mistake(
            "listen",
            "is not a loopback address: set inbound.tls, or behind_proxy = true when a proxy in \
             front speaks TLS",
        );
    }
    if !config.open && config.credentials.is_empty() {
        section.mistake(
            "credentials",
            "are missing, so nobody could call: write [[inbound.credentials]], or open = true \
             for development",
        );
    }
    let twice = |names: Vec<&str>, key: &str| {
        let mut seen = std::collections::BTreeSet::new();
        for name in names {
            if !seen.insert(name) {
                section.mistake(key, &format!("'{name}' is there twice"));
            }
        }
    };
    twice(config.credentials.iter().map(|known| known.name.as_str()).collect(), "credentials");
    twice(config.routes.iter().map(|route: &Route| route.name.as_str()).collect(), "routes");
}

/// A FEEL expression or a JSONPath.
fn picker(section: &mut Section<'_>, name: &'static str) -> Option<Picker> {
    let text = section.text(Key::new(name))?;
    Picker::parse(&text).map_err(|error| section.mistake(name, &error)).ok()
}

fn is_header(name: &str) -> bool {
    http::HeaderName::from_bytes(name.as_bytes()).is_ok()
}

/// A name of a credential or a route: it stands in paths, keys and logs.
fn name(section: &mut Section<'_>) -> Option<String> {
    let Some(name) = section.text(Key::new("name")) else {
        section.mistake("name", "is missing");
        return None;
    };
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    if name.len() <= 64 && name.bytes().all(plain) && name.bytes().any(|b| b != b'.') {
        return Some(name);
    }
    section.mistake("name", "has up to 64 letters, digits, '-', '_' and '.'");
    None
}
