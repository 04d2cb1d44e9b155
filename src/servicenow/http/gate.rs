//! Keeps the number of connections at the number of calls.
//!
//! A call that finds no idle connection starts a new one and takes whatever comes first:
//! the new connection, or one that another call gives back. In the second case the HTTP
//! library finishes the new connection in the background. With all slots busy that case
//! is the common one, since a slot is handed on a moment before its connection is idle
//! again, so that connections, and with them TLS handshakes, would pile up beyond the
//! number of slots. The gate waits that moment, and gives up a connection that its call no
//! longer waits for.

use std::{
    future::poll_fn,
    mem,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
    time::Duration,
};

use tower_layer::Layer;
use tower_service::Service;

/// How long a connection that is about to be idle has to turn up.
const MOMENT: Duration = Duration::from_millis(1);

tokio::task_local! {
    /// Set while a call itself waits; the library's background tasks lack it.
    static CALLING: ();
}

/// Marks what `call` does as done by a call that waits for it.
pub(super) async fn calling<F: Future>(call: F) -> F::Output {
    CALLING.scope((), call).await
}

/// Puts a [`Gate`] before a connector.
#[derive(Clone, Copy, Debug)]
pub(super) struct GateLayer;

impl<S> Layer<S> for GateLayer {
    type Service = Gate<S>;

    fn layer(&self, connector: S) -> Gate<S> {
        Gate { connector }
    }
}

/// A connector that connects only for calls that still wait.
#[derive(Clone, Debug)]
pub(super) struct Gate<S> {
    connector: S,
}

/// The HTTP library's error type.
type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl<S, T> Service<T> for Gate<S>
where
    S: Service<T, Error = BoxError> + Clone + Send + 'static,
    S::Future: Send,
    T: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.connector.poll_ready(context)
    }

    fn call(&mut self, target: T) -> Self::Future {
        // The one that was polled ready has to be the one that is called.
        let next = self.connector.clone();
        let mut connector = mem::replace(&mut self.connector, next);
        Box::pin(async move {
            let mut connecting = pin!(async move {
                tokio::time::sleep(MOMENT).await;
                connector.call(target).await
            });
            poll_fn(|context| {
                if CALLING.try_with(|()| ()).is_err() {
                    return Poll::Ready(Err(BoxError::from("nobody waits for this connection")));
                }
                let connected = ready!(connecting.as_mut().poll(context));
                Poll::Ready(connected)
            })
            .await
        })
    }
}
