//! Connections that can be counted, closed in the middle of an answer, and that close
//! themselves when nothing was asked for the time that `Keep-Alive` announces.

use std::{
    fmt,
    future::Future as _,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep},
};

use super::Shared;

/// No limit on what may be written.
const UNLIMITED: u64 = u64::MAX;

/// What the header `Keep-Alive: timeout=20` promises.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// The handle of a connection that request handlers see.
#[derive(Clone, Debug)]
pub(crate) struct Wire {
    /// Counted from 1.
    pub(crate) id: u64,
    left: Arc<AtomicU64>,
    is_busy: Arc<AtomicBool>,
}

/// While it lives, a request is being answered and the connection is not idle.
#[derive(Debug)]
pub(crate) struct Busy(Arc<AtomicBool>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl Wire {
    fn new(id: u64) -> Self {
        Self { id, left: Arc::new(AtomicU64::new(UNLIMITED)), is_busy: Arc::default() }
    }

    /// Keeps the connection open until the guard is dropped.
    pub(crate) fn busy(&self) -> Busy {
        self.is_busy.store(true, Ordering::Release);
        Busy(self.is_busy.clone())
    }

    /// Closes the connection after so many further bytes to the client.
    pub(crate) fn close_after(&self, bytes: u64) {
        self.left.store(bytes, Ordering::Release);
    }

    /// Whether the connection is about to be closed.
    pub(crate) fn is_closing(&self) -> bool {
        self.left.load(Ordering::Acquire) != UNLIMITED
    }
}

/// A listener whose connections carry a [`Wire`].
pub(crate) struct Door<L> {
    listener: L,
    shared: Arc<Shared>,
}

impl<L> fmt::Debug for Door<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Door").finish_non_exhaustive()
    }
}

impl<L> Door<L> {
    pub(crate) fn new(listener: L, shared: Arc<Shared>) -> Self {
        Self { listener, shared }
    }
}

impl<L: Listener<Addr = SocketAddr>> Listener for Door<L> {
    type Io = Tapped<L::Io>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (io, address) = self.listener.accept().await;
        let id = self.shared.connections.fetch_add(1, Ordering::Relaxed) + 1;
        (Tapped::new(io, Wire::new(id)), address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

impl<L: Listener<Addr = SocketAddr>> Connected<IncomingStream<'_, Door<L>>> for Wire {
    fn connect_info(stream: IncomingStream<'_, Door<L>>) -> Self {
        stream.io().wire.clone()
    }
}

/// A byte stream that stops at the limit its [`Wire`] sets.
#[derive(Debug)]
pub(crate) struct Tapped<S> {
    io: S,
    wire: Wire,
    idle: Pin<Box<Sleep>>,
}

impl<S> Tapped<S> {
    fn new(io: S, wire: Wire) -> Self {
        Self { io, wire, idle: Box::pin(tokio::time::sleep(KEEP_ALIVE)) }
    }

    fn stays_alive(&mut self) {
        self.idle.as_mut().reset(Instant::now() + KEEP_ALIVE);
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Tapped<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if let Poll::Ready(read) = Pin::new(&mut this.io).poll_read(cx, buffer) {
            this.stays_alive();
            return Poll::Ready(read);
        }
        while this.idle.as_mut().poll(cx).is_ready() {
            if !this.wire.is_busy.load(Ordering::Acquire) {
                // Nothing read: to the server the same as a client that closed.
                return Poll::Ready(Ok(()));
            }
            this.stays_alive();
        }
        Poll::Pending
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tapped<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let left = this.wire.left.load(Ordering::Acquire);
        if left == UNLIMITED {
            this.stays_alive();
            return Pin::new(&mut this.io).poll_write(cx, bytes);
        }
        if left == 0 {
            ready!(Pin::new(&mut this.io).poll_flush(cx))?;
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        let allowed = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let written = ready!(Pin::new(&mut this.io).poll_write(cx, &bytes[..allowed]))?;
        this.wire.left.store(left.saturating_sub(written as u64), Ordering::Release);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(cx)
    }
}
