//! Who may use whom, held by reading the `use` paths of every file.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// A part of the crate: the files it owns and what they may use of the crate and of the
/// crates that do I/O.
struct Part {
    files: &'static [&'static str],
    modules: &'static [&'static str],
    io: &'static [&'static str],
}

/// Crates through which I/O, time or threads enter.
const IO_CRATES: &[&str] = &[
    "axum",
    "hyper",
    "reqwest",
    "rustix",
    "rustls",
    "tokio",
    "tokio_rustls",
    "tokio_util",
    "tonic",
    "prost",
];

const WORDS: &[&str] = &["servicenow", "outcome"];

/// The table of `docs/architecture.md`. A file belongs to the first part that names it.
const PARTS: &[Part] = &[
    Part { files: &["job.rs"], modules: &[], io: &[] },
    Part { files: &["crash_point.rs"], modules: &["crash_point"], io: &[] },
    Part { files: &["outcome.rs"], modules: &["job"], io: &[] },
    Part { files: &["feel"], modules: &["feel"], io: &[] },
    Part {
        files: &["servicenow/http", "servicenow/auth"],
        modules: &["outcome", "ports", "servicenow", "tls"],
        io: &["reqwest", "rustls", "tokio"],
    },
    Part { files: &["servicenow"], modules: WORDS, io: &[] },
    Part {
        files: &["connector"],
        modules: &["connector", "feel", "job", "outcome", "servicenow"],
        io: &[],
    },
    Part { files: &["templates"], modules: &["templates"], io: &[] },
    Part { files: &["ports"], modules: &["job", "outcome", "servicenow"], io: &[] },
    Part { files: &["clock.rs"], modules: &["ports"], io: &[] },
    Part { files: &["tls.rs"], modules: &[], io: &["rustls"] },
    Part {
        files: &["zeebe"],
        modules: &["job", "outcome", "ports", "tls", "zeebe"],
        io: &["prost", "reqwest", "rustls", "tokio", "tonic"],
    },
    Part { files: &["secret_store"], modules: &["ports", "secret_store"], io: &["tokio"] },
    Part {
        files: &["metrics.rs"],
        modules: &["connector", "outcome", "servicenow"],
        io: &["tokio"],
    },
    Part {
        files: &["worker"],
        modules: &["connector", "job", "metrics", "outcome", "ports", "servicenow", "worker"],
        io: &["tokio", "tokio_util"],
    },
    Part { files: &["inbound/jwks"], modules: &["inbound", "tls"], io: &["reqwest", "tokio"] },
    Part {
        files: &["inbound"],
        modules: &["connector", "feel", "inbound", "job", "metrics", "outcome", "ports"],
        io: &["axum", "hyper", "rustls", "tokio", "tokio_rustls", "tokio_util"],
    },
    Part {
        files: &["sandbox"],
        modules: &["clock", "outcome", "ports", "sandbox", "servicenow"],
        io: &["axum", "hyper", "reqwest", "rustls", "tokio", "tokio_rustls", "tokio_util"],
    },
    Part {
        files: &["devengine/bpmn", "devengine/record.rs", "devengine/runtime"],
        modules: &["devengine", "feel"],
        io: &[],
    },
    Part {
        files: &["devengine"],
        modules: &["clock", "devengine", "ports", "zeebe"],
        io: &["tokio", "tokio_util", "tonic"],
    },
    Part {
        files: &["management.rs"],
        modules: &["metrics", "ports"],
        io: &["axum", "tokio", "tokio_util"],
    },
    Part { files: &["telemetry"], modules: &[], io: &[] },
    Part { files: &["memory_image.rs"], modules: &[], io: &["rustix"] },
    Part {
        files: &["config"],
        modules: &[
            "config",
            "connector",
            "inbound",
            "management",
            "ports",
            "secret_store",
            "servicenow",
            "telemetry",
            "tls",
            "worker",
            "zeebe",
        ],
        io: &[],
    },
];

/// Wiring: may use everything.
const WIRING: &[&str] = &["main.rs", "lib.rs", "cli", "fuzzing.rs"];

