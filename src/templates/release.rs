//! Which files a release of the templates consists of.
//!
//! A modeler offers an update when a template's `version` is higher than the one a diagram
//! was made with, and a diagram keeps to the version it was made with until then. So a
//! version that is out may not change: `versions.txt` has a digest of each, and what
//! differs from it is refused. A template whose version was raised leaves its former file
//! under `versioned/`.
#![deny(clippy::disallowed_types)]

use std::{collections::BTreeMap, fmt::Write};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Template, render, text};

/// The file of digests. No JSON: modelers read every JSON file of the folder as templates.
pub const VERSIONS: &str = "versions.txt";

/// Files by their path within the folder of templates.
pub type Files = BTreeMap<String, String>;

/// Digests by template and version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Versions(BTreeMap<(String, u32), String>);

/// Why templates cannot be released.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A line of the file of digests makes no sense.
    #[error("{VERSIONS} line {0} is not understood: write template, version and digest")]
    Line(usize),
    /// A template differs from what is out under its version.
    #[error(
        "template '{name}' has changed, and version {version} of it is out: raise `version` where \
         src/templates describes it, then run `servicenow-worker templates`; only if version \
         {version} was never released take its line out of {VERSIONS} in place of that"
    )]
    Changed {
        /// The template.
        name: String,
        /// Its version.
        version: u32,
    },
    /// A higher version than the template's is out.
    #[error(
        "template '{name}' has version {version}, and version {released} is out: raise `version` \
         above it, or use a newer servicenow-worker"
    )]
    Older {
        /// The template.
        name: String,
        /// Its version.
        version: u32,
        /// The highest that is out.
        released: u32,
    },
}

impl Versions {
    /// Reads lines of template, version and digest.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let versions = lines.map(|(at, line)| {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                [name, version, digest] => {
                    let version = version.parse().map_err(|_| Error::Line(at + 1))?;
                    Ok((((*name).to_owned(), version), (*digest).to_owned()))
                }
                _ => Err(Error::Line(at + 1)),
            }
        });
        versions.collect::<Result<_, _>>().map(Self)
    }

    /// The text of the file.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for ((name, version), digest) in &self.0 {
            // Writing to a text does not fail.
            writeln!(text, "{name} {version} {digest}").unwrap_or_default();
        }
        text
    }

    /// The path of each version's file, with its digest. `current` are the templates as they
    /// are: their files carry no version.
    pub fn paths<'a>(&'a self, current: &'a [Template]) -> impl Iterator<Item = (String, &'a str)> {
        self.0.iter().map(|((name, version), digest)| {
            let is_current = current.iter().any(|t| t.stem() == *name && t.version == *version);
            let path = if is_current { format!("{name}.json") } else { former(name, *version) };
            (path, digest.as_str())
        })
    }

    fn add(&mut self, template: &Template, text: &str) -> Result<(), Error> {
        let (name, version) = (template.stem(), template.version);
        let released = self.0.keys().filter(|(known, _)| *known == name).map(|(_, v)| *v).max();
        if let Some(released) = released.filter(|released| *released > version) {
            return Err(Error::Older { name, version, released });
        }
        let digest = digest(text);
        match self.0.get(&(name.clone(), version)) {
            Some(known) if *known != digest => Err(Error::Changed { name, version }),
            Some(_) => Ok(()),
            None => {
                self.0.insert((name, version), digest);
                Ok(())
            }
        }
    }
}

/// The files to write into a folder that has these.
pub fn files(templates: &[Template], existing: &Files) -> Result<Files, Error> {
    let known = existing.get(VERSIONS).map_or("", String::as_str);
    let mut versions = Versions::parse(known)?;
    let mut files = Files::new();
    for template in templates {
        let path = format!("{}.json", template.stem());
        let text = text(&render(template));
        versions.add(template, &text)?;
        if let Some((version, former_text)) = former_version(template, existing.get(&path)) {
            files.insert(former(&template.stem(), version), former_text.to_owned());
        }
        files.insert(path, text);
    }
    files.insert(VERSIONS.to_owned(), versions.to_text());
    Ok(files)
}

/// A text's digest, as the file of digests has it.
pub fn digest(text: &str) -> String {
    let bytes = Sha256::digest(text.as_bytes());
    bytes.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a text does not fail.
        write!(hex, "{byte:02x}").unwrap_or_default();
        hex
    })
}

/// The file of a version that is no longer the newest.
fn former(stem: &str, version: u32) -> String {
    format!("versioned/{stem}-{version}.json")
}

/// The lower version in a template's file, with the file's text.
fn former_version<'a>(template: &Template, existing: Option<&'a String>) -> Option<(u32, &'a str)> {
    let text = existing?;
    let json: Value = serde_json::from_str(text).ok()?;
    let version = u32::try_from(json.get("version")?.as_u64()?).ok()?;
    (version < template.version).then_some((version, text.as_str()))
}
