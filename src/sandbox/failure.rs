//! The error answers, in ServiceNow's words.

use axum::http::{HeaderName, StatusCode, header};
use serde_json::{Value, json};

use super::{answer::Answer, call::MAX_BODY_BYTES};

/// The envelope that every error has.
pub(crate) fn failure(status: StatusCode, message: &str, detail: impl Into<Value>) -> Answer {
    let error = json!({"detail": detail.into(), "message": message});
    Answer::json(status, json!({"error": error, "status": "failure"}))
}

pub(crate) fn unauthenticated() -> Answer {
    let detail = "Required to provide Auth information";
    failure(StatusCode::UNAUTHORIZED, "User Not Authenticated", detail)
        .with(header::WWW_AUTHENTICATE, "BASIC realm=\"Service-now\"")
        .with(header::CONNECTION, "close")
        .with(HeaderName::from_static("x-is-logged-in"), "false")
}

pub(crate) fn no_record() -> Answer {
    let detail = "Record doesn't exist or ACL restricts the record retrieval";
    failure(StatusCode::NOT_FOUND, "No Record found", detail)
}

/// What version 1 answers to a list without a match.
pub(crate) fn no_match() -> Answer {
    let detail = "Records matching query not found. Check query parameter or offset parameter";
    failure(StatusCode::NOT_FOUND, "No Record found", detail)
}

pub(crate) fn invalid_table(name: &str) -> Answer {
    failure(StatusCode::BAD_REQUEST, &format!("Invalid table {name}"), Value::Null)
}

pub(crate) fn no_resource(path: &str) -> Answer {
    let message = "Requested URI does not represent any resource";
    failure(StatusCode::BAD_REQUEST, message, path)
}

pub(crate) fn method_not_supported(method: &str) -> Answer {
    let detail = format!("{method} method not supported for API");
    failure(StatusCode::METHOD_NOT_ALLOWED, "Method not Supported", detail)
}

pub(crate) fn too_large(bytes: u64) -> Answer {
    let detail = format!(
        "Rejected large REST payload with content-length = {bytes} bytes. Max allowed: {MAX_BODY_BYTES} bytes."
    );
    failure(StatusCode::BAD_REQUEST, "Exception while reading request", detail)
}

pub(crate) fn unreadable_body() -> Answer {
    let detail = "The payload is not valid JSON.";
    failure(StatusCode::BAD_REQUEST, "Exception while reading request", detail)
}

pub(crate) fn unsupported_media_type(content_type: &str) -> Answer {
    let detail = format!("Content-Type '{content_type}' is not supported: use application/json");
    failure(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Unsupported Media Type", detail)
}

pub(crate) fn not_acceptable(accept: &str) -> Answer {
    let detail = format!("Accept '{accept}' is not supported: use application/json");
    failure(StatusCode::NOT_ACCEPTABLE, "Not Acceptable", detail)
}

/// `verb` is `Insert`, `Update` or `Delete`.
pub(crate) fn acl(verb: &str) -> Answer {
    let detail = format!("ACL Exception {verb} Failed due to security constraints");
    failure(StatusCode::FORBIDDEN, "Operation Failed", detail)
}

pub(crate) fn data_policy(labels: &[String]) -> Answer {
    let detail =
        format!("Data Policy Exception: The following fields are mandatory: {}", labels.join(", "));
    failure(StatusCode::FORBIDDEN, "Operation Failed", detail)
}

pub(crate) fn duplicate(status: StatusCode, sys_id: &str) -> Answer {
    let detail = format!(
        "Unique Key violation detected by database ((conn=1742) Duplicate entry '{sys_id}' for key 'PRIMARY')"
    );
    failure(status, "Operation Failed", detail)
}

pub(crate) fn negative_offset() -> Answer {
    failure(StatusCode::BAD_REQUEST, "Invalid offset", "sysparm_offset must not be negative")
}

/// The platform's own failure.
pub(crate) fn internal() -> Answer {
    let detail = "java.lang.NullPointerException. Check logs for error trace or enable \
                  glide.rest.debug property to verify REST request processing";
    failure(StatusCode::INTERNAL_SERVER_ERROR, "java.lang.NullPointerException", detail)
}

/// A page for people, where no API is.
pub(crate) fn no_page() -> Answer {
    let page = "<html><head><title>Page Not Found</title></head><body><h1>Page not found</h1>\
                <p>The page you are looking for could not be found.</p></body></html>";
    Answer::html(StatusCode::NOT_FOUND, page)
}
