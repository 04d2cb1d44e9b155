//! Connections that are counted, can be cut, and tell which authority a client asked for.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::{
    Extensions,
    transport::server::{Connected, TlsConnectInfo},
};
use tower_service::Service;

use crate::zeebe::proto::gateway_server::GatewayServer;

/// One accepted connection; dead once its token is cancelled.
#[derive(Debug)]
pub(super) struct Connection<S> {
    stream: S,
    cutter: Cutter,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
}

/// Closes the connection that a call came by.
#[derive(Clone, Debug)]
pub(super) struct Cutter(CancellationToken);

impl Cutter {
    pub(super) fn cut(&self) {
        self.0.cancel();
    }
}

impl<S> Connection<S> {
    /// A connection that is cut with `all`, or alone.
    pub(super) fn new(stream: S, all: &CancellationToken) -> Self {
        let cut = all.child_token();
        Self { stream, cutter: Cutter(cut.clone()), cut: Box::pin(cut.cancelled_owned()) }
    }
}

impl<S> Connected for Connection<S> {
    type ConnectInfo = Cutter;

    fn connect_info(&self) -> Cutter {
        self.cutter.clone()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Connection<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.cut.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Connection<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// What cuts the connection that a request came by.
pub(super) fn cutter(extensions: &Extensions) -> Option<Cutter> {
    let plain = extensions.get::<Cutter>();
    let tls = || Some(extensions.get::<TlsConnectInfo<Cutter>>()?.get_ref());
    plain.or_else(tls).cloned()
}

/// Notes the authorities that requests name, and passes them on.
#[derive(Clone, Debug)]
pub(super) struct Observed<S> {
    pub(super) service: GatewayServer<S>,
    pub(super) authorities: Arc<Mutex<Vec<String>>>,
}

impl<S, B> Service<http::Request<B>> for Observed<S>
where
    GatewayServer<S>: Service<http::Request<B>>,
{
    type Response = <GatewayServer<S> as Service<http::Request<B>>>::Response;
    type Error = <GatewayServer<S> as Service<http::Request<B>>>::Error;
    type Future = <GatewayServer<S> as Service<http::Request<B>>>::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        if let Some(authority) = request.uri().authority() {
            let mut known = self.authorities.lock().unwrap_or_else(PoisonError::into_inner);
            if !known.iter().any(|name| name == authority.as_str()) {
                known.push(authority.to_string());
            }
        }
        self.service.call(request)
    }
}
