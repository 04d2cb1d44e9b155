//! Answers and what they mean, as a table.
#![expect(clippy::unnecessary_wraps, reason = "a reply is a result, and so is one made up")]

use std::time::Duration;

use serde_json::json;

use super::{Asked, Failure, read};
use crate::servicenow::{Method, NoAnswer, NoAnswerCause, Reason, Reply, Response};

const JSON: &str = "application/json;charset=UTF-8";

fn reply(status: u16, headers: &[(&str, &str)], body: &str) -> Reply {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Ok(Response {
        status,
        headers: headers.iter().map(own).collect(),
        body: body.to_owned().into(),
    })
}

fn failure(method: Method, reply: Reply) -> Failure {
    let asked = Asked { method, accepted_is_done: false };
    *read(asked, reply, "2026-06-01T12:00:00Z".parse().unwrap()).unwrap_err()
}

fn post(status: u16, headers: &[(&str, &str)], body: &str) -> Failure {
    failure(Method::Post, reply(status, headers, body))
}

fn envelope(message: &str, detail: &str) -> String {
    json!({"error": {"message": message, "detail": detail}, "status": "failure"}).to_string()
}

#[test]
fn refusals_get_their_reason_from_status_and_words() {
    let acl = "ACL Exception Update Failed due to security constraints";
    let rule = "Operation against file 'incident' was aborted by Business Rule 'No close^1'";
    let policy = "Data Policy Exception: The following fields are mandatory: Close notes";
    let no_uri = "Requested URI does not represent any resource";
    for (status, message, detail, reason) in [
        (400, "Invalid table x_nope", "", Reason::TableNotFound),
        (400, no_uri, "/api/x/y", Reason::TableNotFound),
        (404, no_uri, "/api/x/y", Reason::TableNotFound),
        (
            400,
            "Exception while reading request",
            "Rejected large REST payload",
            Reason::InvalidInput,
        ),
        (
            401,
            "User Not Authenticated",
            "Required to provide Auth information",
            Reason::Unauthenticated,
        ),
        (403, "Operation Failed", acl, Reason::Forbidden),
        (403, "Operation Failed", policy, Reason::DataPolicy),
        (403, "Operation Failed", rule, Reason::BusinessRule),
        (403, "Operation Failed", "Unique Key violation detected by database", Reason::Conflict),
        (403, "User Not Authorized", "Failed API level ACL Validation", Reason::Forbidden),
        (403, "Insufficient rights to query records", "", Reason::Forbidden),
        (403, "Something new", "", Reason::Forbidden),
        (404, "No Record found", "Record doesn't exist or ACL restricts", Reason::RecordNotFound),
        (405, "Method not Supported", "", Reason::UnexpectedResponse),
        (408, "", "", Reason::Timeout),
        (409, "", "", Reason::Conflict),
        (413, "", "", Reason::InvalidInput),
        (429, "Rate limit exceeded", "", Reason::Busy),
        (500, "java.lang.NullPointerException", "", Reason::Busy),
        (500, "Transaction cancelled: maximum execution time exceeded", "", Reason::Timeout),
        (502, "", "", Reason::Busy),
        (503, "", "", Reason::Busy),
        (504, "", "", Reason::Timeout),
        (418, "", "", Reason::UnexpectedResponse),
    ] {
        let failure = post(status, &[("Content-Type", JSON)], &envelope(message, detail));
        assert_eq!(failure.error.reason, reason, "{status} {message}");
        assert_eq!(failure.error.status, Some(status));
        assert!(failure.error.message.contains(detail), "{}", failure.error.message);
    }
}

#[test]
fn what_runs_before_a_refusal_decides_whether_something_may_have_happened() {
    let may_have_acted = |status| post(status, &[("Content-Type", JSON)], "{}").may_have_acted;
    for status in [400, 401, 404, 405, 406, 413, 415, 429] {
        assert!(!may_have_acted(status), "{status}");
    }
    for status in [202, 403, 408, 409, 500, 502, 503, 504] {
        assert!(may_have_acted(status), "{status}");
        let read = failure(Method::Get, reply(status, &[("Content-Type", JSON)], "{}"));
        assert!(!read.may_have_acted, "a GET leaves nothing behind: {status}");
    }
}

