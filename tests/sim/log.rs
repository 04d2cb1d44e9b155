//! All that is logged, searched for the secret line by line.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use tracing::Subscriber;
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt};

/// The password of the connection. Whoever finds it anywhere has found a leak.
pub(crate) const CANARY: &str = "canary-7f3a9c51-tells-of-leaks";
/// What is logged; the transport's own lines besides the worker's.
const FILTER: &str = "servicenow_worker=trace,tonic=debug,hyper=debug,hyper_util=debug";

/// What the log has shown so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    lines: u64,
    leaks: Vec<String>,
}

/// Whether a text shows the secret, plain or as basic authentication carries it.
pub(crate) fn leaks(text: &str) -> bool {
    text.contains(CANARY) || text.contains(&BASE64_STANDARD.encode(format!("admin:{CANARY}")))
}

impl Log {
    /// What takes the lines of this thread.
    pub(crate) fn subscriber(&self) -> impl Subscriber + Send + Sync + use<> {
        let writer = self.clone();
        let lines =
            fmt::layer().with_ansi(false).without_time().with_writer(move || writer.clone());
        tracing_subscriber::registry().with(EnvFilter::new(FILTER)).with(lines)
    }

    /// How many lines there were, and those that showed the secret.
    pub(crate) fn seen(&self) -> (u64, Vec<String>) {
        let seen = self.0.lock().unwrap();
        (seen.lines, seen.leaks.clone())
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let line = String::from_utf8_lossy(bytes);
        let mut seen = self.0.lock().unwrap();
        seen.lines += 1;
        if leaks(&line) {
            seen.leaks.push(line.into_owned());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
