//! The gateway's socket: it listens, can go away and come back, and stops in good order.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::{Stream, StreamExt, stream};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;
use tonic::transport::{Identity, Server, ServerTlsConfig};

use super::{
    connection::{Connection, Observed},
    service::Calls,
    shared::Shared,
};
use crate::zeebe::proto::gateway_server::GatewayServer;

/// How long calls in progress may take after the order to stop.
const DRAIN: Duration = Duration::from_secs(5);

/// A socket with the service behind it.
pub(super) struct Listening {
    address: SocketAddr,
    tls: Option<Identity>,
    shared: Arc<Shared>,
    authorities: Arc<Mutex<Vec<String>>>,
    serving: Mutex<Option<Serving>>,
}

/// A server that runs.
struct Serving {
    /// Accepts no more and lets what runs come to its end.
    drain: CancellationToken,
    /// Cuts all connections.
    cut: CancellationToken,
    task: JoinHandle<()>,
}

impl Listening {
    /// Serves these sockets; `address` is where they come from.
    pub(super) fn start<S: Socket>(
        address: SocketAddr,
        tls: Option<Identity>,
        shared: Arc<Shared>,
        sockets: impl Stream<Item = io::Result<S>> + Send + 'static,
    ) -> io::Result<Self> {
        let (authorities, serving) = (Arc::default(), Mutex::default());
        let listening = Self { address, tls, shared, authorities, serving };
        listening.serve(sockets)?;
        Ok(listening)
    }

    /// A URL for callers on this machine; under TLS by the name that certificates have here.
    pub(super) fn url(&self) -> String {
        let port = self.address.port();
        match self.tls {
            Some(_) => format!("https://localhost:{port}"),
            None if self.address.ip().is_unspecified() => format!("http://localhost:{port}"),
            None => format!("http://{}", self.address),
        }
    }

    pub(super) fn authorities(&self) -> Vec<String> {
        self.authorities.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Stops listening and cuts every connection.
    pub(super) async fn go_away(&self) {
        if let Some(serving) = self.take() {
            serving.cut.cancel();
            serving.task.abort();
            let _ended = serving.task.await;
        }
    }

    /// Listens again, where it did.
    pub(super) async fn come_back(&self) -> io::Result<()> {
        self.serve(sockets(TcpListener::bind(self.address).await?))
    }

    /// Accepts no more calls, and waits a while for the end of those that run.
    pub(super) async fn stop(&self) {
        let Some(mut serving) = self.take() else { return };
        serving.drain.cancel();
        if tokio::time::timeout(DRAIN, &mut serving.task).await.is_err() {
            serving.cut.cancel();
            serving.task.abort();
        }
    }

    fn take(&self) -> Option<Serving> {
        self.serving.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn serve<S: Socket>(
        &self,
        sockets: impl Stream<Item = io::Result<S>> + Send + 'static,
    ) -> io::Result<()> {
        let mut server = Server::builder().max_concurrent_streams(10_000);
        if let Some(identity) = &self.tls {
            let tls = ServerTlsConfig::new().identity(identity.clone());
            server = server.tls_config(tls).map_err(io::Error::other)?;
        }
        let service = Observed {
            service: GatewayServer::new(Calls(Arc::clone(&self.shared))),
            authorities: Arc::clone(&self.authorities),
        };
        let (drain, cut) = (CancellationToken::new(), CancellationToken::new());
        let (all, shared) = (cut.clone(), Arc::clone(&self.shared));
        let connections = sockets.map(move |socket| {
            shared.counters.connections.add(usize::from(socket.is_ok()));
            socket.map(|socket| Connection::new(socket, &all))
        });
        let drained = drain.clone().cancelled_owned();
        let task = tokio::spawn(async move {
            let serving = server.serve_with_incoming_shutdown(service, connections, drained);
            if let Err(error) = serving.await {
                tracing::warn!(%error, "the dev engine's gateway has stopped");
            }
        });
        *self.serving.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(Serving { drain, cut, task });
        Ok(())
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        if let Some(serving) = self.take() {
            serving.cut.cancel();
            serving.task.abort();
        }
    }
}

/// What calls come by.
pub(in crate::devengine) trait Socket:
    AsyncRead + AsyncWrite + Send + Unpin + 'static
{
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Socket for S {}

/// The sockets of a listener.
pub(in crate::devengine) fn sockets(
    listener: TcpListener,
) -> impl Stream<Item = io::Result<TcpStream>> {
    stream::unfold(listener, async |listener| {
        let socket = match listener.accept().await {
            Ok((socket, _)) => socket.set_nodelay(true).map(|()| socket),
            Err(error) => Err(error),
        };
        Some((socket, listener))
    })
}
