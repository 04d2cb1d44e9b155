//! What the parts write into the log and a developer wants to see: calls of the inbound
//! endpoint, and warnings.

use std::{collections::BTreeMap, fmt};

use tokio::sync::mpsc::UnboundedSender;
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    Layer, filter::LevelFilter, layer::Context, layer::SubscriberExt, util::SubscriberInitExt,
};

use super::Told;
use crate::inbound;

/// Tells lines of the log from now on.
pub(in super::super) fn listen(told: UnboundedSender<Told>) {
    let log = tracing_subscriber::registry().with(LevelFilter::INFO).with(Listener(told));
    // Somebody else may have the log already; then the story has a few lines less.
    drop(log.try_init());
}

struct Listener(UnboundedSender<Told>);

impl<S: Subscriber> Layer<S> for Listener {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let about: fn(&Fields) -> String = match event.metadata() {
            call if call.target() == inbound::AUDIT => call_line,
            own if is_warning_of_ours(own) => warning_line,
            _ => return,
        };
        let mut fields = Fields::default();
        event.record(&mut fields);
        // Nobody listens any more once the command is over.
        drop(self.0.send(Told::Logged(about(&fields))));
    }
}

fn is_warning_of_ours(metadata: &Metadata<'_>) -> bool {
    *metadata.level() <= Level::WARN && metadata.target().starts_with(env!("CARGO_CRATE_NAME"))
}

/// Texts as they are, all else as Rust writes it: line breaks of a caller's make no lines.
#[derive(Debug, Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Fields {
    fn get(&self, name: &str) -> &str {
        self.0.get(name).map(String::as_str).unwrap_or_default()
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

fn call_line(fields: &Fields) -> String {
    let optional = |name, before: &str| match fields.get(name) {
        "" => String::new(),
        text => format!("{before}{text}"),
    };
    format!(
        "   inbound   {} {}{}: {}{}{}",
        fields.get("operation"),
        fields.get("subject"),
        optional("key", " with key "),
        fields.get("status"),
        optional("why", " "),
        optional("detail", ": ")
    )
}

fn warning_line(fields: &Fields) -> String {
    if fields.0.contains_key("warning") {
        return format!("   warning   '{}' {}", fields.get("element"), fields.get("warning"));
    }
    let rest = fields.0.iter().filter(|(name, _)| **name != "message");
    let rest = rest.map(|(name, value)| format!("{name}={value}"));
    let words: Vec<_> = std::iter::once(fields.get("message").to_owned()).chain(rest).collect();
    format!("   warning   {}", words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(entries: &[(&'static str, &str)]) -> Fields {
        Fields(entries.iter().map(|(name, value)| (*name, (*value).to_owned())).collect())
    }

    #[test]
    fn a_call_and_a_warning_are_a_line_each() {
        let mut call =
            fields(&[("operation", "route"), ("subject", "\"order\""), ("status", "200")]);
        assert_eq!(call_line(&call), "   inbound   route \"order\": 200");
        call.0.insert("key", "\"e1\"".to_owned());
        call.0.insert("why", "NOT_FOUND".to_owned());
        call.0.insert("detail", "\"gone\"".to_owned());
        let said = "   inbound   route \"order\" with key \"e1\": 200 NOT_FOUND: \"gone\"";
        assert_eq!(call_line(&call), said);
        let of_a_job =
            fields(&[("element", "create"), ("warning", "no key 'a'"), ("message", "m")]);
        assert_eq!(warning_line(&of_a_job), "   warning   'create' no key 'a'");
        let other = fields(&[("message", "it failed"), ("route", "order")]);
        assert_eq!(warning_line(&other), "   warning   it failed route=order");
    }
}
