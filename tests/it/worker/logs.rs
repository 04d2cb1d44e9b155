//! What the worker logs, as far as tests run in one thread.

use std::{
    io,
    sync::{Arc, Mutex, OnceLock},
};

use serde_json::Value;
use tracing::{Dispatch, level_filters::LevelFilter};
use tracing_subscriber::{filter::Targets, fmt, layer::SubscriberExt, registry};

/// While there is only one subscriber, a line that is first reached in a thread without one
/// counts as unwanted everywhere. So there are always two.
static ANOTHER: OnceLock<Dispatch> = OnceLock::new();

/// The lines since it was opened, as long as it lives.
pub(super) struct Log {
    lines: Lines,
    _guard: tracing::subscriber::DefaultGuard,
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What this crate logs; the transport has too much to say.
fn own_lines() -> Targets {
    Targets::new().with_target("servicenow_worker", LevelFilter::DEBUG)
}

impl Log {
    pub(super) fn open() -> Self {
        ANOTHER.get_or_init(|| Dispatch::new(registry().with(own_lines())));
        let lines = Lines::default();
        let to = lines.clone();
        let layer = fmt::layer().json().flatten_event(true).with_writer(move || to.clone());
        let subscriber = registry().with(layer).with(own_lines());
        Self { lines, _guard: tracing::subscriber::set_default(subscriber) }
    }

    /// The warnings whose message begins so.
    pub(super) fn warnings(&self, message: &str) -> Vec<Value> {
        self.lines(message).into_iter().filter(|line| line["level"] == "WARN").collect()
    }

    /// The lines whose message begins so.
    pub(super) fn lines(&self, message: &str) -> Vec<Value> {
        let text = String::from_utf8(self.lines.0.lock().unwrap().clone()).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines
            .filter(|line| line["message"].as_str().is_some_and(|text| text.starts_with(message)))
            .collect()
    }
}
