//! Every element template as a modeler leaves it in a diagram, on the real broker.
//!
//! `scripts/check-templates` drops the templates into diagrams, fills in what is required and
//! nothing else, and leaves them in `target/templates` with a list of what they say.

mod applied;
mod cast;

use std::{collections::BTreeMap, io::Write as _};

use serde_json::{Value, json};

use self::{
    applied::{Applied, Place, all, names},
    cast::Cast,
};
use crate::support::{
    patience::{eventually, seconds},
    stage::Stage,
};

/// The longest that one of them may take.
const LIMIT: std::time::Duration = seconds(8);

/// What has been executed, and what went wrong.
#[derive(Default)]
struct Score {
    executed: BTreeMap<String, usize>,
    failures: Vec<String>,
}

impl Score {
    fn note(&mut self, applied: &Applied, outcome: Result<(), String>) {
        match outcome {
            Ok(()) => *self.executed.entry(applied.template.clone()).or_default() += 1,
            Err(why) => self.failures.push(format!("{}: {why}", applied.process)),
        }
    }

    /// Says what ran, past the capture of the test runner, and fails if anything failed.
    fn settle(self, what: &str) {
        let states: usize = self.executed.values().sum();
        let line = format!("{what}: {} templates executed in {states} states", self.executed.len());
        let mut screen = std::io::stderr().lock();
        writeln!(screen, "{line}").unwrap();
        assert!(self.failures.is_empty(), "{line}\n{}", self.failures.join("\n"));
        assert!(states > 0, "nothing was there to execute");
    }
}

#[tokio::test]
async fn every_task_template_does_its_work_with_what_is_required_alone() {
    let stage = Stage::on_the_broker().await;
    let cast = Cast::of(&stage).await;
    let _worker = stage.worker_with(cast.secrets());
    let mut score = Score::default();
    for applied in all().iter().filter(|applied| applied.is_job()) {
        score.note(applied, work(&stage, &cast, applied).await);
    }
    score.settle("tasks");
}

#[tokio::test]
async fn every_event_template_hears_what_it_waits_for() {
    let stage = Stage::on_the_broker().await;
    let cast = Cast::of(&stage).await;
    let mut score = Score::default();
    for applied in all().iter().filter(|applied| !applied.is_job()) {
        score.note(applied, hear(&stage, &cast, applied).await);
    }
    score.settle("events");
}

#[test]
fn no_template_is_left_out() {
    let mut applied: Vec<_> = all().into_iter().map(|applied| applied.template).collect();
    applied.sort();
    applied.dedup();
    assert_eq!(applied, names());
}

/// Runs a task and looks at what comes back without an expression.
async fn work(stage: &Stage, cast: &Cast, applied: &Applied) -> Result<(), String> {
    let variables = cast.variables(stage, applied).await;
    deploy(stage, applied).await?;
    let ended = stage.client.run_within(&applied.process, &variables, LIMIT).await;
    let variables = ended.map_err(|status| format!("does not end: {status}"))?;
    let result = &variables[applied.text("resultVariable")];
    if !applied.outcomes().contains(&result["outcome"].as_str().unwrap_or_default()) {
        return Err(format!("outcome is not {:?}: {variables}", applied.outcomes()));
    }
    let said = |name: &str| result[name].as_str().is_some_and(|text| !text.is_empty());
    if applied.is_about_one_record() && !(said("sysId") && said("number")) {
        return Err(format!("sysId and number are not in the result: {result}"));
    }
    Ok(())
}

/// Lets an event happen and looks whether the process goes on.
async fn hear(stage: &Stage, cast: &Cast, applied: &Applied) -> Result<(), String> {
    let variables = cast.variables(stage, applied).await;
    let payload = json!({"heard": variables["title"]});
    deploy(stage, applied).await?;
    match applied.place {
        Place::Task | Place::Throw => {
            tell(stage, applied, &variables, &payload).await;
            let ended = stage.client.run_within(&applied.process, &variables, LIMIT).await;
            let ended = ended.map_err(|status| format!("does not end: {status}"))?;
            if ended["heard"] == payload["heard"] { Ok(()) } else { Err(format!("{ended}")) }
        }
        Place::Start => {
            tell(stage, applied, &variables, &payload).await;
            await_notice(stage, applied, &payload).await
        }
        Place::Boundary | Place::SubProcessStart => {
            stage.client.start(&applied.process, &variables).await;
            tell(stage, applied, &variables, &payload).await;
            await_notice(stage, applied, &payload).await
        }
    }
}

async fn deploy(stage: &Stage, applied: &Applied) -> Result<(), String> {
    let deployed = stage.client.deploy(vec![applied.path()]).await;
    deployed.map_err(|status| format!("cannot be deployed: {}", status.message()))
}

async fn tell(stage: &Stage, applied: &Applied, variables: &Value, payload: &Value) {
    if let Some(signal) = applied.inputs.get("signal.name") {
        stage.client.broadcast(signal.as_str().unwrap(), payload).await;
        return;
    }
    let key = applied.value("correlationKey", variables);
    stage.client.publish(applied.text("message.name"), &key, payload).await;
}

/// Waits for the job after the event, which only this test does; others are left from
/// processes that heard the same.
async fn await_notice(stage: &Stage, applied: &Applied, payload: &Value) -> Result<(), String> {
    eventually(&format!("'{}' goes on", applied.process), LIMIT, async || {
        let job = stage.client.take("e2e:told", 1).await.pop()?;
        stage.client.complete(&job).await;
        let heard = job.variables.get("heard") == payload.get("heard");
        (job.process == applied.process && heard).then_some(())
    })
    .await;
    Ok(())
}
