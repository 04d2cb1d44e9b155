//! The dev engine beside Camunda's engines: the same processes, the same commands, and what
//! follows from each.
//!
//! What must follow is written in the lists under `conformance/`, as the real broker did it
//! (paths: as Camunda's in-memory engine did it). `CONFORMANCE=record cargo e2e conformance`
//! writes them anew.

mod calls;
mod demo;
mod path;
mod play;
mod script;

use std::fmt::Write as _;

use servicenow_worker::devengine::{DevEngine, Settings};

use self::{calls::Calls, path::Paths, play::Play, script::Case};
use crate::support::engine::Engine;

/// The cases that went another way on an engine, as they went there.
async fn differences(engine: &str, calls: &Calls, mut paths: Paths<'_>) -> String {
    let (mut report, mut count) = (String::new(), 0);
    for case in script::lists().iter().flat_map(|list| script::cases(list)) {
        if case.excepts(engine) || !is_asked_for(&case) {
            continue;
        }
        let went = play(calls, &case, &mut paths, false).await;
        let has_paths = paths.are_told() && !case.excepts("in-memory engine");
        let paths_of = |paths: Vec<String>| if has_paths { paths } else { Vec::new() };
        let went = Case { paths: paths_of(went.paths), ..went };
        let expected = Case { paths: paths_of(case.paths.clone()), ..case };
        count += 1;
        if went != expected {
            _ = writeln!(report, "{}", compared(&expected, &went));
        }
    }
    assert!(count > 0);
    report
}

/// Some cases or lists alone: `CONFORMANCE_CASE='jobs;calls: all variables'`.
fn is_asked_for(case: &Case) -> bool {
    let begins = |names: String| names.split(';').any(|name| case.name.starts_with(name));
    std::env::var("CONFORMANCE_CASE").map_or(true, begins)
}

async fn play(calls: &Calls, case: &Case, paths: &mut Paths<'_>, recording: bool) -> Case {
    let low = calls.newest_key().await;
    paths.begin(low);
    let mut play = Play::begin(calls.clone(), case, low, recording).await;
    let steps = play.follow().await;
    let went = Case { steps, paths: paths.told().await, ..case.clone() };
    play.clean_up().await;
    went
}

fn compared(expected: &Case, went: &Case) -> String {
    let (expected, text) = (expected.text(), went.text());
    let mut report = format!("# {}\n", went.name);
    let (mut left, mut right) = (expected.lines().peekable(), text.lines().peekable());
    while left.peek().is_some() || right.peek().is_some() {
        let is_command = |line: &&str| !line.starts_with(' ');
        let command = left.next().into_iter().chain(right.next()).next().unwrap_or_default();
        _ = writeln!(report, "{command}");
        let outcome = |lines: &mut std::iter::Peekable<std::str::Lines<'_>>| {
            let mut all = Vec::new();
            while let Some(line) = lines.next_if(|line| !is_command(line)) {
                all.push(line.to_owned());
            }
            all
        };
        let (is, should) = (outcome(&mut right), outcome(&mut left));
        let marks = if is == should { ["", "  "] } else { ["-", "+"] };
        if is != should {
            should.iter().for_each(|line| _ = writeln!(report, "{}{line}", marks[0]));
        }
        is.iter().for_each(|line| _ = writeln!(report, "{}{line}", marks[1].trim()));
    }
    report
}

#[tokio::test]
async fn the_dev_engine_does_as_written() {
    let engine = DevEngine::start(Settings::default()).await.unwrap();
    let calls = Calls::of(&engine.address());
    let report = differences("dev engine", &calls, Paths::of_notes(engine.events())).await;
    assert!(report.is_empty(), "{report}");
}

#[tokio::test]
async fn the_real_broker_does_as_written() {
    if is_recording() {
        return record().await;
    }
    let calls = Calls::of(Engine::broker().await.gateway());
    let report = differences("broker", &calls, Paths::Untold).await;
    assert!(report.is_empty(), "{report}");
}

#[tokio::test]
async fn the_in_memory_engine_does_as_written() {
    if is_recording() {
        return;
    }
    let engine = Engine::in_memory().await;
    let calls = Calls::of(engine.gateway());
    let report = differences("in-memory engine", &calls, Paths::of_records(&engine)).await;
    assert!(report.is_empty(), "{report}");
}

fn is_recording() -> bool {
    std::env::var("CONFORMANCE").is_ok_and(|what| what == "record")
}

/// Writes the lists anew: outcomes as the broker has them, paths as the in-memory engine.
async fn record() {
    let (broker, in_memory) = (Engine::broker().await, Engine::in_memory().await);
    let (broker, paths) = (Calls::of(broker.gateway()), Calls::of(in_memory.gateway()));
    for list in script::lists() {
        let file = script::folder().join(format!("{list}.txt"));
        let old = std::fs::read_to_string(&file).unwrap();
        let mut text = old.split("\n\n# ").next().unwrap().to_owned();
        for case in script::cases(&list) {
            let mut went = case.clone();
            if is_asked_for(&case) {
                eprintln!("{}", case.name);
                went = play(&broker, &case, &mut Paths::Untold, true).await;
                if !case.excepts("in-memory engine") {
                    let mut told = Paths::of_records(&in_memory);
                    went.paths = play(&paths, &went, &mut told, false).await.paths;
                }
            }
            _ = write!(text, "\n\n{}{}", went.head(), went.text().trim_end());
        }
        std::fs::write(&file, text + "\n").unwrap();
    }
}
