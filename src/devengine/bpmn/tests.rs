//! Files in small: read ones by the elements they give, refused ones by the reasons.

mod describe;

use std::path::Path;

use super::{Process, read};

const BPMN: &str = "http://www.omg.org/spec/BPMN/20100524/MODEL";
const ZEEBE: &str = "http://camunda.org/schema/zeebe/1.0";

/// A case of one of the lists.
struct Case {
    title: String,
    expected: Vec<String>,
    file: String,
}

/// The cases of a list; lines of expectation begin with `mark`.
fn cases(list: &str, mark: &str) -> Vec<Case> {
    let blocks = list.split("\n\n").skip(1).filter(|block| !block.trim().is_empty());
    blocks.map(|block| case(block.trim(), mark)).collect()
}

fn case(block: &str, mark: &str) -> Case {
    let (title, rest) = block.split_once('\n').unwrap();
    let expected = rest.lines().map_while(|line| line.strip_prefix(mark)).map(str::to_owned);
    let expected: Vec<_> = expected.collect();
    let body: Vec<_> = rest.lines().skip(expected.len()).collect();
    let body = body.join("\n");
    let file = body.strip_prefix("@file\n").map_or_else(|| wrapped(&body), str::to_owned);
    Case { title: title.trim_start_matches("# ").to_owned(), expected, file }
}

fn wrapped(body: &str) -> String {
    let (inside, beside) = body.split_once("\n--\n").unwrap_or((body, ""));
    format!(
        "<definitions xmlns=\"{BPMN}\" xmlns:z=\"{ZEEBE}\" id=\"definitions\">\
         <process id=\"p\" isExecutable=\"true\">{inside}</process>{beside}</definitions>"
    )
}

fn problems(file: &str) -> Vec<String> {
    match read(file) {
        Ok(_) => Vec::new(),
        Err(error) => error.problems.iter().map(ToString::to_string).collect(),
    }
}

/// The cases whose answer is another one, with both.
fn mismatches(list: &str, mark: &str, answer: impl Fn(&str) -> Vec<String>) -> String {
    let report = |Case { title, expected, file }: Case| {
        let found = answer(&file);
        let (is, should) = (found.join("\n"), expected.join("\n"));
        (found != expected || found.is_empty())
            .then(|| format!("# {title}\n{is}\ninstead of\n{should}\n"))
    };
    cases(list, mark).into_iter().filter_map(report).collect()
}

#[test]
fn what_the_engine_knows_is_read_as_it_stands() {
    let answer = |file: &str| match read(file) {
        Ok(processes) => describe::process(&processes[0]),
        Err(error) => vec![error.to_string()],
    };
    let mismatches = mismatches(include_str!("tests/accepted.txt"), "> ", answer);
    assert!(mismatches.is_empty(), "{mismatches}");
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let mismatches = mismatches(include_str!("tests/refused.txt"), "! ", problems);
    assert!(mismatches.is_empty(), "{mismatches}");
}

#[test]
fn prefixes_and_a_byte_order_mark_do_not_matter() {
    let file = format!(
        "\u{feff}<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <b:definitions xmlns:b=\"{BPMN}\" xmlns:other=\"{ZEEBE}\" xmlns:x=\"urn:x\">\
         <b:process id=\"p\" name=\"Mine\" isExecutable=\"true\"><x:complexGateway/>\
         <b:startEvent id=\"s\"/><b:serviceTask id=\"t\" name=\"Do\"><b:extensionElements>\
         <other:taskDefinition type=\"a\"/><x:taskDefinition type=\"b\"/>\
         </b:extensionElements></b:serviceTask><b:endEvent id=\"e\">\
         <b:signalEventDefinition signalRef=\"b:g\"/></b:endEvent></b:process>\
         <b:signal id=\"g\" name=\"go\"/></b:definitions>"
    );
    let processes = read(&file).unwrap();
    assert_eq!(
        describe::process(&processes[0]),
        ["s: start", "t: job 'a' x3 {}", "e: end, signal 'go'"]
    );
    assert_eq!(
        (processes[0].name.as_str(), processes[0].elements[1].name.as_str()),
        ("Mine", "Do")
    );
}

#[test]
fn only_executable_processes_are_read_and_all_of_them() {
    let process = |id: &str, executable: &str| {
        format!(
            "<process id=\"{id}\" isExecutable=\"{executable}\"><startEvent id=\"s{id}\"/></process>"
        )
    };
    let (a, b, c) = (process("a", "true"), process("b", "false"), process("c", "1"));
    let file = format!("<definitions xmlns=\"{BPMN}\">{a}{b}{c}</definitions>");
    let ids: Vec<_> = read(&file).unwrap().into_iter().map(|process| process.id).collect();
    assert_eq!(ids, ["a", "c"]);
}

#[test]
fn a_file_beyond_the_limits_is_refused() {
    let large = problems(&wrapped(&" ".repeat(4 << 20)));
    assert!(large[0].ends_with("bytes; a process of at most 4194304 bytes can be deployed"));
    let many = problems(&wrapped(&"<a/>".repeat(600_000)));
    assert_eq!(many, ["the file has more than 500000 XML nodes; split it"]);
    let nested = format!("{}{}", "<subProcess>".repeat(5_000), "</subProcess>".repeat(5_000));
    let nested = problems(&wrapped(&nested));
    assert!(nested.iter().any(|problem| {
        problem.ends_with("sub-processes are nested more than 32 deep; flatten them")
    }));
}

#[test]
fn deeply_nested_xml_does_not_exhaust_the_stack() {
    let nested = format!("{}{}", "<a>".repeat(200_000), "</a>".repeat(200_000));
    assert_eq!(problems(&nested).len(), 1);
}

#[test]
fn every_bundled_process_is_read() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = ["examples", "tests/e2e/bpmn"].iter().flat_map(|folder| {
        std::fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path())
    });
    let files: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|e| e == "bpmn")).collect();
    assert!(!files.is_empty());
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let processes = read(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        assert!(processes.iter().all(is_whole), "{}", file.display());
    }
}

/// Whether all indices point to something, and both ways.
fn is_whole(process: &Process) -> bool {
    let elements = &process.elements;
    process.flows.iter().enumerate().all(|(index, flow)| {
        elements[flow.source].outgoing.contains(&index)
            && elements[flow.target].incoming.contains(&index)
    })
}
