//! Paths and methods -> what is asked for.
//!
//! Paths are taken as they stand: no percent-encoding, no empty or dotted segments, so that
//! nothing in front of us can have understood a path in another way.
#![deny(clippy::disallowed_types)]

use axum::http::Method;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Start an instance.
    CreateInstance,
    /// Cancel an instance.
    CancelInstance,
    /// Publish a message.
    PublishMessage,
    /// Correlate a message.
    CorrelateMessage,
    /// Broadcast a signal.
    BroadcastSignal,
    /// The cluster's topology.
    Topology,
    /// Camunda's licence, of which we know nothing.
    License,
    /// Whether the cluster works.
    Status,
    /// A token for client credentials.
    Token,
    /// A plain route.
    Route,
    /// The description of all this.
    OpenApi,
}

/// Every operation with its method and path; `{}` is a part that varies.
pub const OPERATIONS: [(Operation, Method, &str); 11] = [
    (Operation::CreateInstance, Method::POST, "/v2/process-instances"),
    (Operation::CancelInstance, Method::POST, "/v2/process-instances/{}/cancellation"),
    (Operation::PublishMessage, Method::POST, "/v2/messages/publication"),
    (Operation::CorrelateMessage, Method::POST, "/v2/messages/correlation"),
    (Operation::BroadcastSignal, Method::POST, "/v2/signals/broadcast"),
    (Operation::Topology, Method::GET, "/v2/topology"),
    (Operation::License, Method::GET, "/v2/license"),
    (Operation::Status, Method::GET, "/v2/status"),
    (Operation::Token, Method::POST, "/oauth/token"),
    (Operation::Route, Method::POST, "/inbound/{}"),
    (Operation::OpenApi, Method::GET, "/openapi.json"),
];

/// Why there is no operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoOperation {
    /// No such path.
    Path,
    /// The path has characters that a path of ours never needs.
    Spelling,
    /// The path takes this method only.
    Method(Method),
}

impl Operation {
    /// Whether it needs no credential: official clients send none, a description is no secret.
    pub(crate) fn is_public(self) -> bool {
        matches!(self, Self::License | Self::Status | Self::Token | Self::OpenApi)
    }

    /// Whether it has a body.
    pub(crate) fn has_body(self) -> bool {
        !matches!(self, Self::License | Self::Status | Self::Topology | Self::OpenApi)
    }

    /// Its name in the log and figures.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::CreateInstance => "start",
            Self::CancelInstance => "cancel",
            Self::PublishMessage => "publish",
            Self::CorrelateMessage => "correlate",
            Self::BroadcastSignal => "signal",
            Self::Topology => "topology",
            Self::License => "license",
            Self::Status => "status",
            Self::Token => "token",
            Self::Route => "route",
            Self::OpenApi => "openapi",
        }
    }
}

/// The operation of a request, with the part of its path that varies.
pub(crate) fn find<'p>(
    method: &Method,
    path: &'p str,
    prefix: &str,
) -> Result<(Operation, &'p str), NoOperation> {
    if path.bytes().any(|b| !(b.is_ascii_alphanumeric() || b"/-_.~<>".contains(&b))) {
        return Err(NoOperation::Spelling);
    }
    let path = path.strip_prefix(prefix).ok_or(NoOperation::Path)?;
    let mut other = NoOperation::Path;
    for (operation, known, pattern) in &OPERATIONS {
        if let Some(part) = fit(pattern, path) {
            if known == method {
                return Ok((*operation, part));
            }
            other = NoOperation::Method(known.clone());
        }
    }
    Err(other)
}

/// The varying part of a path that fits a pattern; empty when the pattern has none.
fn fit<'p>(pattern: &str, path: &'p str) -> Option<&'p str> {
    let Some((before, after)) = pattern.split_once("{}") else {
        return (pattern == path).then_some("");
    };
    let part = path.strip_prefix(before)?.strip_suffix(after)?;
    let is_dots = part.bytes().all(|b| b == b'.');
    (!is_dots && !part.contains('/')).then_some(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(method: &Method, path: &str) -> Result<(Operation, String), NoOperation> {
        find(method, path, "/sn").map(|(operation, part)| (operation, part.to_owned()))
    }

    #[test]
    fn every_operation_is_found_under_the_prefix() {
        for (operation, method, pattern) in &OPERATIONS {
            let path = format!("/sn{}", pattern.replace("{}", "17"));
            let part = if pattern.contains("{}") { "17" } else { "" };
            assert_eq!(found(method, &path), Ok((*operation, part.to_owned())));
        }
    }

    #[test]
    fn a_path_written_in_another_way_is_none() {
        for path in [
            "/v2/topology",
            "/sn/v2/topology/",
            "/sn//v2/topology",
            "/sn/v2/./topology",
            "/sn/V2/topology",
            "/sn/inbound/",
            "/sn/inbound/..",
            "/sn/inbound/a/b",
            "/sn/v2/process-instances//cancellation",
            "/sn/v2/process-instances/1/2/cancellation",
            "",
            "*",
        ] {
            assert!(found(&Method::GET, path).is_err(), "{path}");
            assert!(found(&Method::POST, path).is_err(), "{path}");
        }
        assert_eq!(found(&Method::GET, "/sn/v2/%74opology"), Err(NoOperation::Spelling));
    }

    #[test]
    fn a_wrong_method_is_told_the_right_one() {
        let wrong = found(&Method::GET, "/sn/inbound/x");
        assert_eq!(wrong, Err(NoOperation::Method(Method::POST)));
    }
}
