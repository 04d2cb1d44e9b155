//! Cases as they are written down: which files, which commands, what follows from each.
//!
//! A case is a title, the files to deploy, job types besides `work` to look for, and then a
//! command a line with its outcome indented below; at the end the path of every process
//! instance, for the engines that tell it: `+a` entered, `-a` completed, `x a` terminated.

use std::{fmt::Write as _, fs, path::PathBuf};

/// A script of commands on some processes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Case {
    /// The list it stands in, and its title.
    pub(crate) name: String,
    /// Files to deploy, without their ending; the process in each has the same name.
    pub(crate) files: Vec<String>,
    /// Job types to look for.
    pub(crate) types: Vec<String>,
    /// Engines that are not asked, and why.
    pub(crate) except: Option<String>,
    /// What is done and what follows.
    pub(crate) steps: Vec<Step>,
    /// The path of each process instance.
    pub(crate) paths: Vec<String>,
}

/// A command and what follows from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) command: String,
    pub(crate) outcome: Vec<String>,
}

/// The folder with the files and the lists.
pub(crate) fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/conformance"))
}

/// The names of all lists.
pub(crate) fn lists() -> Vec<String> {
    let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let lists = files.filter(|path| path.extension().is_some_and(|ending| ending == "txt"));
    let mut names: Vec<_> =
        lists.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

/// The cases of a list.
pub(crate) fn cases(list: &str) -> Vec<Case> {
    let text = fs::read_to_string(folder().join(format!("{list}.txt"))).unwrap();
    text.split("\n\n# ").skip(1).map(|block| Case::read(list, block)).collect()
}

impl Case {
    fn read(list: &str, block: &str) -> Self {
        let (title, script) = block.split_once('\n').expect("a case has a script");
        let mut case = Self {
            name: format!("{list}: {title}"),
            files: Vec::new(),
            types: vec!["work".to_owned()],
            except: None,
            steps: Vec::new(),
            paths: Vec::new(),
        };
        let mut is_path = false;
        for line in script.lines().filter(|line| !line.is_empty()) {
            let words = || line.split(' ').skip(1).map(str::to_owned);
            if let Some(outcome) = line.strip_prefix("  ") {
                let step = case.steps.last_mut().map(|step| &mut step.outcome);
                let place = if is_path { Some(&mut case.paths) } else { step };
                place.expect("a command comes first").push(outcome.to_owned());
                continue;
            }
            is_path = line == "path";
            match line.split(' ').next() {
                Some("files") => case.files = words().collect(),
                Some("types") => case.types.extend(words()),
                Some("except") => case.except = Some(words().collect::<Vec<_>>().join(" ")),
                Some("path") => {}
                _ => case.steps.push(Step { command: line.to_owned(), outcome: Vec::new() }),
            }
        }
        case
    }

    /// Whether an engine of that name is not asked.
    pub(crate) fn excepts(&self, engine: &str) -> bool {
        self.except.as_ref().is_some_and(|except| except.contains(engine))
    }

    /// Commands and outcomes as they are written in a list.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for Step { command, outcome } in &self.steps {
            _ = writeln!(text, "{command}");
            indent(&mut text, outcome);
        }
        if !self.paths.is_empty() {
            _ = writeln!(text, "path");
            indent(&mut text, &self.paths);
        }
        text
    }

    /// Title, files and types as they are written in a list.
    pub(crate) fn head(&self) -> String {
        let (_, title) = self.name.split_once(": ").unwrap();
        let mut head = format!("# {title}\nfiles {}\n", self.files.join(" "));
        if self.types.len() > 1 {
            _ = writeln!(head, "types {}", self.types[1..].join(" "));
        }
        if let Some(except) = &self.except {
            _ = writeln!(head, "except {except}");
        }
        head
    }
}

fn indent(text: &mut String, lines: &[String]) {
    for line in lines {
        _ = writeln!(text, "  {line}");
    }
}
