//! The BPMN files that are deployed, and again when they change.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::SystemTime,
};

use crate::{
    cli::{Unusable, say},
    devengine::DevEngine,
};

/// Files and folders to look at.
#[derive(Debug)]
pub(super) struct Files {
    paths: Vec<PathBuf>,
    seen: BTreeMap<PathBuf, Option<SystemTime>>,
}

impl Files {
    /// Nothing is deployed yet.
    pub(super) fn new(paths: Vec<PathBuf>) -> Self {
        Self { paths, seen: BTreeMap::new() }
    }

    /// Deploys everything and tells of what is refused. An error is a path that is not there
    /// or has no file in it, and when nothing at all can be deployed.
    pub(super) fn deploy_all(&mut self, engine: &DevEngine) -> anyhow::Result<()> {
        for path in &self.paths {
            let given = format!("--bpmn {}", path.display());
            if !path.exists() {
                return Err(Unusable(format!("{given}: no such file")).into());
            }
            if files_of(path).is_empty() {
                return Err(Unusable(format!("{given}: there is no .bpmn file in it")).into());
            }
        }
        let mut refusals = Vec::new();
        for (path, modified) in self.current() {
            refusals.extend(deploy(engine, &path).err());
            self.seen.insert(path, modified);
        }
        if !refusals.is_empty() && refusals.len() == self.seen.len() {
            return Err(Unusable(refusals.join("\n")).into());
        }
        for refused in refusals {
            not_deployed(&refused);
        }
        Ok(())
    }

    /// Whether there is anything to look at.
    pub(super) fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

    /// Deploys what is new or has changed; a file that is refused is told of, and its earlier
    /// version stays.
    pub(super) fn deploy_changed(&mut self, engine: &DevEngine) {
        for (path, modified) in self.current() {
            if self.seen.get(&path) == Some(&modified) {
                continue;
            }
            if let Err(refused) = deploy(engine, &path) {
                not_deployed(&refused);
            }
            self.seen.insert(path, modified);
        }
    }

    /// The files as they are now, with the time of their last change.
    fn current(&self) -> Vec<(PathBuf, Option<SystemTime>)> {
        let mut files: Vec<_> = self.paths.iter().flat_map(|path| files_of(path)).collect();
        files.sort();
        let modified = |path: &Path| path.metadata().and_then(|data| data.modified()).ok();
        files.into_iter().map(|path| (path.clone(), modified(&path))).collect()
    }
}

/// The file, or the BPMN files in the folder.
fn files_of(path: &Path) -> Vec<PathBuf> {
    if !path.is_dir() {
        return vec![path.to_owned()];
    }
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| is_bpmn(path)).collect()
}

fn not_deployed(refused: &str) {
    say(&format!("not deployed: {refused}"));
}

fn is_bpmn(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "bpmn")
}

fn deploy(engine: &DevEngine, path: &Path) -> Result<(), String> {
    let content =
        std::fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let refused = |refusal| format!("{}: {refusal}", path.display());
    let deployment = engine.deploy(&name, &content).map_err(refused)?;
    for (_, process) in &deployment.processes {
        if !process.is_duplicate {
            say(&format!("deployed '{}' version {}", process.process_id, process.version));
        }
    }
    Ok(())
}
