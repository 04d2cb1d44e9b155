//! `[[inbound.credentials]]`.

use std::{collections::BTreeMap, time::Duration};

use secrecy::SecretString;
use serde_json::Value;

use super::{
    super::section::{Key, Section},
    is_header, name,
};
use crate::inbound::{Algorithm, Credential, Issuer, Proof, Right, Scopes, Signature, Style};

/// Reads all of them.
pub(super) fn read(section: &mut Section<'_>, has_rest: bool) -> Vec<Credential> {
    let credentials = section.sections("credentials").into_iter();
    credentials.filter_map(|credential| one(credential, has_rest)).collect()
}

fn one(mut section: Section<'_>, has_rest: bool) -> Option<Credential> {
    let name = name(&mut section);
    let proof = proof(&mut section);
    let allow = allow(&mut section, has_rest);
    let rate = section.count(Key::new("rate"), 1..=1_000_000);
    section.finish();
    Some(Credential {
        name: name?,
        proof: proof?,
        allow: allow?,
        rate: rate.and_then(|rate| u32::try_from(rate).ok()),
    })
}

fn allow(section: &mut Section<'_>, has_rest: bool) -> Option<Scopes> {
    let Some(texts) = section.texts(Key::new("allow")) else {
        section.mistake("allow", "is missing: list what it may do, e.g. [\"start:order-*\"]");
        return None;
    };
    let scopes = Scopes::parse(&texts).map_err(|error| section.mistake("allow", &error)).ok()?;
    if scopes.has(Right::Cancel) && !scopes.has_all(Right::Cancel) && !has_rest {
        section.mistake(
            "allow",
            "cancel for some processes only needs zeebe.rest_address, which tells the process \
             of an instance",
        );
    }
    Some(scopes)
}

/// Reads one kind of proof.
type ReadProof = fn(Section<'_>) -> Option<Proof>;

/// The one kind of proof that is there.
fn proof(section: &mut Section<'_>) -> Option<Proof> {
    let kinds: [(&'static str, ReadProof); 5] =
        [("basic", basic), ("api_key", api_key), ("client", client), ("jwt", jwt), ("hmac", hmac)];
    let mut found = Vec::new();
    for (kind, read) in kinds {
        if let Some(part) = section.optional_section(kind) {
            found.push((kind, read(part)));
        }
    }
    match found.len() {
        1 => found.pop()?.1,
        0 => {
            section.mistake("proof", "is missing: write one of basic, api_key, client, jwt, hmac");
            None
        }
        _ => {
            let kinds: Vec<_> = found.iter().map(|(kind, _)| *kind).collect();
            let what = format!("{} are one too many: a credential has one", kinds.join(" and "));
            section.mistake("proof", &what);
            None
        }
    }
}

fn needed(section: &mut Section<'_>, key: &'static str) -> Option<String> {
    let value = section.text(Key::new(key));
    if value.is_none() {
        section.mistake(key, "is missing");
    }
    value
}

/// `name = "…"`, or `names = ["…", "…"]` while one is replaced.
fn keys(section: &mut Section<'_>) -> Option<Vec<SecretString>> {
    let one = section.text(Key::new("key"));
    let more = section.texts(Key::new("keys")).unwrap_or_default();
    let keys: Vec<SecretString> = one.into_iter().chain(more).map(Into::into).collect();
    if keys.is_empty() {
        section.mistake("key", "is missing, e.g. \"{{secrets.NAME}}\"");
        return None;
    }
    Some(keys)
}

fn header(section: &mut Section<'_>, default: &str) -> Option<String> {
    let header = section.text(Key::new("header")).unwrap_or_else(|| default.to_owned());
    if !is_header(&header) {
        section.mistake("header", &format!("'{header}' is no name of a header"));
        return None;
    }
    Some(header.to_ascii_lowercase())
}

fn basic(mut section: Section<'_>) -> Option<Proof> {
    let username = needed(&mut section, "username");
    let password = needed(&mut section, "password");
    if username.as_ref().is_some_and(|name| name.contains(':')) {
        section.mistake("username", "has no colon: HTTP Basic cannot carry it");
    }
    section.finish();
    Some(Proof::Basic { username: username?, password: password?.into() })
}

fn api_key(mut section: Section<'_>) -> Option<Proof> {
    let header = header(&mut section, "x-api-key");
    let keys = keys(&mut section);
    section.finish();
    Some(Proof::ApiKey { header: header?, keys: keys? })
}

fn client(mut section: Section<'_>) -> Option<Proof> {
    let (id, secret) = (needed(&mut section, "id"), needed(&mut section, "secret"));
    section.finish();
    Some(Proof::Client { id: id?, secret: secret?.into() })
}

fn jwt(mut section: Section<'_>) -> Option<Proof> {
    let issuer = needed(&mut section, "issuer");
    let audience = needed(&mut section, "audience");
    let jwks_url = needed(&mut section, "jwks_url");
    let url = jwks_url.as_deref().map(url::Url::parse);
    let is_safe = |url: &url::Url| url.scheme() == "https" || is_local(url);
    if url.is_some_and(|url| !url.as_ref().is_ok_and(is_safe)) {
        section.mistake("jwks_url", "is an https URL");
    }
    let algorithms = algorithms(&mut section);
    let claims = claims(&mut section);
    let ca_file = section.text(Key::new("ca_file")).map(Into::into);
    section.finish();
    Some(Proof::Jwt(Issuer {
        issuer: issuer?,
        audience: audience?,
        jwks_url: jwks_url?,
        ca_file,
        algorithms,
        claims,
    }))
}

fn is_local(url: &url::Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn algorithms(section: &mut Section<'_>) -> Vec<Algorithm> {
    let Some(names) = section.texts(Key::new("algorithms")) else { return vec![Algorithm::Rs256] };
    let known = |name: String| match name.as_str() {
        "RS256" => Some(Algorithm::Rs256),
        "PS256" => Some(Algorithm::Ps256),
        "ES256" => Some(Algorithm::Es256),
        _ => {
            let what = format!("'{name}' is none of RS256, PS256, ES256");
            section.mistake("algorithms", &what);
            None
        }
    };
    names.into_iter().filter_map(known).collect()
}

fn claims(section: &mut Section<'_>) -> BTreeMap<String, String> {
    let mut claims = BTreeMap::new();
    match section.value("claims") {
        None => {}
        Some(Value::Object(map)) => {
            for (name, value) in map {
                match value {
                    Value::String(text) => drop(claims.insert(name, text)),
                    _ => section.mistake("claims", &format!("the value of '{name}' is text")),
                }
            }
        }
        Some(_) => section.mistake("claims", "is a section, e.g. { azp = \"flows\" }"),
    }
    claims
}

fn hmac(mut section: Section<'_>) -> Option<Proof> {
    let styles = [("standard", Style::Standard), ("github", Style::Body)];
    let style = section.one_of(Key::new("style"), &styles).unwrap_or(Style::Standard);
    let default = match style {
        Style::Standard => "webhook-signature",
        Style::Body => "x-hub-signature-256",
    };
    let header = header(&mut section, default);
    let keys = keys(&mut section);
    let range = Duration::from_secs(10)..=Duration::from_hours(1);
    let tolerance = section.duration(Key::new("tolerance"), range);
    section.finish();
    Some(Proof::Hmac(Signature {
        style,
        header: header?,
        keys: keys?,
        tolerance: tolerance.unwrap_or(Duration::from_mins(5)),
    }))
}
