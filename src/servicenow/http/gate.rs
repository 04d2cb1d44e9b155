//! Keeps the number of connections at the number of calls.
//!
//! A call that finds no idle connection starts a new one and takes whatever comes first:
//! the new connection, or one that another call gives back. In the second case the HTTP
//! library finishes the new connection in the background. In a busy worker that case is the
//! common one, since the next call starts a moment before the connection of the one before
//! is idle again, so that connections, and with them TLS handshakes, would pile up beyond
//! the number of calls. Where a connection may be about to be idle, the gate waits for it,
//! and gives up a new one that its call no longer waits for.

use std::{
    future::poll_fn,
    mem,
    pin::{Pin, pin},
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::time::Instant;
use tower_layer::Layer;
use tower_service::Service;

/// How long a connection that is about to be idle has to turn up while there are fewer than
/// calls may be.
const MOMENT: Duration = Duration::from_millis(1);
/// The same once there are as many: one must come back, even on a machine that stalls.
const PATIENCE: Duration = Duration::from_millis(50);
/// How long after a call its connection may still be on its way back.
const RECENT: Duration = Duration::from_millis(100);
/// After such a pause the connections of before may be closed.
const FORGOTTEN: Duration = Duration::from_secs(10);

tokio::task_local! {
    /// Set while a call itself waits; the library's background tasks lack it.
    static CALLING: ();
}

/// The calls that share a pool of connections.
#[derive(Clone, Debug)]
pub(super) struct Company(Arc<Mutex<Calls>>);

#[derive(Debug)]
struct Calls {
    /// Most calls at once.
    room: usize,
    running: usize,
    last_ended: Option<Instant>,
    /// Connections made; how many of them are left the library does not tell.
    connected: usize,
}

impl Company {
    /// Calls of which so many run at once.
    pub(super) fn of(room: usize) -> Self {
        let calls = Calls { room, running: 0, last_ended: None, connected: 0 };
        Self(Arc::new(Mutex::new(calls)))
    }

    /// Does `call` as one that waits for its connection.
    pub(super) async fn calling<F: Future>(&self, call: F) -> F::Output {
        self.calls().running += 1;
        let _leaving = Leaving(self);
        CALLING.scope((), call).await
    }

    /// How long a call among them waits for a connection that may come back.
    fn patience(&self) -> Duration {
        let mut calls = self.calls();
        let quiet = calls.last_ended.map_or(Duration::MAX, |ended| ended.elapsed());
        if calls.running <= 1 && quiet > FORGOTTEN {
            calls.connected = 0;
        }
        if calls.running <= 1 && quiet > RECENT {
            Duration::ZERO
        } else if calls.connected < calls.room {
            MOMENT
        } else {
            PATIENCE
        }
    }

    fn connected(&self) {
        self.calls().connected += 1;
    }

    /// Nothing in here can panic half-way.
    fn calls(&self) -> std::sync::MutexGuard<'_, Calls> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call that ends, or is dropped.
struct Leaving<'a>(&'a Company);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        let mut calls = self.0.calls();
        calls.running -= 1;
        calls.last_ended = Some(Instant::now());
    }
}

/// Puts a [`Gate`] before a connector.
#[derive(Clone, Debug)]
pub(super) struct GateLayer(pub(super) Company);

impl<S> Layer<S> for GateLayer {
    type Service = Gate<S>;

    fn layer(&self, connector: S) -> Gate<S> {
        Gate { connector, company: self.0.clone() }
    }
}

/// A connector that connects only for calls that still wait.
#[derive(Clone, Debug)]
pub(super) struct Gate<S> {
    connector: S,
    company: Company,
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
        let company = self.company.clone();
        let patience = company.patience();
        Box::pin(async move {
            let mut connecting = pin!(async move {
                if !patience.is_zero() {
                    tokio::time::sleep(patience).await;
                }
                let connection = connector.call(target).await?;
                company.connected();
                Ok(connection)
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

    use super::{
        BoxError, Company, Duration, FORGOTTEN, GateLayer, Instant, MOMENT, PATIENCE, RECENT,
    };

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
    async fn a_call_waits_longer_the_surer_a_connection_comes_back() {
        let company = Company::of(2);
        let mut gate = GateLayer(company.clone()).layer(Connector::default());
        let mut connect = async || {
            let begin = Instant::now();
            company.calling(async { gate.call(()).await.unwrap() }).await;
            begin.elapsed()
        };
        assert_eq!(connect().await, Duration::ZERO, "there is none that could come back");
        assert_eq!(connect().await, MOMENT, "the first one may, but two are allowed");
        assert_eq!(connect().await, PATIENCE, "one of the two must");
        tokio::time::advance(RECENT * 2).await;
        assert_eq!(connect().await, Duration::ZERO, "they would be idle by now");
        tokio::time::advance(FORGOTTEN * 2).await;
        assert_eq!(connect().await, Duration::ZERO);
        assert_eq!(connect().await, MOMENT, "those of before may be closed");
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_got_another_connection_meanwhile_does_not_connect() {
        let company = Company::of(2);
        let connector = Connector::default();
        let mut gate = GateLayer(company.clone()).layer(connector.clone());
        company.calling(async {}).await;
        let mut connecting = gate.call(());
        company
            .calling(async {
                assert!((&mut connecting).now_or_never().is_none(), "it waits first");
            })
            .await;
        let in_background = tokio::spawn(connecting).await.unwrap();
        assert!(in_background.is_err());
        assert_eq!(connector.0.load(Ordering::SeqCst), 0);
    }
}
