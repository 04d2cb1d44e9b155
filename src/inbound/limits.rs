//! What one caller, request or connection may take.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// Limits of the endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest body.
    pub body_bytes: usize,
    /// Deepest nesting of a JSON body.
    pub json_depth: usize,
    /// Longest wait for a request's headers, and for the next request of a connection.
    pub header_timeout: Duration,
    /// Longest wait for a request's body.
    pub body_timeout: Duration,
    /// Most connections at once.
    pub connections: usize,
    /// Most requests in work at once.
    pub requests: usize,
    /// Requests a second of one credential, unless it says otherwise.
    pub rate: u32,
    /// Longest wait for the end of an instance.
    pub await_completion: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 1024 * 1024,
            json_depth: 64,
            header_timeout: Duration::from_secs(15),
            body_timeout: Duration::from_secs(15),
            connections: 4_096,
            requests: 512,
            rate: 200,
            // ServiceNow has four connections to a host: a long wait blocks one of them.
            await_completion: Duration::from_secs(25),
        }
    }
}

/// Requests that one credential may still make: refilled by the second, a second's worth at
/// most.
#[derive(Debug)]
pub(crate) struct Allowance {
    rate: f64,
    left: Mutex<(f64, Instant)>,
}

impl Allowance {
    pub(crate) fn new(rate: u32) -> Self {
        let rate = f64::from(rate.max(1));
        Self { rate, left: Mutex::new((rate, Instant::now())) }
    }

    /// Takes one request, or says how long to wait for it.
    pub(crate) fn take(&self) -> Result<(), Duration> {
        let now = Instant::now();
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let (tokens, since) = *left;
        let tokens = (tokens + (now - since).as_secs_f64() * self.rate).min(self.rate);
        if tokens >= 1.0 {
            *left = (tokens - 1.0, now);
            return Ok(());
        }
        *left = (tokens, now);
        Err(Duration::from_secs_f64((1.0 - tokens) / self.rate))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_credential_has_its_requests_each_second_and_no_more() {
        let allowance = Allowance::new(2);
        assert_eq!((allowance.take(), allowance.take()), (Ok(()), Ok(())));
        assert_eq!(allowance.take(), Err(Duration::from_millis(500)));
        tokio::time::advance(Duration::from_millis(500)).await;
        assert_eq!(allowance.take(), Ok(()));
        assert!(allowance.take().is_err());
        tokio::time::advance(Duration::from_hours(1)).await;
        assert_eq!((allowance.take(), allowance.take()), (Ok(()), Ok(())));
        assert!(allowance.take().is_err(), "nothing is saved up beyond a second");
    }
}
