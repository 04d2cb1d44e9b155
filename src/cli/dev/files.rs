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

    /// Deploys everything; a path that is not there or a file that is refused is an error.
    pub(super) fn deploy_all(&mut self, engine: &DevEngine) -> anyhow::Result<()> {
        for path in &self.paths {
            if !path.exists() {
                return Err(Unusable(format!("--bpmn {}: no such file", path.display())).into());
            }
        }
        for (path, modified) in self.current() {
            deploy(engine, &path).map_err(Unusable)?;
            self.seen.insert(path, modified);
        }
        if self.seen.is_empty() && !self.paths.is_empty() {
            return Err(Unusable("--bpmn: there is no .bpmn file in it".to_owned()).into());
        }
        Ok(())
    }

    /// Deploys what is new or has changed; a file that is refused is told of, and its earlier
    /// version stays.
    pub(super) fn deploy_changed(&mut self, engine: &DevEngine) {
        for (path, modified) in self.current() {
            if self.seen.get(&path) == Some(&modified) {
                continue;
            }
            if let Err(refused) = deploy(engine, &path) {
                say(&format!("not deployed: {refused}"));
            }
            self.seen.insert(path, modified);
        }
    }

    /// The files as they are now, with the time of their last change.
    fn current(&self) -> Vec<(PathBuf, Option<SystemTime>)> {
        let mut files = Vec::new();
        for path in &self.paths {
            if path.is_dir() {
                let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
                files.extend(entries.map(|entry| entry.path()).filter(|path| is_bpmn(path)));
            } else {
                files.push(path.clone());
            }
        }
        files.sort();
        let modified = |path: &Path| path.metadata().and_then(|data| data.modified()).ok();
        files.into_iter().map(|path| (path.clone(), modified(&path))).collect()
    }
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
