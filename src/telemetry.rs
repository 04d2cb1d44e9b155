//! Logs: text for a terminal, JSON by setting, on standard error.

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
