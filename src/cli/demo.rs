//! `demo`: the main job on bundled processes, told step by step.

mod outside;
mod scene;
mod story;

use std::time::Duration;

use clap::Args;
use tokio::{sync::mpsc, time::Instant};

use self::{
    scene::{Callback, Scene},
    story::Story,
};
use super::{
    Exit,
    narrator::Told,
    runtime, signals,
    stage::{self, Addresses, Engine, Stage},
};
use crate::{
    devengine::{self, DevEngine},
    job::Variables,
    outcome::Outcome,
    ports::{CreateInstance, DEFAULT_TENANT, ProcessGateway},
    zeebe::Gateway,
};

/// How long a process may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Against what.
#[derive(Args, Debug)]
pub(super) struct Options {
    /// A real cluster's gateway, in place of the dev engine; credentials come from the
    /// environment, as for `run`.
    #[arg(long, value_name = "URL")]
    gateway: Option<String>,
    /// Stay up afterwards, with sandbox, engine and worker.
    #[arg(long)]
    serve: bool,
}

/// Something ended otherwise than announced.
#[derive(Debug, thiserror::Error)]
#[error("{process}: {difference}")]
struct Different {
    process: &'static str,
    difference: String,
}

/// Runs all scenes.
pub(super) fn run(options: &Options) -> anyhow::Result<Exit> {
    runtime()?.block_on(play(options))
}

async fn play(options: &Options) -> anyhow::Result<Exit> {
    let (own, engine) = if let Some(address) = &options.gateway {
        (None, Engine::Given(address.clone()))
    } else {
        let own = DevEngine::start(devengine::Settings::default()).await?;
        let address = own.address();
        (Some(own), Engine::Own(address))
    };
    let gateway = stage::connect(&engine).await?;
    let (telling, mut told) = mpsc::unbounded_channel();
    let free = Addresses { sandbox: "127.0.0.1:0", inbound: "127.0.0.1:0" };
    let stage = Stage::start(free, &engine, telling).await?;
    let mut story = Story::begin(&engine, &stage);
    for scene in scene::all() {
        perform(&scene, &gateway, &stage, &mut told, &mut story).await?;
    }
    story.end();
    if options.serve {
        story::stays_up(&engine, &stage);
        let stop = signals::stop_token();
        while let Some(Some(piece)) = stop.run_until_cancelled(told.recv()).await {
            story.worker.tell(&piece);
        }
    }
    stage.stop().await;
    if let Some(own) = own {
        own.stop().await;
    }
    Ok(Exit::Done)
}

async fn perform(
    scene: &Scene,
    gateway: &Gateway,
    stage: &Stage,
    told: &mut mpsc::UnboundedReceiver<Told>,
    story: &mut Story,
) -> anyhow::Result<()> {
    story.scene(scene);
    let file = format!("{}.bpmn", scene.process);
    gateway.deploy_resource(&file, scene.bpmn.as_bytes(), DEFAULT_TENANT).await?;
    if let Some((_, calls, fault)) = &scene.fault {
        stage.sandbox.faults().push(calls.clone(), fault.clone());
    }
    let different = |difference| Different { process: scene.process, difference };
    let start = scene.variables.as_object().cloned().unwrap_or_default();
    let begin = Instant::now();
    let instance = CreateInstance::latest(scene.process, start.clone());
    let ending = gateway.create_instance_with_result(&instance, PATIENCE, &[]);
    let mut ending = std::pin::pin!(ending);
    let mut callback = scene.callback.as_ref();
    let ended = loop {
        tokio::select! {
            biased;
            Some(piece) = told.recv() => {
                let due = due(callback, story, &piece);
                story.worker.tell(&piece);
                if let Told::Ended(_, Outcome::Fail { retries: 0, message, .. }) = &piece {
                    return Err(different(format!("a job failed: {message}")).into());
                }
                if let Some((due, variables)) = due {
                    callback = None;
                    outside::happens(stage, due, variables).await.map_err(different)?;
                }
            }
            ended = &mut ending => break ended,
        }
    };
    let ended = ended.map_err(|error| different(format!("did not end: {error}")))?;
    while let Ok(piece) = told.try_recv() {
        story.worker.tell(&piece);
    }
    let variables = ended.variables;
    let verdict = (scene.verdict)(&variables, &stage.sandbox).map_err(different)?;
    story.ended(scene, &variables, &verdict, begin.elapsed());
    Ok(())
}

/// The callback, if its element's job has just completed, and with what.
fn due<'c, 't>(
    callback: Option<&'c Callback>,
    story: &Story,
    piece: &'t Told,
) -> Option<(&'c Callback, &'t Variables)> {
    let callback = callback?;
    match piece {
        Told::Ended(job, Outcome::Complete { variables })
            if story.worker.element_of(job) == Some(callback.after) =>
        {
            Some((callback, variables))
        }
        _ => None,
    }
}
