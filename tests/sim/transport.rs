//! The way to ServiceNow: what the client puts on the wire, over a simulated connection, and
//! the client's own time-outs.

use std::{sync::Arc, time::Duration};

use axum::body::{Body, to_bytes};
use http::header::{CONTENT_LENGTH, HOST, HeaderValue};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use servicenow_worker::{
    crash_point,
    ports::Transport,
    servicenow::{
        Endpoint, NoAnswer, NoAnswerCause, Reply, Request, Response,
        http::{Config, wire},
    },
};
use tokio::{
    task::AbortHandle,
    time::{sleep, timeout},
};
use turmoil::net::TcpStream;

use crate::{
    net::{PORT, SERVICENOW},
    world::World,
};

/// Points of a call that lie below the worker.
pub(crate) const POINTS: [&str; 3] = ["connected", "request_in_flight", "answer_head_read"];

/// A client without a pool: each call has its own connection.
pub(crate) struct SimTransport {
    world: Arc<World>,
    limits: Config,
}

/// Ends a connection's task with the call.
struct Closed(AbortHandle);

impl Drop for Closed {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl SimTransport {
    pub(crate) fn new(world: &Arc<World>) -> Self {
        Self { world: Arc::clone(world), limits: Config::default() }
    }

    async fn exchange(&self, endpoint: &Endpoint, request: &Request) -> Reply {
        let mut message = wire::request(endpoint, request)?.map(Body::from);
        message.headers_mut().insert(HOST, HeaderValue::from_static(SERVICENOW));
        let target = message.uri().path_and_query().cloned();
        *message.uri_mut() = target.ok_or_else(|| broken("no path"))?.into();
        let connecting = TcpStream::connect((SERVICENOW, PORT));
        let socket = match timeout(self.limits.connect_timeout, connecting).await {
            Ok(Ok(socket)) => socket,
            Ok(Err(error)) => return Err(unreachable(&error.to_string())),
            Err(_) => return Err(unreachable("no connection in time")),
        };
        crash_point::pass("connected").await;
        let handshake = http1::handshake(TokioIo::new(socket)).await;
        let (mut sender, connection) =
            handshake.map_err(|error| unreachable(&error.to_string()))?;
        let _closed = Closed(tokio::spawn(connection).abort_handle());
        let pause = self.world.flight();
        let answer = midway("request_in_flight", pause, sender.send_request(message)).await;
        self.read(answer.map_err(|error| broken(&error.to_string()))?).await
    }

    async fn read(&self, answer: http::Response<hyper::body::Incoming>) -> Reply {
        let (head, body) = answer.into_parts();
        crash_point::pass("answer_head_read").await;
        let announced = head.headers.get(CONTENT_LENGTH).is_some();
        let body = to_bytes(Body::new(body), self.limits.max_response_bytes);
        match timeout(self.limits.read_timeout, body).await {
            Ok(Ok(body)) => Ok(Response {
                status: head.status.as_u16(),
                headers: wire::headers(&head.headers),
                body,
            }),
            Ok(Err(error)) => Err(broken(&format!("{error} (announced: {announced})"))),
            Err(_) => Err(timed_out("it fell silent in the middle of an answer")),
        }
    }
}

impl Transport for SimTransport {
    async fn send(&self, endpoint: &Arc<Endpoint>, request: Request) -> Reply {
        let call = self.world.call_begins(&request);
        let exchange = self.exchange(endpoint, &request);
        let reply = match timeout(self.limits.call_timeout, exchange).await {
            Ok(reply) => reply,
            Err(_) => Err(timed_out("no complete answer")),
        };
        call.ends(&reply);
        reply
    }
}

/// Passes a point while the call is on its way, unless it has ended before.
pub(crate) async fn midway<F: Future>(point: &'static str, pause: Duration, call: F) -> F::Output {
    let mut call = std::pin::pin!(call);
    tokio::select! {
        biased;
        output = &mut call => return output,
        () = sleep(pause) => {}
    }
    crash_point::pass(point).await;
    call.await
}

fn unreachable(message: &str) -> NoAnswer {
    no_answer(NoAnswerCause::Unreachable, false, message)
}

fn broken(message: &str) -> NoAnswer {
    no_answer(NoAnswerCause::Broken, true, message)
}

fn timed_out(message: &str) -> NoAnswer {
    no_answer(NoAnswerCause::Timeout, true, message)
}

fn no_answer(cause: NoAnswerCause, may_have_acted: bool, message: &str) -> NoAnswer {
    NoAnswer { cause, may_have_acted, message: message.to_owned() }
}
