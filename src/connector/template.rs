//! Handlebars templates that render to a JSON object.
//!
//! `{{name}}` puts in a value, escaped for the inside of a JSON string; `{{json name}}` puts
//! in a whole JSON value, quotes included. A name that the data does not have is an error.
//! Line breaks and tabs may stand in strings as they are: engines turn `\n` in an input's text
//! into a line break before it gets here. Blocks are `if`, `unless`, `each` and `with`; there are no partials.
//!
//! Handlebars itself bounds nothing: deep nesting overflows the stack, and nested loops run
//! for ever. Hence [`scan`] looks at the source first, and a render has so many bytes and
//! steps.
#![deny(clippy::disallowed_types)]

mod each;
mod missing;
mod scan;

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, PoisonError},
};

use handlebars::{
    Context, Handlebars, Helper, HelperResult, Output, RenderContext, RenderErrorReason,
    Renderable, Template,
};
use serde_json::{Map, Value};

use crate::{
    outcome::cut,
    servicenow::{Error, Reason},
};

/// Largest rendered text.
const MAX_OUTPUT_BYTES: usize = 1024 * 1024;
/// Most steps of one rendering: a loop's turn costs as many as the template has tags.
const MAX_STEPS: usize = 2_000_000;
/// Compiled templates kept.
const MAX_CACHED: usize = 256;

/// Renders templates, and keeps the compiled ones.
pub(crate) struct Templates {
    registry: Handlebars<'static>,
    compiled: Mutex<HashMap<String, Arc<Compiled>>>,
}

struct Compiled {
    template: Template,
    tags: usize,
}

impl std::fmt::Debug for Templates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Templates")
    }
}

impl Templates {
    pub(crate) fn new() -> Self {
        let mut registry = Handlebars::new();
        registry.set_strict_mode(true);
        registry.register_escape_fn(escape_json);
        registry.register_helper("json", Box::new(write_json));
        registry.register_helper("each", Box::new(each::Each));
        // Writes to a log of its own.
        registry.unregister_helper("log");
        Self { registry, compiled: Mutex::default() }
    }

    /// Renders `source`, the value of the input `name`, over `data` to a JSON object.
    pub(crate) fn render_object(
        &self,
        name: &str,
        source: &str,
        data: &Value,
    ) -> Result<Map<String, Value>, Error> {
        let compiled =
            self.compile(source).map_err(|why| invalid(&format!("{name} is invalid: {why}")))?;
        let text = self
            .render(&compiled, data)
            .map_err(|why| invalid(&format!("{name} cannot be rendered: {why}")))?;
        match serde_json::from_str(&with_breaks_escaped(&text)) {
            Ok(Value::Object(map)) => Ok(map),
            Ok(other) => Err(invalid(&format!(
                "{name} renders to a {}: it must render to a JSON object",
                super::input::kind_of(&other)
            ))),
            Err(error) => Err(invalid(&format!(
                "{name} does not render to JSON ({error}): put texts into quotes, or write \
                 {{{{json name}}}}"
            ))),
        }
    }

    fn compile(&self, source: &str) -> Result<Arc<Compiled>, String> {
        let cached = |map: &HashMap<_, _>| map.get(source).map(Arc::clone);
        if let Some(found) = cached(&*self.compiled.lock().unwrap_or_else(PoisonError::into_inner))
        {
            return Ok(found);
        }
        let tags = scan::scan(source)?;
        let template = Template::compile(source).map_err(|e| cut(&e.reason().to_string(), 300))?;
        let compiled = Arc::new(Compiled { template, tags });
        let mut map = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if map.len() >= MAX_CACHED {
            map.clear();
        }
        map.insert(source.to_owned(), Arc::clone(&compiled));
        Ok(compiled)
    }

    fn render(&self, compiled: &Compiled, data: &Value) -> Result<String, String> {
        let context = Context::wraps(data).map_err(|error| error.to_string())?;
        let mut output =
            CappedOutput { text: String::new(), steps: MAX_STEPS, per_turn: compiled.tags.max(1) };
        let mut render_context = RenderContext::new(None);
        compiled
            .template
            .render(&self.registry, &context, &mut render_context, &mut output)
            .map_err(|error| match error.reason() {
                RenderErrorReason::MissingVariable(path) => {
                    missing::described(path.as_deref(), data)
                }
                reason => cut(&reason.to_string(), 300),
            })?;
        Ok(output.text)
    }
}

fn invalid(message: &str) -> Error {
    Error::new(Reason::InvalidInput, message)
}

/// Escapes line breaks and tabs inside JSON strings; between them they mean nothing.
fn with_breaks_escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let (mut in_string, mut after_backslash) = (false, false);
    for character in text.chars() {
        in_string ^= character == '"' && !after_backslash;
        match character {
            '\n' if in_string && !after_backslash => escaped.push_str("\\n"),
            '\r' if in_string && !after_backslash => escaped.push_str("\\r"),
            '\t' if in_string && !after_backslash => escaped.push_str("\\t"),
            _ => escaped.push(character),
        }
        after_backslash = in_string && character == '\\' && !after_backslash;
    }
    escaped
}

/// Text as it stands inside the quotes of a JSON string.
fn escape_json(text: &str) -> String {
    let quoted = Value::String(text.to_owned()).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// `{{json value}}`
fn write_json(
    helper: &Helper<'_>,
    _: &Handlebars<'_>,
    _: &Context,
    _: &mut RenderContext<'_, '_>,
    output: &mut dyn Output,
) -> HelperResult {
    let param = helper.param(0).ok_or(RenderErrorReason::ParamNotFoundForIndex("json", 0))?;
    if param.is_value_missing() {
        return Err(RenderErrorReason::MissingVariable(param.relative_path().cloned()).into());
    }
    output.write(&param.value().to_string())?;
    Ok(())
}

/// Collects text up to a cap. Writing nothing marks a loop's turn.
struct CappedOutput {
    text: String,
    steps: usize,
    per_turn: usize,
}

impl Output for CappedOutput {
    fn write(&mut self, piece: &str) -> io::Result<()> {
        let cost = if piece.is_empty() { self.per_turn } else { 1 };
        self.steps = self
            .steps
            .checked_sub(cost)
            .ok_or_else(|| io::Error::other("its loops take too many steps: pass less data"))?;
        if self.text.len() + piece.len() > MAX_OUTPUT_BYTES {
            return Err(io::Error::other("the result is larger than 1 MiB"));
        }
        self.text.push_str(piece);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
