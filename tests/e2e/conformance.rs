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
use crate::support::stage::Stage;

/// The cases that went another way on an engine, as they went there.
async fn differences(engine: &str, calls: &Calls, mut paths: Paths<'_>) -> String {
    let (mut report, mut count) = (String::new(), 0);
    for case in script::lists().iter().flat_map(|list| script::cases(list)) {
        if case.excepts(engine) || !is_asked_for(&case) {
            continue;
        }
        let went = play(calls, &case, &mut paths, false).await;
        let mut expected = case;
        if !paths.are_told() || expected.excepts("in-memory engine") {
            expected.paths.clone_from(&went.paths);
        }
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
    asked("CONFORMANCE_CASE").is_none_or(begins)
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

/// Both side by side: `-` is written, `+` is what happened.
fn compared(expected: &Case, went: &Case) -> String {
    let mut report = format!("# {}\n", went.name);
    let steps = expected.steps.iter().zip(&went.steps);
    let steps = steps.map(|(is, went)| (is.command.as_str(), &is.outcome, &went.outcome));
    for (command, should, is) in steps.chain([("path", &expected.paths, &went.paths)]) {
        _ = writeln!(report, "{command}");
        let (should, mark) = if is == should { (&[][..], ' ') } else { (&should[..], '+') };
        for line in should {
            _ = writeln!(report, "- {line}");
        }
        for line in is {
            _ = writeln!(report, "{mark} {line}");
        }
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
    let stage = Stage::on_the_broker().await;
    let calls = Calls::of(stage.engine.gateway());
    let report = differences("real broker", &calls, Paths::Untold).await;
    assert!(report.is_empty(), "{report}");
}

#[tokio::test]
async fn the_in_memory_engine_does_as_written() {
    if is_recording() {
        return;
    }
    let stage = Stage::in_memory().await;
    let calls = Calls::of(stage.engine.gateway());
    let report = differences("in-memory engine", &calls, Paths::of_records(&stage.engine)).await;
    assert!(report.is_empty(), "{report}");
}

fn is_recording() -> bool {
    asked("CONFORMANCE").is_some_and(|what| what == "record")
}

/// What the environment asks for.
fn asked(name: &str) -> Option<String> {
    Some(std::env::var_os(name)?.into_string().unwrap())
}

/// Writes the lists anew: outcomes as the broker has them, paths as the in-memory engine.
async fn record() {
    let (broker, in_memory) = (Stage::on_the_broker().await, Stage::in_memory().await);
    let mut paths = Paths::of_records(&in_memory.engine);
    let (broker, in_memory) =
        (Calls::of(broker.engine.gateway()), Calls::of(in_memory.engine.gateway()));
    for list in script::lists() {
        let file = script::folder().join(format!("{list}.txt"));
        let old = std::fs::read_to_string(&file).unwrap();
        let mut text = old.split("\n\n# ").next().unwrap().to_owned();
        for mut case in script::cases(&list) {
            if is_asked_for(&case) {
                case = recorded(case, &broker, &in_memory, &mut paths).await;
            }
            _ = write!(text, "\n\n{}{}", case.head(), case.text().trim_end());
        }
        std::fs::write(&file, text + "\n").unwrap();
    }
}

/// The case as the engines play it; what the broker is not asked, the in-memory engine is.
async fn recorded(case: Case, broker: &Calls, in_memory: &Calls, paths: &mut Paths<'_>) -> Case {
    if case.excepts("real broker") {
        return play(in_memory, &case, paths, true).await;
    }
    let went = play(broker, &case, &mut Paths::Untold, true).await;
    if case.excepts("in-memory engine") {
        return went;
    }
    let told = play(in_memory, &went, paths, false).await.paths;
    Case { paths: told, ..went }
}
