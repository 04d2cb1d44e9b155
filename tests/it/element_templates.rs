//! The committed element templates are those of the code, and the command writes them.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use servicenow_worker::templates::{
    self,
    release::{Files, VERSIONS, Versions, digest, files},
};

fn committed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("element-templates")
}

/// A folder's files by their path within it.
fn read(folder: &Path) -> Files {
    let mut found = Files::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

fn write_to(folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_servicenow-worker"))
        .args(["templates", "--out"])
        .arg(folder)
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[test]
fn the_committed_files_are_what_the_code_describes() {
    let committed = read(&committed());
    let wanted =
        files(&templates::all().unwrap(), &committed).unwrap_or_else(|why| panic!("{why}"));
    let differing: Vec<_> =
        wanted.iter().filter(|(path, text)| committed.get(*path) != Some(text)).collect();
    let names: Vec<_> = differing.iter().map(|(path, _)| path).collect();
    assert!(names.is_empty(), "run `servicenow-worker templates`: {names:?} differ from the code");
}

#[test]
fn every_released_version_is_there_and_as_it_was() {
    let committed = read(&committed());
    let versions = Versions::parse(&committed[VERSIONS]).unwrap();
    let current = templates::all().unwrap();
    let mut known = BTreeSet::from([VERSIONS.to_owned()]);
    for (path, recorded) in versions.paths(&current) {
        let text = committed.get(&path).unwrap_or_else(|| panic!("{path} is missing"));
        assert_eq!(digest(text), recorded, "{path}");
        known.insert(path);
    }
    let stray: Vec<_> = committed.keys().filter(|path| !known.contains(*path)).collect();
    assert!(stray.is_empty(), "{stray:?} are no templates");
}

#[test]
fn the_command_writes_the_committed_files_and_does_so_again() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("a/b");
    for _ in 0..2 {
        let output = write_to(&out);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{output:?}");
        assert!(said.starts_with("21 templates in "), "{said}");
    }
    let newest = |files: Files| {
        let files = files.into_iter().filter(|(path, _)| !path.starts_with("versioned/"));
        files.filter(|(path, _)| path != VERSIONS).collect::<Files>()
    };
    assert_eq!(newest(read(&out)), newest(read(&committed())));
}

#[test]
fn the_command_refuses_to_change_what_is_out() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(VERSIONS), "servicenow-record 1 0000\n").unwrap();
    let output = write_to(folder.path());
    assert_eq!(output.status.code(), Some(64));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("template 'servicenow-record' has changed"), "{said}");
    assert_eq!(read(folder.path()).len(), 1, "nothing is written");
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let output = write_to(&file.path().join("inside"));
    assert_eq!(output.status.code(), Some(64));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("inside") && said.starts_with("cannot "), "{said}");
}
