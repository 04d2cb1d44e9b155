//! `templates`: writes the element templates for Camunda Modeler.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use clap::Args;

use super::{Exit, Unusable, say};
use crate::templates::{self, release};

/// Where to.
#[derive(Args, Debug)]
pub(super) struct Options {
    /// The folder to write to; it is made if it is not there.
    #[arg(long, value_name = "DIR", default_value = "element-templates")]
    out: PathBuf,
}

/// Writes every template, and keeps former versions that are there.
pub(super) fn run(options: &Options) -> anyhow::Result<Exit> {
    let templates = templates::all()?;
    let out = &options.out;
    let existing = existing(out, &templates)?;
    let files = release::files(&templates, &existing)
        .map_err(|error| Unusable(format!("{}: {error}", out.display())))?;
    for (path, text) in &files {
        write(&out.join(path), text)?;
    }
    say(&format!("{} templates in {}", templates.len(), out.display()));
    Ok(Exit::Done)
}

/// The files that are there of those that may be written.
fn existing(out: &Path, templates: &[templates::Template]) -> anyhow::Result<release::Files> {
    let names = templates.iter().map(|template| format!("{}.json", template.stem()));
    let mut files = release::Files::new();
    for name in names.chain([release::VERSIONS.to_owned()]) {
        match fs::read_to_string(out.join(&name)) {
            Ok(text) => {
                files.insert(name, text);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(unusable("read", &out.join(name), &error)),
        }
    }
    Ok(files)
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let made = path.parent().map_or(Ok(()), fs::create_dir_all);
    made.and_then(|()| fs::write(path, text)).map_err(|error| unusable("write", path, &error))
}

fn unusable(verb: &str, path: &Path, error: &io::Error) -> anyhow::Error {
    Unusable(format!("cannot {verb} {}: {error}", path.display())).into()
}
