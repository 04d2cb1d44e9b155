//! Connections: at most so many, each with a limit on how long it may take to ask.

use std::{convert::Infallible, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{Request, Response},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{handle::handle, problem::Problem, shared::Shared};
use crate::ports::{ClusterRest, ProcessGateway};

/// Longest TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Most bytes of a request's head.
const MAX_HEAD: usize = 32 * 1024;
/// Most headers of a request.
const MAX_HEADERS: usize = 64;
/// Pause when no connection can be accepted, for want of file descriptors for instance.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long requests in work may go on after the order to stop.
const DRAIN: Duration = Duration::from_secs(30);

/// What a connection that is one too many is told.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n\
                      Connection: close\r\n\r\n";

/// Serves until told to stop, then lets requests in work end.
pub(crate) async fn serve<G: ProcessGateway, R: ClusterRest>(
    shared: Arc<Shared<G, R>>,
    listener: TcpListener,
    tls: Option<Arc<rustls::ServerConfig>>,
    stop: CancellationToken,
) {
    let room = Arc::new(Semaphore::new(shared.config.limits.connections));
    let tls = tls.map(TlsAcceptor::from);
    let connections = TaskTracker::new();
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "no inbound connection can be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let Ok(permit) = Arc::clone(&room).try_acquire_owned() else {
            connections.spawn(turn_away(stream, tls.is_some()));
            continue;
        };
        let connection = Connection { shared: Arc::clone(&shared), peer, stop: stop.clone() };
        connections.spawn(connection.open(stream, tls.clone(), permit));
    }
    connections.close();
    if tokio::time::timeout(DRAIN, connections.wait()).await.is_err() {
        tracing::warn!("inbound requests were cut off at the end of their grace");
    }
}

/// Says no, and reads on for a moment: a connection that is closed with something unread
/// in it takes the answer with it.
async fn turn_away(mut stream: TcpStream, is_tls: bool) {
    if is_tls {
        return;
    }
    let saying = async {
        stream.write_all(FULL).await?;
        stream.shutdown().await?;
        let mut unread = [0; 1024];
        while stream.read(&mut unread).await? > 0 {}
        std::io::Result::Ok(())
    };
    let _gone = tokio::time::timeout(ACCEPT_PAUSE, saying).await;
}

struct Connection<G, R> {
    shared: Arc<Shared<G, R>>,
    peer: SocketAddr,
    stop: CancellationToken,
}

impl<G: ProcessGateway, R: ClusterRest> Connection<G, R> {
    async fn open(self, stream: TcpStream, tls: Option<TlsAcceptor>, permit: OwnedSemaphorePermit) {
        let _room = permit;
        // Answers are small; none should wait for another to fill a packet.
        let _best_effort = stream.set_nodelay(true);
        let Some(tls) = tls else { return self.serve(stream).await };
        match tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await {
            Ok(Ok(stream)) => self.serve(stream).await,
            Ok(Err(error)) => tracing::debug!(peer = %self.peer, %error, "handshake failed"),
            Err(_) => tracing::debug!(peer = %self.peer, "handshake timed out"),
        }
    }

    async fn serve(self, stream: impl AsyncRead + AsyncWrite + Unpin + Send) {
        let peer = self.peer.ip();
        let service = service_fn(|request: Request<Incoming>| {
            let shared = Arc::clone(&self.shared);
            async move { Ok::<_, Infallible>(answer(shared, request, peer).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.shared.config.limits.header_timeout)
            .max_buf_size(MAX_HEAD)
            .max_headers(MAX_HEADERS)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = self.stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%peer, %error, "inbound connection ended");
        }
    }
}

/// Answers in a task of its own: a command that was sent is seen to its end, with its line
/// in the log, although the caller has gone.
async fn answer<G: ProcessGateway, R: ClusterRest>(
    shared: Arc<Shared<G, R>>,
    request: Request<Incoming>,
    peer: std::net::IpAddr,
) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let handling = tokio::spawn(handle(shared, request.map(Body::new), peer));
    handling.await.unwrap_or_else(|error| {
        tracing::error!(%error, "an inbound request was not handled to its end");
        let status = axum::http::StatusCode::INTERNAL_SERVER_ERROR;
        let problem = Problem::new(status, "INTERNAL", "this is a fault of the endpoint");
        problem.into_response(&path)
    })
}
