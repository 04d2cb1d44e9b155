//! One request on the wire and its answer, read to the end.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::CONTENT_LENGTH;
use reqwest::Request;
use tokio::time::timeout;

use super::{failure, headers, pool::Pool};
use crate::servicenow::{NoAnswer, NoAnswerCause, Reply, Response};

/// The most that is set aside on the word of a `Content-Length`.
const MAX_RESERVED: usize = 64 * 1024;

/// What an exchange may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// From the start to the end of the answer.
    pub(super) total: Duration,
    /// Between two pieces of the answer's body.
    pub(super) silence: Duration,
    /// The answer's body.
    pub(super) bytes: usize,
}

/// Sends the request once and reads the answer.
pub(super) async fn exchange(pool: &Pool, request: Request, limits: Limits) -> Reply {
    let answer = pool.company().calling(send_and_read(pool, request, limits));
    match timeout(limits.total, answer).await {
        Ok(reply) => reply,
        Err(_) => Err(failure::timed_out(&format!(
            "no complete answer from {} within {:?}",
            pool.address(),
            limits.total
        ))),
    }
}

async fn send_and_read(pool: &Pool, request: Request, limits: Limits) -> Reply {
    let answer = pool.client().execute(request).await;
    let mut answer = answer.map_err(|error| failure::of(&error, pool.address()))?;
    let status = answer.status().as_u16();
    let announced = announced_bytes(&answer);
    if announced.is_some_and(|bytes| bytes > limits.bytes as u64) {
        return Err(too_large(status, limits.bytes));
    }
    let headers = headers::received(answer.headers());
    let body = read(pool, &mut answer, announced, limits).await?;
    Ok(Response { status, headers, body })
}

/// The size that the answer's head tells; a compressed one tells nothing of use.
fn announced_bytes(answer: &reqwest::Response) -> Option<u64> {
    answer.headers().get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

async fn read(
    pool: &Pool,
    answer: &mut reqwest::Response,
    announced: Option<u64>,
    limits: Limits,
) -> Result<Bytes, NoAnswer> {
    let status = answer.status().as_u16();
    // Most answers are one piece, which needs no copy.
    let Some(first) = next(pool, answer, limits).await? else { return Ok(Bytes::new()) };
    if first.len() > limits.bytes {
        return Err(too_large(status, limits.bytes));
    }
    let Some(second) = next(pool, answer, limits).await? else { return Ok(first) };
    let reserved = announced.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or_default();
    let mut body = BytesMut::with_capacity(reserved.min(MAX_RESERVED));
    body.extend_from_slice(&first);
    let mut piece = Some(second);
    while let Some(bytes) = piece {
        if body.len() + bytes.len() > limits.bytes {
            return Err(too_large(status, limits.bytes));
        }
        body.extend_from_slice(&bytes);
        piece = next(pool, answer, limits).await?;
    }
    Ok(body.freeze())
}

async fn next(
    pool: &Pool,
    answer: &mut reqwest::Response,
    limits: Limits,
) -> Result<Option<Bytes>, NoAnswer> {
    match timeout(limits.silence, answer.chunk()).await {
        Ok(piece) => piece.map_err(|error| failure::of(&error, pool.address())),
        Err(_) => Err(failure::timed_out(&format!(
            "{} fell silent for {:?} in the middle of an answer with status {}",
            pool.address(),
            limits.silence,
            answer.status().as_u16()
        ))),
    }
}

fn too_large(status: u16, cap: usize) -> NoAnswer {
    NoAnswer {
        cause: NoAnswerCause::TooLarge,
        may_have_acted: true,
        message: format!(
            "the answer (status {status}) is larger than {cap} bytes: ask for fewer fields or \
             fewer records"
        ),
    }
}
