//! The demo's words: what happens, line by line, and a table at the end.

use std::time::Duration;

use super::{
    super::{
        narrator::{LINE, Words},
        say,
        stage::{Engine, Stage},
    },
    scene::{Callback, Scene},
};
use crate::{job::Variables, outcome::cut};

/// Longest text of the variables at the end.
const END_LINE: usize = 800;

/// The story so far.
#[derive(Debug, Default)]
pub(super) struct Story {
    /// What the worker does.
    pub(super) worker: Words,
    scenes: Vec<[String; 5]>,
}

/// The last line of a demo that stays up.
pub(super) fn stays_up(engine: &Engine, stage: &Stage) {
    say(&format!(
        "\nStaying up: gateway {}, sandbox {} (admin/admin), inbound {}. Ctrl-C ends it.",
        engine.address(),
        stage.instance,
        stage.endpoint
    ));
}

/// What happens outside the process.
pub(super) fn happens(callback: &Callback, what: &str) {
    say(&format!("   meanwhile {}: {}", callback.story, cut(what, LINE)));
}

/// What the inbound endpoint was asked for.
pub(super) fn called(by: &str, status: u16) {
    say(&format!("   inbound   POST /v2/messages/publication by {by}: {status}"));
}

impl Story {
    /// The first lines.
    pub(super) fn begin(engine: &Engine, stage: &Stage) -> Self {
        let gateway = match engine {
            Engine::Own(address) => format!(
                "{address} (the dev engine: a stand-in in memory, nothing is kept; production is Camunda)"
            ),
            Engine::Given(address) => address.clone(),
        };
        say(&format!("ServiceNow  {} (the sandbox, admin/admin)", stage.instance));
        say(&format!("Camunda     {gateway}"));
        say(&format!("inbound     {} (for calls from ServiceNow)", stage.endpoint));
        Self::default()
    }

    /// A scene begins.
    pub(super) fn scene(&mut self, scene: &Scene) {
        (self.worker.jobs, self.worker.calls) = (0, 0);
        say(&format!("\n{}. {}: {}", self.scenes.len() + 1, scene.process, scene.title));
        if let Some((words, ..)) = &scene.fault {
            say(&format!("   fault     {words}"));
        }
        say(&format!("   start     {}", cut(&scene.variables.to_string(), LINE)));
    }

    /// A scene came to its announced end.
    pub(super) fn ended(
        &mut self,
        scene: &Scene,
        variables: &Variables,
        verdict: &str,
        took: Duration,
    ) {
        let variables = serde_json::Value::Object(variables.clone()).to_string();
        say(&format!("   end       {}", cut(&variables, END_LINE)));
        say(&format!("   checked   {verdict}"));
        self.scenes.push([
            scene.process.to_owned(),
            self.worker.jobs.to_string(),
            self.worker.calls.to_string(),
            format!("{} ms", took.as_millis()),
            verdict.to_owned(),
        ]);
    }

    /// The table.
    pub(super) fn end(&self) {
        let head = ["process", "jobs", "requests", "took", "what came of it"].map(str::to_owned);
        let rows: Vec<_> = std::iter::once(&head).chain(&self.scenes).collect();
        let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
        let [name, jobs, calls, took] = [0, 1, 2, 3].map(width);
        say("");
        for row in rows {
            let [process, handled, sent, time, verdict] = row;
            say(&format!(
                "{process:<name$}  {handled:>jobs$}  {sent:>calls$}  {time:>took$}  {verdict}"
            ));
        }
        say("\nAll as announced: each process ended, and no record is there twice.");
    }
}
