//! Callers side by side, each with its next request as soon as the last is answered.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{task::JoinSet, time::Instant};

use crate::caller::{Caller, Post};

/// Longest time of one phase.
const LIMIT: Duration = Duration::from_secs(20);

/// How much is sent.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    pub(crate) callers: usize,
    pub(crate) requests: usize,
    /// The status that each answer has.
    pub(crate) status: u16,
    /// Makes the request of a number.
    pub(crate) request: fn(usize) -> Post<'static>,
}

/// What came of it.
pub(crate) struct Measured {
    /// Times of all requests, sorted.
    times: Vec<Duration>,
    took: Duration,
}

impl Load {
    /// Sends until all are sent or the time is over. Numbers begin at `first`.
    pub(crate) async fn run(self, to: SocketAddr, first: usize) -> Measured {
        let (next, began) = (Arc::new(AtomicUsize::new(first)), Instant::now());
        let mut callers = JoinSet::new();
        for _ in 0..self.callers {
            callers.spawn(self.call(to, Arc::clone(&next), first + self.requests));
        }
        let mut times: Vec<Duration> = callers.join_all().await.into_iter().flatten().collect();
        let took = began.elapsed();
        times.sort_unstable();
        Measured { times, took }
    }

    async fn call(self, to: SocketAddr, next: Arc<AtomicUsize>, end: usize) -> Vec<Duration> {
        let (mut caller, mut times) = (Caller::connect(to).await, Vec::new());
        let over = Instant::now() + LIMIT;
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= end || Instant::now() > over {
                return times;
            }
            let post = (self.request)(number);
            let began = Instant::now();
            assert_eq!(caller.send(&post).await, self.status);
            times.push(began.elapsed());
        }
    }
}

impl Measured {
    pub(crate) fn count(&self) -> usize {
        self.times.len()
    }

    /// The time within which this share of the requests, in percent, was answered.
    pub(crate) fn within(&self, percent: usize) -> Duration {
        self.times[(self.times.len() * percent / 100).min(self.times.len() - 1)]
    }

    /// One line of figures.
    pub(crate) fn line(&self) -> String {
        format!(
            "{} requests, {:.0}/s, p50 {:?}, p99 {:?}, worst {:?}",
            self.count(),
            self.count() as f64 / self.took.as_secs_f64(),
            self.within(50),
            self.within(99),
            self.within(100),
        )
    }
}
