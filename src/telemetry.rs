//! Logs: text for a terminal, JSON by setting, on standard error.
//!
//! A panic is a line of the log like any other. Of its text only what a programmer wrote is
//! shown: one that was put together at run time may hold a secret.

use std::{
    any::Any,
    backtrace::{Backtrace, BacktraceStatus},
    panic::{Location, PanicHookInfo},
    thread,
};

use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// Settings of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// How lines look.
    pub format: Format,
    /// What is logged, in `tracing`'s filter form, e.g. `info` or `servicenow_worker=debug`.
    pub filter: String,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Default for Config {
    fn default() -> Self {
        Self { format: Format::Text, filter: "info".to_owned() }
    }
}

impl Config {
    /// What is wrong with the filter, if anything.
    pub fn check_filter(filter: &str) -> Result<(), String> {
        EnvFilter::try_new(filter).map(drop).map_err(|error| error.to_string())
    }

    /// Starts logging. A second call in one process changes nothing.
    pub fn install(&self) {
        let filter = EnvFilter::try_new(&self.filter).unwrap_or_else(|_| EnvFilter::new("info"));
        let base = tracing_subscriber::registry().with(filter);
        let to = std::io::stderr;
        let installed = match self.format {
            Format::Text => {
                let colours = std::io::IsTerminal::is_terminal(&to());
                base.with(fmt::layer().with_writer(to).with_ansi(colours).with_target(false))
                    .try_init()
            }
            Format::Json => {
                base.with(fmt::layer().json().flatten_event(true).with_writer(to)).try_init()
            }
        };
        drop(installed);
    }
}

/// From now on panics are logged, instead of written beside the log with all they say.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|panic: &PanicHookInfo<'_>| {
        log_panic(panic.payload(), panic.location());
    }));
}

fn log_panic(payload: &dyn Any, location: Option<&Location<'_>>) {
    let backtrace = Backtrace::capture();
    let backtrace = (backtrace.status() == BacktraceStatus::Captured).then_some(backtrace);
    tracing::error!(
        text = payload.downcast_ref::<&'static str>().copied(),
        place = location.map(tracing::field::display),
        thread = thread::current().name(),
        backtrace = backtrace.as_ref().map(tracing::field::display),
        "panic: a bug of the worker, please report it"
    );
}

#[cfg(test)]
mod tests {
    use std::{
        any::Any,
        io::{self, Write},
        panic::Location,
        sync::{Arc, Mutex},
    };

    use serde_json::Value;
    use tracing_subscriber::{fmt, layer::SubscriberExt};

    use super::log_panic;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The line that a panic leaves.
    fn line(payload: &dyn Any) -> Value {
        let written = Written::default();
        let writer = written.clone();
        let layer = fmt::layer().json().flatten_event(true).with_writer(move || writer.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            log_panic(payload, Some(Location::caller()));
        });
        let bytes = written.0.lock().unwrap().clone();
        serde_json::from_slice(&bytes).unwrap()
    }

    #[test]
    fn a_panic_is_one_line_of_json_that_says_where() {
        let line = line(&"a programmer's words");
        assert_eq!(
            (&line["level"], &line["text"]),
            (&"ERROR".into(), &"a programmer's words".into())
        );
        assert!(line["place"].as_str().unwrap().contains("telemetry.rs:"), "{line}");
        assert!(line["thread"].is_string(), "{line}");
    }

    #[test]
    fn a_text_that_was_put_together_is_left_out() {
        let line = line(&format!("byte 3 is inside of {}", "correct horse")).to_string();
        assert!(!line.contains("correct horse") && line.contains("telemetry.rs:"), "{line}");
    }
}
