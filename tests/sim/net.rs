//! The simulated network's sockets, as the engine, the sandbox and the gRPC client want them.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::{Stream, stream};
use http::Uri;
use hyper_util::rt::TokioIo;
use tower_service::Service;
use turmoil::net::{TcpListener, TcpStream};

/// The engine's host.
pub(crate) const ENGINE: &str = "engine";
/// ServiceNow's host.
pub(crate) const SERVICENOW: &str = "servicenow";
/// The port of either.
pub(crate) const PORT: u16 = 80;

/// A listener at the host's port.
pub(crate) async fn listen() -> io::Result<TcpListener> {
    TcpListener::bind(("0.0.0.0", PORT)).await
}

/// The sockets of a listener.
pub(crate) fn sockets(
    listener: TcpListener,
) -> impl Stream<Item = io::Result<TcpStream>> + Send + 'static {
    stream::unfold(listener, async |listener| {
        Some((listener.accept().await.map(|(socket, _)| socket), listener))
    })
}

/// A listener for the sandbox's server.
pub(crate) struct Door(pub(crate) TcpListener);

impl axum::serve::Listener for Door {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            if let Ok(accepted) = self.0.accept().await {
                return accepted;
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// Connects the gRPC client to the engine.
#[derive(Clone, Debug)]
pub(crate) struct ToEngine;

impl Service<Uri> for ToEngine {
    type Response = TokioIo<TcpStream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<TokioIo<TcpStream>>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        Box::pin(async { Ok(TokioIo::new(TcpStream::connect((ENGINE, PORT)).await?)) })
    }
}