#[test]
fn the_two_kinds_of_429_wait_differently() {
    for (headers, reason, wait) in [
        (vec![], Reason::Busy, None),
        (vec![("Retry-After", "7")], Reason::Busy, Some(7)),
        (vec![("X-RateLimit-Rule", "r"), ("Retry-After", "90")], Reason::RateLimited, Some(90)),
        // 2026-06-01T12:10:00Z
        (vec![("X-RateLimit-Reset", "1780315800")], Reason::RateLimited, Some(600)),
        (vec![("X-RateLimit-Reset", "1")], Reason::RateLimited, None),
        (
            vec![("X-RateLimit-Limit", "9"), ("Retry-After", "99999")],
            Reason::RateLimited,
            Some(3600),
        ),
        (vec![("Retry-After", "Mon, 01 Jun 2026 12:00:30 GMT")], Reason::Busy, Some(30)),
        (vec![("Retry-After", "Mon, 01 Jun 2026 11:00:00 GMT")], Reason::Busy, None),
        (vec![("Retry-After", "soon")], Reason::Busy, None),
    ] {
        let failure = post(429, &headers, "{}");
        assert_eq!(failure.error.reason, reason, "{headers:?}");
        assert_eq!(failure.error.retry_after, wait.map(Duration::from_secs), "{headers:?}");
    }
}

#[test]
fn the_end_of_the_hour_counts_only_where_the_limit_is_used_up() {
    // A limited API tells its limit with every answer.
    let limit = [("X-RateLimit-Limit", "900"), ("X-RateLimit-Reset", "1780315800")];
    for status in [202, 403, 500, 503, 504] {
        assert_eq!(post(status, &limit, "{}").error.retry_after, None, "{status}");
    }
    let page = post(200, &limit, "<html>");
    assert_eq!(page.error.retry_after, None);
    let asked = post(503, &[limit[1], ("Retry-After", "20")], "{}");
    assert_eq!(asked.error.retry_after, Some(Duration::from_secs(20)));
}

#[test]
fn a_page_tells_that_nothing_was_done_only_when_it_stands_before_the_instance() {
    for (page, acted) in [
        ("<html><title>Instance Hibernating page</title>", false),
        ("<html><form><input name=user><input type=\"password\"></form>", false),
        ("<form><input name='SAMLRequest' value='x'></form>", false),
        ("<html>Session log in</html>", true),
        ("<result><sys_id>1</sys_id></result>", true),
    ] {
        let failure = post(200, &[("Content-Type", "text/html")], page);
        assert_eq!(failure.error.reason, Reason::Asleep, "{page}");
        assert_eq!(failure.may_have_acted, acted, "{page}");
    }
}

