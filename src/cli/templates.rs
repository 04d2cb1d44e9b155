//! `templates`: writes the element templates.

use std::path::PathBuf;

use clap::Args;

use super::{Exit, Unusable, say};
use crate::templates;

/// Where to.
#[derive(Args, Debug)]
pub(super) struct Options {
    /// The folder to write to.
    #[arg(long, value_name = "DIR", default_value = "element-templates")]
    out: PathBuf,
}

/// Writes the files.
pub(super) fn run(options: Options) -> anyhow::Result<Exit> {
    std::fs::create_dir_all(&options.out).map_err(|e| Unusable(e.to_string()))?;
    for t in templates::all()? {
        std::fs::write(
            options.out.join(format!("{}.json", t.stem())),
            templates::text(&templates::render(&t)),
        )?;
    }
    say("done");
    Ok(Exit::Done)
}