#[test]
fn every_module_uses_only_what_the_table_allows() {
    let source = source();
    let mut breaches = Vec::new();
    for file in rust_files(&source) {
        let name = file.strip_prefix(&source).unwrap().to_str().unwrap().to_owned();
        if is_test(&name) || WIRING.iter().any(|part| owns(part, &name)) {
            continue;
        }
        let part = PARTS.iter().find(|part| part.files.iter().any(|owner| owns(owner, &name)));
        let Some(part) = part else {
            breaches.push(format!("{name} is in no part of the table"));
            continue;
        };
        let text = fs::read_to_string(&file).unwrap();
        for used in crate_modules(&text) {
            if !part.modules.contains(&used.as_str()) {
                breaches.push(format!("{name} uses crate::{used}"));
            }
        }
        for used in IO_CRATES.iter().filter(|io| mentions(&text, io)) {
            if !part.io.contains(used) {
                breaches.push(format!("{name} uses {used}"));
            }
        }
    }
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

#[test]
fn the_sandbox_shares_no_code_with_the_client_it_tests() {
    let source = source();
    let mut breaches = Vec::new();
    // By the path within the crate: the checkout itself may stand in a folder of that name.
    let is_sandbox =
        |file: &PathBuf| file.strip_prefix(&source).unwrap().to_str().unwrap().contains("sandbox");
    for file in rust_files(&source).filter(is_sandbox) {
        let text = fs::read_to_string(&file).unwrap();
        for shared in ["servicenow::http", "servicenow::encoded_query", "servicenow::response"] {
            if !file.ends_with("cli/sandbox.rs") && text.contains(shared) {
                breaches.push(format!("{} uses {shared}", file.display()));
            }
        }
    }
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

#[test]
fn the_dev_engine_shares_only_messages_with_the_client_it_serves() {
    let source = source();
    let mut breaches = Vec::new();
    for file in rust_files(&source.join("devengine")).chain([source.join("devengine.rs")]) {
        let text = code_of(&fs::read_to_string(&file).unwrap());
        for (at, _) in text.match_indices("zeebe::") {
            if !text[at + "zeebe::".len()..].starts_with("proto") {
                breaches.push(file.display().to_string());
            }
        }
    }
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

#[test]
fn pure_modules_refuse_io_types_by_lint() {
    let source = source();
    for pure in [
        "job.rs",
        "outcome.rs",
        "feel.rs",
        "connector.rs",
        "templates.rs",
        "servicenow/request.rs",
        "devengine/bpmn.rs",
        "devengine/runtime.rs",
    ] {
        let text = fs::read_to_string(source.join(pure)).unwrap();
        assert!(text.contains("#![deny(clippy::disallowed_types)]"), "{pure}");
    }
}

#[test]
fn no_source_file_is_too_long_for_a_stranger() {
    let long: Vec<_> = rust_files(&source())
        .map(|file| (fs::read_to_string(&file).unwrap().lines().count(), file))
        .filter(|(lines, file)| *lines > 400 && !file.ends_with("tests.rs"))
        .collect();
    assert!(long.is_empty(), "over 400 lines: {long:?}");
}

#[test]
fn the_architecture_page_names_files_that_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/architecture.md")).unwrap();
    let named = page.split('`').skip(1).step_by(2).filter(|text| is_rust(text));
    let named: Vec<_> = named.filter(|path| !path.contains('<')).collect();
    let missing: Vec<_> = named
        .iter()
        .filter(|path| !root.join("src").join(path).exists() && !root.join(path).exists())
        .collect();
    assert!(named.len() > 15 && missing.is_empty(), "{missing:?} of {named:?}");
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn is_rust(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "rs")
}

fn is_test(name: &str) -> bool {
    name.ends_with("/tests.rs") || name.contains("/tests/")
}

/// `owner` names a file (`job.rs`) or a module with its folder (`worker`).
fn owns(owner: &str, name: &str) -> bool {
    name == owner || name == format!("{owner}.rs") || name.starts_with(&format!("{owner}/"))
}

fn rust_files(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.into_iter()
}

/// The modules behind `crate::x` and `use crate::{x::…, y}`, tests and comments left out.
fn crate_modules(text: &str) -> BTreeSet<String> {
    let code = code_of(text);
    let mut modules = BTreeSet::new();
    for (start, _) in code.match_indices("crate::") {
        let rest = &code[start + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            modules.extend(top_level_names(group));
        } else {
            modules.extend(leading_name(rest));
        }
    }
    modules
}

/// The names that stand at the first level of a `{…}` group.
fn top_level_names(group: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut depth = 0;
    let mut at_start = true;
    for (index, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => at_start = true,
            c if at_start && depth == 0 && !c.is_whitespace() => {
                names.extend(leading_name(&group[index..]));
                at_start = false;
            }
            _ => {}
        }
    }
    names
}

fn leading_name(text: &str) -> Option<String> {
    let name: String = text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    (!name.is_empty()).then_some(name)
}

fn mentions(text: &str, name: &str) -> bool {
    let code = code_of(text);
    let path = format!("{name}::");
    code.match_indices(&path)
        .any(|(at, _)| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':'))
}

/// Code without comments and without the tests at a file's end.
fn code_of(text: &str) -> String {
    let before_tests = text.split("#[cfg(test)]").next().unwrap_or(text);
    let lines = before_tests.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}