#[test]
fn a_success_must_prove_itself() {
    let html = "<html><h1>Your instance is hibernating</h1></html>";
    for (status, kind, body, reason, said) in [
        (202, JSON, "{\"result\":{}}", Reason::Busy, "202"),
        (200, "text/html", html, Reason::Asleep, "hibernating"),
        (200, "text/html", "<html>Log in</html>", Reason::Asleep, "web page"),
        (200, JSON, "  <!DOCTYPE html>", Reason::Asleep, "web page"),
        (200, JSON, "", Reason::UnexpectedResponse, "without a body"),
        (200, JSON, "{\"result\":[{\"a\":", Reason::UnexpectedResponse, "no JSON"),
        (
            200,
            JSON,
            r#"{"result":[{}],"error":{"message":"Transaction cancelled: maximum execution time exceeded"}}"#,
            Reason::Timeout,
            "Transaction cancelled",
        ),
        (200, JSON, r#"{"error":{"message":"odd"}}"#, Reason::UnexpectedResponse, "odd"),
        (200, JSON, r#"{"error":"odd"}"#, Reason::UnexpectedResponse, "odd"),
    ] {
        let failure = post(status, &[("Content-Type", kind)], body);
        assert_eq!(failure.error.reason, reason, "{body}");
        assert!(failure.error.message.contains(said), "{}", failure.error.message);
    }
}

#[test]
fn redirects_are_followed_by_nobody() {
    let elsewhere = post(302, &[("Location", "https://sso.example/login?token=1")], "");
    assert_eq!(elsewhere.error.reason, Reason::UnexpectedResponse);
    assert!(elsewhere.error.message.contains("points to https://sso.example/login:"));
    assert!(!elsewhere.error.message.contains("token"));
    let asleep = post(302, &[("Location", "https://developer.servicenow.com/dev.do")], "");
    assert_eq!(asleep.error.reason, Reason::Asleep);
    let down = post(503, &[("Content-Type", "text/html")], "<p>Instance Hibernating page</p>");
    assert_eq!(down.error.reason, Reason::Asleep);
}

#[test]
fn a_404_that_is_not_servicenows_says_nothing_of_a_record() {
    let proxy = post(404, &[("Content-Type", "text/html")], "<html>nginx</html>");
    assert_eq!(proxy.error.reason, Reason::UnexpectedResponse);
    assert!(proxy.error.message.contains("check the instance's address"));
}

#[test]
fn silence_has_a_reason_as_well() {
    for (cause, acted, method, reason) in [
        (NoAnswerCause::Unreachable, false, Method::Post, Reason::Unreachable),
        (NoAnswerCause::Timeout, true, Method::Post, Reason::Timeout),
        (NoAnswerCause::Broken, true, Method::Post, Reason::OutcomeUnknown),
        (NoAnswerCause::Broken, false, Method::Post, Reason::Unreachable),
        (NoAnswerCause::Broken, true, Method::Get, Reason::Unreachable),
        (NoAnswerCause::TooLarge, true, Method::Get, Reason::ResponseTooLarge),
        (NoAnswerCause::TokenRefused, false, Method::Get, Reason::Unauthenticated),
        (NoAnswerCause::TokenUnavailable, false, Method::Get, Reason::Unreachable),
        (NoAnswerCause::Invalid, false, Method::Get, Reason::InvalidInput),
    ] {
        let silence = NoAnswer { cause, may_have_acted: acted, message: "why".to_owned() };
        let failure = failure(method, Err(silence));
        assert_eq!(failure.error.reason, reason, "{cause:?}");
        assert_eq!(failure.may_have_acted, acted && method != Method::Get);
        assert_eq!(failure.error.status, None);
    }
}

#[test]
fn a_usable_answer_keeps_headers_but_no_cookies() {
    let headers = [("Content-Type", JSON), ("Set-Cookie", "JSESSIONID=x"), ("X-Total-Count", "1")];
    let asked = Asked { method: Method::Get, accepted_is_done: false };
    let now = jiff::Timestamp::UNIX_EPOCH;
    let mut answer = read(asked, reply(200, &headers, r#"{"result":[1]}"#), now).unwrap();
    assert_eq!(answer.headers_value(), json!({"Content-Type": JSON, "X-Total-Count": "1"}));
    assert_eq!(answer.header("x-total-count"), Some("1"));
    assert_eq!(answer.take_result(), json!([1]));
    let started = Asked { method: Method::Post, accepted_is_done: true };
    assert!(read(started, reply(202, &headers, "{}"), now).is_ok());
    assert!(read(started, reply(202, &headers, ""), now).is_err());
    assert!(read(asked, reply(204, &[], ""), now).is_ok());
}

#[test]
fn error_texts_and_bodies_are_capped() {
    let long = "x".repeat(100_000);
    let failure = post(500, &[("Content-Type", JSON), ("Set-Cookie", "s")], &envelope(&long, ""));
    assert!(failure.error.message.chars().count() < 600);
    let response = failure.error.response.unwrap();
    assert!(response.to_string().len() < 20_000);
    assert_eq!(response["headers"], json!({"Content-Type": JSON}));
}
