//! The way of a request: path, size, who, how often, body, room, then the operation.
//!
//! The order is the policy. Nobody who is not known makes us read more than a small body,
//! and nobody who may not makes us ask the broker.

use std::{net::IpAddr, sync::Arc};

use axum::{
    body::{Body, Bytes},
    http::{Request, Response, StatusCode, header, request::Parts},
};
use tokio::{sync::SemaphorePermit, time::Instant};

use super::{
    answer::Answer,
    audit::Record,
    authentication::{ByHeaders, Caller},
    body, openapi,
    operation::{self, NoOperation, Operation},
    problem::Problem,
    rest, route,
    shared::{Call, Shared},
    token_endpoint,
};
use crate::{
    outcome::cut,
    ports::{ClusterRest, ProcessGateway},
};

/// What an operation came to.
enum Reply {
    Answer(Answer),
    /// The token endpoint speaks its own dialect.
    Token(Response<Body>),
}

/// Answers a request.
pub(crate) async fn handle<G: ProcessGateway, R: ClusterRest>(
    shared: Arc<Shared<G, R>>,
    request: Request<Body>,
    peer: IpAddr,
) -> Response<Body> {
    let started = Instant::now();
    let (head, body) = request.into_parts();
    let mut record = Record::new(caller_address(&shared, &head, peer));
    let outcome = serve(&shared, &head, body, &mut record).await;
    let (response, refusal) = match outcome {
        Ok(Reply::Answer(answer)) => (answer.into_response(), None),
        Ok(Reply::Token(response)) => (response, None),
        Err(problem) => (problem.clone().into_response(head.uri.path()), Some(problem)),
    };
    let took = started.elapsed();
    shared.metrics.inbound_call(record.operation_name(), response.status().as_u16(), took);
    record.write(response.status(), refusal.as_ref(), took);
    response
}

/// Who called: behind a proxy what its own, last entry says.
fn caller_address<G, R>(shared: &Shared<G, R>, head: &Parts, peer: IpAddr) -> IpAddr {
    if !shared.config.behind_proxy {
        return peer;
    }
    let forwarded = head.headers.get_all("x-forwarded-for").iter().next_back();
    let last =
        forwarded.and_then(|value| value.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
    last.unwrap_or(peer)
}

async fn serve<G: ProcessGateway, R: ClusterRest>(
    shared: &Shared<G, R>,
    head: &Parts,
    body: Body,
    record: &mut Record,
) -> Result<Reply, Problem> {
    let (operation, part) = find(shared, head)?;
    record.operation = Some(operation);
    body::check_headers(operation, &head.headers, &shared.config.limits)?;
    if operation.is_public() {
        return public(shared, operation, head, body, record).await;
    }
    let (caller, body) = authenticate(shared, head, body).await?;
    record.credential = Some(Arc::clone(&caller.name));
    let call = Call {
        part,
        query: head.uri.query().unwrap_or_default(),
        caller,
        headers: &head.headers,
        body,
        now: shared.clock.now(),
    };
    let _room = room(shared)?;
    run(shared, operation, &call, record).await.map(Reply::Answer)
}

/// Room for one request in work. Taken once its body is there: slow senders hold none.
fn room<G, R>(shared: &Shared<G, R>) -> Result<SemaphorePermit<'_>, Problem> {
    shared.room.try_acquire().map_err(|_| Problem::busy("too many requests are in work"))
}

fn find<'h, G, R>(shared: &Shared<G, R>, head: &'h Parts) -> Result<(Operation, &'h str), Problem> {
    let path = head.uri.path();
    operation::find(&head.method, path, &shared.config.path_prefix).map_err(|none| match none {
        NoOperation::Path => Problem::new(
            StatusCode::NOT_FOUND,
            "Not Found",
            format!("there is no {}", cut(path, 120)),
        ),
        NoOperation::Spelling => Problem::unreadable(
            "the path has characters that no path here needs: write it without percent-encoding",
        ),
        NoOperation::Method(method) => {
            let detail = format!("{} takes {method} only", cut(path, 120));
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed", detail)
                .header(header::ALLOW, method.as_str())
        }
    })
}

/// Who calls, and the body; it is read only for somebody who is known, or to know them.
async fn authenticate<G, R>(
    shared: &Shared<G, R>,
    head: &Parts,
    body: Body,
) -> Result<(Caller, Bytes), Problem> {
    let (authenticator, limits) = (&shared.authenticator, &shared.config.limits);
    let refusal = |denied| authenticator.refusal(&denied);
    match authenticator.by_headers(&head.headers).await.map_err(refusal)? {
        ByHeaders::Known(caller) => {
            take_turn(&caller)?;
            Ok((caller, body::read(body, limits).await?))
        }
        ByHeaders::NeedsBody => {
            let body = body::read(body, limits).await?;
            let caller = authenticator.by_body(&head.headers, &body).map_err(refusal)?;
            take_turn(&caller)?;
            Ok((caller, body))
        }
    }
}

fn take_turn(caller: &Caller) -> Result<(), Problem> {
    caller.allowance.take().map_err(|wait| {
        let detail = "this credential has made its requests for this second";
        Problem::new(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests", detail).retry_after(wait)
    })
}

async fn public<G: ProcessGateway, R: ClusterRest>(
    shared: &Shared<G, R>,
    operation: Operation,
    head: &Parts,
    body: Body,
    record: &mut Record,
) -> Result<Reply, Problem> {
    match operation {
        Operation::Token => {
            shared.token_allowance.take().map_err(|wait| {
                let detail = "too many tokens are asked for";
                Problem::new(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests", detail)
                    .retry_after(wait)
            })?;
            let body = body::read(body, &shared.config.limits).await?;
            let _room = room(shared)?;
            Ok(Reply::Token(token_endpoint::answer(shared, &head.headers, &body, record)))
        }
        Operation::License => Ok(Reply::Answer(rest::status::license())),
        Operation::OpenApi => Ok(Reply::Answer(openapi::document(&shared.config.path_prefix))),
        _ => rest::status::status(shared).map(Reply::Answer),
    }
}

async fn run<G: ProcessGateway, R: ClusterRest>(
    shared: &Shared<G, R>,
    operation: Operation,
    call: &Call<'_>,
    record: &mut Record,
) -> Result<Answer, Problem> {
    match operation {
        Operation::CreateInstance => rest::start::start(shared, call, record).await,
        Operation::CancelInstance => rest::cancel::cancel(shared, call, record).await,
        Operation::PublishMessage => rest::publish::publish(shared, call, record).await,
        Operation::CorrelateMessage => rest::correlate::correlate(shared, call, record).await,
        Operation::BroadcastSignal => rest::broadcast::broadcast(shared, call, record).await,
        Operation::Topology => rest::status::topology(shared, call).await,
        Operation::Route => route::run(shared, call, record).await,
        Operation::License => Ok(rest::status::license()),
        Operation::OpenApi => Ok(openapi::document(&shared.config.path_prefix)),
        Operation::Status | Operation::Token => rest::status::status(shared),
    }
}
