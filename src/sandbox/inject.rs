//! From faults to what really happens: a plan per call, then its execution.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{HeaderName, HeaderValue, Response, StatusCode, header},
};
use futures_util::stream;
use serde_json::{Value, json};

use super::{
    CutPoint, Fault, Shared,
    answer::{Answer, Content},
    call::{Call, Twist},
    connection::Wire,
    failure, router,
};

/// How much of an answer's head goes out before a cut within it.
const HEAD_BYTES: u64 = 40;

/// What is to happen to one call.
#[derive(Debug)]
pub(crate) struct Plan {
    before: Duration,
    commits: bool,
    twist: Twist,
    after: Duration,
    answer: Substitute,
    ending: Ending,
}

/// What is answered.
#[derive(Debug)]
enum Substitute {
    Genuine,
    Other(Box<Answer>),
    /// The genuine answer with an `error` beside its result.
    WithError,
}

/// How the answer goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Whole,
    Cut,
    MidHeaders,
    Truncated,
    Drip(Duration),
    Flood(u64),
}

impl Plan {
    /// Adds the faults up.
    pub(crate) fn of(shared: &Shared, faults: Vec<Fault>) -> Self {
        let mut plan = Self {
            before: Duration::ZERO,
            commits: true,
            twist: Twist::default(),
            after: Duration::ZERO,
            answer: Substitute::Genuine,
            ending: Ending::Whole,
        };
        for fault in faults {
            plan.add(shared, fault);
        }
        plan
    }

    fn add(&mut self, shared: &Shared, fault: Fault) {
        match fault {
            Fault::Status { code, headers, body, after_commit } => {
                self.commits &= after_commit;
                self.answer = Substitute::Other(Box::new(scripted(code, headers, body)));
            }
            Fault::Accepted => self.refuse(Answer::empty(StatusCode::ACCEPTED)),
            Fault::Hibernating => self.refuse(hibernating()),
            Fault::RateLimited { retry_after } => self.refuse(rate_limited(shared, retry_after)),
            Fault::QueueFull => self.refuse(queue_full()),
            Fault::ForbiddenAfterInsert => {
                self.answer = Substitute::Other(Box::new(failure::acl("Insert")));
            }
            Fault::ErrorInSuccess => self.answer = Substitute::WithError,
            Fault::Delay { before_ms, after_ms } => {
                self.before += Duration::from_millis(before_ms);
                self.after += Duration::from_millis(after_ms);
            }
            Fault::IdNotHonoured => self.twist.ignores_id = true,
            Fault::QueryIgnored => self.twist.ignores_query = true,
            Fault::Cut(CutPoint::BeforeCommit) => {
                self.commits = false;
                self.ending = Ending::Cut;
            }
            Fault::Cut(CutPoint::AfterCommit) => self.ending = Ending::Cut,
            Fault::Cut(CutPoint::MidHeaders) => self.ending = Ending::MidHeaders,
            Fault::TruncatedBody => self.ending = Ending::Truncated,
            Fault::Drip { interval_ms } => {
                self.ending = Ending::Drip(Duration::from_millis(interval_ms));
            }
            Fault::Flood { bytes } => self.ending = Ending::Flood(bytes),
        }
    }

    fn refuse(&mut self, answer: Answer) {
        self.commits = false;
        self.answer = Substitute::Other(Box::new(answer));
    }

    /// Carries the call out, or not, and makes the response.
    pub(crate) async fn execute(
        self,
        shared: Arc<Shared>,
        mut call: Call,
        wire: Wire,
    ) -> Response<Body> {
        let opens_session = router::opens_session(&call);
        call.twist = self.twist;
        wait(&shared, self.before).await;
        let genuine = self.commits.then(|| router::process(&shared, &call));
        wait(&shared, self.after).await;
        let answer = match self.answer {
            Substitute::Other(answer) => *answer,
            Substitute::Genuine => genuine.unwrap_or_else(failure::internal),
            Substitute::WithError => with_error(genuine.unwrap_or_else(failure::internal)),
        };
        self.ending.send(answer, opens_session, &wire)
    }
}

