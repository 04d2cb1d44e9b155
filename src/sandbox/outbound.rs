//! Business rules that call out: a record changes, and a URL is called, as by an
//! asynchronous business rule with a REST message.
//!
//! Policy:
//!
//! - A rule fires for what the Table API commits, never for what it refuses. The message
//!   has the values of that commit, whatever happens to the record before it goes out.
//! - It goes out after the commit and beside it: the caller's answer does not wait.
//! - The messages of one rule about one record keep their order; all others run beside
//!   each other, at most `max_in_flight` calls at once. A wait for another try holds
//!   neither a place among those calls nor other records.
//! - Everything has an end: deliveries that have not ended (`queue_limit`, beyond which a
//!   new one is dropped), a call (`timeout`), a message and what is read of an answer.
//!   Redirects are not followed.
//! - All tries of a delivery carry the same body and the same `Idempotency-Key`.
//! - At the order to stop, what waits is dropped and calls in progress come to their end.
//! - Nothing here is shared with the worker's own HTTP client.

mod authentication;
mod change;
mod check;
mod courier;
mod handle;
mod line;
mod log;
mod message;
mod rule;
mod secret;
mod sender;
mod sign;
mod template;
mod token;

use std::time::Duration;

pub use self::{
    authentication::{Authentication, Encoding},
    handle::BusinessRules,
    log::{Delivery, DeliveryState},
    rule::{BusinessRule, Operation, Retry},
    secret::Secret,
};
pub(crate) use self::{
    change::Change,
    check::check,
    courier::{Courier, Serving},
    rule::read as read_rules,
};

/// Key of a seed file under which it has business rules.
pub(crate) const RULES_KEY: &str = "$businessRules";

/// The limits of what business rules send.
#[derive(Clone, Debug)]
pub struct Config {
    /// How many calls may be in progress at once; an instance has 4 for each host.
    pub max_in_flight: usize,
    /// How many deliveries may be under way or waiting; a further one is dropped.
    pub queue_limit: usize,
    /// How long a connection may take to stand.
    pub connect_timeout: Duration,
    /// How long a call may take.
    pub timeout: Duration,
    /// Largest body to send.
    pub max_body_bytes: usize,
    /// Certificates (PEM) to trust besides the public authorities.
    pub trusted_pem: Option<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_in_flight: 4,
            queue_limit: 1_000,
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(30),
            max_body_bytes: 1024 * 1024,
            trusted_pem: None,
        }
    }
}
