//! Values written as text: as `string()` shows them, and as JSON.
//!
//! Values share their parts, so a small one may be long when written out: every piece is
//! paid for.

use crate::feel::builtins::Call;
use crate::feel::cost;
use crate::feel::error::Error;
use crate::feel::range::Range;
use crate::feel::temporal::{DateTime, Time, Zone};
use crate::feel::value::{Context, Value};

/// The value as `string()` shows it.
pub(super) fn plain(call: &mut Call<'_>, value: &Value) -> Result<String, Error> {
    written(call, value, Form::Plain)
}

/// The value as JSON; ranges and functions become texts.
pub(super) fn json(call: &mut Call<'_>, value: &Value) -> Result<String, Error> {
    written(call, value, Form::Json)
}

fn written(call: &mut Call<'_>, value: &Value, form: Form) -> Result<String, Error> {
    let mut writer = Writer { call, form, text: String::new() };
    writer.value(value)?;
    Ok(writer.text)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Plain,
    Json,
}

struct Writer<'c, 'r> {
    call: &'c mut Call<'r>,
    form: Form,
    text: String,
}

impl Writer<'_, '_> {
    fn push(&mut self, piece: &str) -> Result<(), Error> {
        self.call.budget().bytes(piece.len())?;
        self.text.push_str(piece);
        Ok(())
    }

    /// Recurses no deeper than values may nest.
    fn value(&mut self, value: &Value) -> Result<(), Error> {
        self.call.budget().steps(match value {
            Value::Null | Value::Boolean(_) | Value::String(_) => 4,
            Value::Range(_) => 4 * cost::SUM,
            _ => cost::SUM,
        })?;
        match value {
            Value::Null => self.push("null"),
            Value::Boolean(boolean) => self.push(if *boolean { "true" } else { "false" }),
            Value::Number(number) => self.push(&number.to_string()),
            Value::String(text) => self.string(text),
            Value::List(list) => self.list(list),
            Value::Context(context) => self.context(context),
            Value::Range(range) => {
                let text = range_text(range);
                self.bare(&text)
            }
            Value::Function(function) => self.bare(&format!("{function:?}")),
            temporal if self.form == Form::Json => self.bare(&json_text(temporal)),
            temporal => self.bare(&temporal.temporal_text().unwrap_or_default()),
        }
    }

    /// Text that only JSON puts in quotes.
    fn bare(&mut self, text: &str) -> Result<(), Error> {
        if self.form == Form::Json { self.string(text) } else { self.push(text) }
    }

    /// Text in quotes; only JSON escapes what is in it.
    fn string(&mut self, text: &str) -> Result<(), Error> {
        self.call.budget().bytes(text.len())?;
        if self.form == Form::Json {
            let quoted = serde_json::to_string(text).unwrap_or_default();
            return self.push(&quoted);
        }
        self.push("\"")?;
        self.push(text)?;
        self.push("\"")
    }

    fn list(&mut self, items: &[Value]) -> Result<(), Error> {
        self.push("[")?;
        for (at, item) in items.iter().enumerate() {
            self.separator(at)?;
            self.value(item)?;
        }
        self.push("]")
    }

    fn context(&mut self, context: &Context) -> Result<(), Error> {
        self.push("{")?;
        for (at, (key, value)) in context.iter().enumerate() {
            self.separator(at)?;
            self.bare(key)?;
            self.push(":")?;
            self.value(value)?;
        }
        self.push("}")
    }

    fn separator(&mut self, at: usize) -> Result<(), Error> {
        match self.form {
            _ if at == 0 => Ok(()),
            Form::Plain => self.push(", "),
            Form::Json => self.push(","),
        }
    }
}

fn range_text(range: &Range) -> String {
    let end = |value: &Value| match value {
        Value::Number(number) => number.to_string(),
        other => other.temporal_text().unwrap_or_default(),
    };
    let open = if range.start_included { '[' } else { '(' };
    let close = if range.end_included { ']' } else { ')' };
    format!("{open}{}..{}{close}", end(&range.start), end(&range.end))
}

/// Times with their offset, moments also with the name of their region.
fn json_text(temporal: &Value) -> String {
    let offset = |zone: &Zone| Zone::fixed(zone.offset);
    match temporal {
        Value::Time(time) => {
            Time { time: time.time, zone: time.zone.as_ref().map(offset) }.to_string()
        }
        Value::DateTime(moment) => {
            let zone = moment.zone.as_ref();
            let text = DateTime { local: moment.local, zone: zone.map(offset) }.to_string();
            zone.and_then(Zone::name).map_or_else(|| text.clone(), |name| format!("{text}[{name}]"))
        }
        other => other.java_text().unwrap_or_default(),
    }
}
