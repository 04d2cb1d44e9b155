//! Diagrams that templates were applied to, and what they say.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};

/// A diagram with one template in it.
#[derive(Debug, Deserialize)]
pub(super) struct Applied {
    pub(super) template: String,
    pub(super) process: String,
    file: PathBuf,
    pub(super) place: Place,
    /// What the record that it works on has to be like.
    pub(super) record: Map<String, Value>,
    /// Values by what they are bound to, expressions as written.
    pub(super) inputs: Map<String, Value>,
}

/// Where in the diagram the template went.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub(super) enum Place {
    Task,
    Throw,
    Start,
    Boundary,
    SubProcessStart,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/templates")
}

/// All of them.
pub(super) fn all() -> Vec<Applied> {
    let list = std::fs::read(folder().join("manifest.json"));
    let list = list.expect("run `scripts/check-templates` first: it applies the templates");
    serde_json::from_slice(&list).unwrap()
}

/// The names of all templates that modelers are offered.
pub(super) fn names() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("element-templates");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let templates = files.filter(|path| path.extension().is_some_and(|kind| kind == "json"));
    let mut names: Vec<_> =
        templates.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

impl Applied {
    /// Where the diagram is.
    pub(super) fn path(&self) -> PathBuf {
        folder().join(&self.file)
    }

    /// Whether the worker has to do something.
    pub(super) fn is_job(&self) -> bool {
        self.inputs.contains_key("type")
    }

    /// An input as written; empty when there is none.
    pub(super) fn text(&self, name: &str) -> &str {
        self.inputs.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// An input as the engine sees it: a path like `=record.sys_id` is looked up.
    pub(super) fn value(&self, name: &str, variables: &Value) -> String {
        let text = self.text(name);
        let Some(path) = text.strip_prefix('=') else { return text.to_owned() };
        let found = path.split('.').fold(variables, |value, key| &value[key.trim()]);
        found.as_str().unwrap_or_default().to_owned()
    }

    /// How it may end.
    pub(super) fn outcomes(&self) -> &'static [&'static str] {
        match self.text("operation") {
            "create" => &["created"],
            "get" => &["read"],
            "find" => &["found"],
            "update" => &["updated", "unchanged"],
            "upsert" => &["created", "updated"],
            "delete" => &["deleted"],
            "count" => &["counted"],
            _ => &["started"],
        }
    }

    /// Whether the result tells which record it was.
    pub(super) fn is_about_one_record(&self) -> bool {
        matches!(self.text("operation"), "create" | "get" | "update" | "upsert")
    }
}