impl Ending {
    fn send(self, answer: Answer, opens_session: bool, wire: &Wire) -> Response<Body> {
        let bytes = answer.bytes();
        match self {
            Self::Whole => answer.into_response(opens_session),
            Self::Cut => {
                wire.close_after(0);
                answer.into_response(opens_session)
            }
            Self::MidHeaders => {
                wire.close_after(HEAD_BYTES);
                answer.into_response(opens_session)
            }
            Self::Truncated => {
                let mut response = answer.head(opens_session);
                response
                    .headers_mut()
                    .insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len() + 100));
                *response.body_mut() = unfinished(bytes.slice(..bytes.len() / 2));
                response
            }
            Self::Drip(interval) => {
                let mut response = answer.head(opens_session);
                *response.body_mut() = dripping(bytes, interval);
                response
            }
            Self::Flood(more) => {
                let mut response = answer.head(opens_session);
                *response.body_mut() = flooding(bytes, more);
                response
            }
        }
    }
}

/// The wait ends early when the sandbox stops.
async fn wait(shared: &Shared, time: Duration) {
    if !time.is_zero() {
        tokio::select! {
            () = tokio::time::sleep(time) => {}
            () = shared.stopping.cancelled() => {}
        }
    }
}

fn scripted(code: u16, headers: Vec<(String, String)>, body: Value) -> Answer {
    let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = match body {
        Value::Null => Answer::empty(status),
        Value::String(page) => Answer::html(status, page),
        json => Answer::json(status, json),
    };
    for (name, value) in headers {
        if let Ok(name) = HeaderName::from_bytes(name.as_bytes()) {
            answer = answer.with(name, value);
        }
    }
    answer
}

fn hibernating() -> Answer {
    let page = "<html><head><title>Instance Hibernating page</title></head><body>\
                <h1>Your instance is hibernating</h1>\
                <a href=\"https://developer.servicenow.com/dev.do#!/home?wu=true\">Wake it up</a>\
                </body></html>";
    Answer::html(StatusCode::OK, page)
}

fn rate_limited(shared: &Shared, retry_after: u64) -> Answer {
    let now = u64::try_from(shared.config.clock.now().as_second()).unwrap_or(0);
    let detail = "Rate limit of 100 requests per hour for Table API exceeded";
    failure::failure(StatusCode::TOO_MANY_REQUESTS, "Rate limit exceeded", detail)
        .with(header::RETRY_AFTER, retry_after.to_string())
        .with(HeaderName::from_static("x-ratelimit-limit"), "100")
        .with(HeaderName::from_static("x-ratelimit-reset"), (now + retry_after).to_string())
        .with(HeaderName::from_static("x-ratelimit-rule"), "9f9e5de2c3b0220044b9f9b6a0ddae0f")
}

fn queue_full() -> Answer {
    let detail = "Transaction was not queued: the semaphore queue is full";
    failure::failure(StatusCode::TOO_MANY_REQUESTS, "Too many requests", detail)
}

fn with_error(mut genuine: Answer) -> Answer {
    let message = "Transaction cancelled: maximum execution time exceeded";
    let detail = format!(
        "{message}. Check logs for error trace or enable glide.rest.debug property to verify \
         REST request processing"
    );
    if let Content::Json(Value::Object(body)) = &mut genuine.content {
        body.insert("error".to_owned(), json!({"detail": detail, "message": message}));
        body.insert("status".to_owned(), "failure".into());
    }
    genuine.status = StatusCode::OK;
    genuine
}

/// A body that ends before its announced length, its bytes out before the connection dies.
fn unfinished(bytes: Bytes) -> Body {
    Body::from_stream(stream::unfold(Some(bytes), |part| async move {
        if part.is_none() {
            // One more turn of the connection, so that it flushes what it has.
            tokio::task::yield_now().await;
        }
        part.map(|bytes| (Ok::<_, Infallible>(bytes), None))
    }))
}

fn dripping(bytes: Bytes, interval: Duration) -> Body {
    Body::from_stream(stream::unfold(bytes, move |mut rest| async move {
        if rest.is_empty() {
            return None;
        }
        tokio::time::sleep(interval).await;
        let byte = rest.split_to(1);
        Some((Ok::<_, Infallible>(byte), rest))
    }))
}

fn flooding(bytes: Bytes, more: u64) -> Body {
    const PIECE: &[u8] = &[b' '; 64 * 1024];
    Body::from_stream(stream::unfold((Some(bytes), more), |(first, left)| async move {
        if let Some(bytes) = first {
            return Some((Ok::<_, Infallible>(bytes), (None, left)));
        }
        let size = usize::try_from(left).unwrap_or(usize::MAX).min(PIECE.len());
        let piece = Bytes::from_static(PIECE).slice(..size);
        (size > 0).then(|| (Ok(piece), (None, left - size as u64)))
    }))
}
