//! Refusals, as `application/problem+json` with the statuses and titles of Camunda's API:
//! the retry logic of its SDKs reads both.
#![deny(clippy::disallowed_types)]

use std::time::Duration;

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Response, StatusCode, header},
};
use serde_json::json;

use super::scopes::Missing;
use crate::{
    outcome::cut,
    ports::{GatewayError, GatewayErrorKind, RestError},
};

/// Longest detail.
const MAX_DETAIL: usize = 1_000;

/// Why a request is not done.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) title: String,
    pub(crate) detail: String,
    /// More of it for the caller alone: what it sent is not for the log.
    pub(crate) aside: String,
    pub(crate) headers: Vec<(HeaderName, String)>,
    /// The engine may have done it all the same.
    pub(crate) outcome_unknown: bool,
}

impl Problem {
    pub(crate) fn new(
        status: StatusCode,
        title: impl Into<String>,
        detail: impl AsRef<str>,
    ) -> Self {
        Self {
            status,
            title: title.into(),
            detail: cut(detail.as_ref(), MAX_DETAIL),
            aside: String::new(),
            headers: Vec::new(),
            outcome_unknown: false,
        }
    }

    /// The request cannot be read.
    pub(crate) fn unreadable(detail: impl AsRef<str>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Bad Request", detail)
    }

    /// The request says something that does not go.
    pub(crate) fn invalid(detail: impl AsRef<str>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "INVALID_ARGUMENT", detail)
    }

    /// The caller may not.
    pub(crate) fn forbidden(missing: &Missing) -> Self {
        let detail = format!("this credential lacks the scope '{}'", cut(&missing.0, 200));
        Self::new(StatusCode::FORBIDDEN, "FORBIDDEN", detail)
    }

    /// There is nothing there.
    pub(crate) fn not_found(detail: impl AsRef<str>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NOT_FOUND", detail)
    }

    /// What was asked for cannot be promised here.
    pub(crate) fn not_offered(detail: impl AsRef<str>) -> Self {
        Self::new(StatusCode::NOT_IMPLEMENTED, "NOT_IMPLEMENTED", detail)
    }

    /// It was done already, by a request of the same key.
    pub(crate) fn already_exists(detail: impl AsRef<str>) -> Self {
        Self::new(StatusCode::CONFLICT, "ALREADY_EXISTS", detail)
    }

    /// Too much at once; nothing was done.
    pub(crate) fn busy(detail: impl AsRef<str>) -> Self {
        let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, "RESOURCE_EXHAUSTED", detail);
        problem.retry_after(Duration::from_secs(1))
    }

    /// The engine cannot be used now.
    pub(crate) fn unavailable(detail: impl AsRef<str>) -> Self {
        let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", detail);
        problem.retry_after(Duration::from_secs(5))
    }

    /// With more that only the caller is told, since it quotes what was sent.
    pub(crate) fn aside(mut self, aside: impl AsRef<str>) -> Self {
        self.aside = cut(aside.as_ref(), MAX_DETAIL);
        self
    }

    /// With a header.
    pub(crate) fn header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// With the time after which another try makes sense.
    pub(crate) fn retry_after(self, wait: Duration) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        self.header(header::RETRY_AFTER, seconds.max(1).to_string())
    }

    /// What the engine's refusal means to a caller of ours. `command` is what was asked for.
    pub(crate) fn of_the_engine(error: &GatewayError, command: &str) -> Self {
        let said = format!("{command}: {}", error.message);
        match error.kind {
            GatewayErrorKind::Busy => Self::busy(said),
            GatewayErrorKind::NotFound => Self::not_found(said),
            GatewayErrorKind::AlreadyExists => Self::already_exists(said),
            GatewayErrorKind::Superseded => Self::new(StatusCode::CONFLICT, "INVALID_STATE", said),
            GatewayErrorKind::Invalid => Self::invalid(said),
            GatewayErrorKind::Denied => Self::new(StatusCode::FORBIDDEN, "FORBIDDEN", said),
            // Our credentials, not the caller's.
            GatewayErrorKind::Unauthenticated => Self::new(
                StatusCode::BAD_GATEWAY,
                "UNAUTHENTICATED",
                "the engine does not accept the credentials of this endpoint: see zeebe.auth",
            ),
            GatewayErrorKind::Unavailable | GatewayErrorKind::TimedOut => Self {
                outcome_unknown: true,
                ..Self::unavailable(format!("{said}; whether it was done is unknown"))
            },
        }
    }

    /// What a refusal of the cluster's REST API means to a caller of ours.
    pub(crate) fn of_the_cluster(error: RestError) -> Self {
        match error {
            RestError::Refused { status: 401, .. } => Self::new(
                StatusCode::BAD_GATEWAY,
                "UNAUTHENTICATED",
                "the cluster's REST API does not accept the credentials of this endpoint: see \
                 zeebe.auth",
            ),
            RestError::Refused { status, title, detail } => {
                let status = StatusCode::from_u16(status).ok();
                let known = status.filter(|status| status.as_u16() >= 400);
                let problem = Self::new(known.unwrap_or(StatusCode::BAD_GATEWAY), title, detail);
                if problem.status.is_server_error() {
                    return Self { outcome_unknown: true, ..problem }
                        .retry_after(Duration::from_secs(5));
                }
                problem
            }
            RestError::Unanswered(why) => Self {
                outcome_unknown: true,
                ..Self::unavailable(format!("{why}; whether it was done is unknown"))
            },
        }
    }

    /// The answer to the caller; `instance` is the path that was called.
    pub(crate) fn into_response(self, instance: &str) -> Response<Body> {
        let body = json!({
            "type": "about:blank",
            "title": self.title,
            "status": self.status.as_u16(),
            "detail": format!("{}{}", self.detail, self.aside),
            "instance": cut(instance, 200),
        });
        let mut response = Response::new(Body::from(body.to_string()));
        *response.status_mut() = self.status;
        let form = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, form);
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().append(name, value);
            }
        }
        response
    }
}

impl From<Missing> for Problem {
    fn from(missing: Missing) -> Self {
        Self::forbidden(&missing)
    }
}
