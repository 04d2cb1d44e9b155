//! Keeps the number of connections at the number of calls.
//!
//! A call that finds no idle connection starts a new one and takes whatever comes first:
//! the new connection, or one that another call gives back. In the second case the HTTP
//! library finishes the new connection in the background. In a busy worker that case is the
//! common one, since the next call starts a moment before the connection of the one before
//! is idle again, so that connections, and with them TLS handshakes, would pile up beyond
//! the number of calls. The gate waits that moment, and gives up a connection that its call
//! no longer waits for.

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

#[cfg(test)]
mod tests {
    use std::{
        future::{Ready, ready},
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
        task::{Context, Poll},
    };

    use futures_util::FutureExt;
    use tower_layer::Layer;
    use tower_service::Service;

    use super::{BoxError, GateLayer, calling};

    /// Counts how often it is asked to connect.
    #[derive(Clone, Default)]
    struct Connector(Arc<AtomicUsize>);

    impl Service<()> for Connector {
        type Response = usize;
        type Error = BoxError;
        type Future = Ready<Result<usize, BoxError>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, (): ()) -> Self::Future {
            ready(Ok(self.0.fetch_add(1, Ordering::SeqCst) + 1))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_waits_is_connected() {
        let mut gate = GateLayer.layer(Connector::default());
        assert_eq!(calling(gate.call(())).await.unwrap(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_got_another_connection_meanwhile_does_not_connect() {
        let connector = Connector::default();
        let mut connecting = GateLayer.layer(connector.clone()).call(());
        assert!(calling(&mut connecting).now_or_never().is_none(), "it waits a moment first");
        let in_background = tokio::spawn(connecting).await.unwrap();
        assert!(in_background.is_err());
        assert_eq!(connector.0.load(Ordering::SeqCst), 0);
    }
}
