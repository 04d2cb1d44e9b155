//! The engine's host, and ServiceNow's.

use std::sync::Arc;

use servicenow_worker::devengine::{
    DevEngine, JobStep, Note, Settings,
    record::{NewInstance, ProcessRef},
};
use tokio::{sync::broadcast::Receiver, time::sleep};
use tokio_util::sync::CancellationToken;

use crate::{
    net::{self, Door},
    scene::Scene,
    world::{TrueTime, World},
};

/// Longest pause between two looks at the incidents.
const LOOK: std::time::Duration = std::time::Duration::from_millis(100);

/// The engine: it starts the process instances, and resolves incidents when the scene says so.
pub(crate) async fn run(scene: Arc<Scene>, world: Arc<World>) -> turmoil::Result {
    let clock = Arc::new(TrueTime);
    let settings = Settings { clock, recorded_calls: usize::MAX, ..Settings::default() };
    let engine = DevEngine::start_on(settings, net::sockets(net::listen().await?))?;
    for (number, file) in scene.processes().iter().enumerate() {
        engine.deploy(&format!("{number}.bpmn"), file.as_bytes())?;
    }
    let notes = engine.events();
    let engine = Arc::new(engine);
    world.engine_is(Arc::clone(&engine));
    tokio::spawn(watch(notes, Arc::clone(&world)));
    start_instances(&scene, &engine, &world).await?;
    for _ in 0..scene.resolves {
        resolve_all(&scene, &engine).await?;
    }
    world.all_is_asked();
    std::future::pending().await
}

async fn start_instances(scene: &Scene, engine: &DevEngine, world: &World) -> turmoil::Result {
    for job in 0..scene.jobs {
        let (process, variables) = scene.instance(job);
        let process = ProcessRef::Latest(process.to_owned());
        engine.create_instance(NewInstance { process, variables, business_id: None })?;
        // Whoever watches keeps up.
        tokio::task::yield_now().await;
        if (job + 1) % scene.burst == 0 {
            sleep(scene.pause).await;
            while world.holds_jobs_back() && engine.gateway().open_jobs() > scene.burst {
                sleep(LOOK).await;
            }
        }
    }
    Ok(())
}

/// Waits until every job has an incident, and gives each another three retries.
async fn resolve_all(scene: &Scene, engine: &DevEngine) -> turmoil::Result {
    while engine.incidents().len() < scene.jobs {
        sleep(LOOK).await;
    }
    for incident in engine.incidents() {
        engine.update_retries(incident.job.ok_or("an incident of no job")?, 3)?;
        engine.resolve(incident.key)?;
    }
    Ok(())
}

/// Counts the locks that ran out.
async fn watch(mut notes: Receiver<Note>, world: Arc<World>) {
    while let Ok(note) = notes.recv().await {
        if let Note::Job(job) = note {
            world.note(&format!("engine: job {} {}", job.key, word(&job.step)));
            if job.step == JobStep::TimedOut {
                world.lock_timed_out();
            }
        }
    }
}

fn word(step: &JobStep) -> String {
    match step {
        JobStep::Activated { .. } => "activated".to_owned(),
        JobStep::Completed { .. } => "completed".to_owned(),
        JobStep::Failed { retries, back_off, message } => {
            format!("failed, {retries} retries, back-off {back_off:?}: {message}")
        }
        JobStep::Thrown { code, .. } => format!("thrown {code}"),
        JobStep::TimedOut => "timed out".to_owned(),
    }
}

/// ServiceNow: the sandbox behind the simulated network.
pub(crate) async fn servicenow(world: Arc<World>) -> turmoil::Result {
    let door = Door(net::listen().await?);
    world.sandbox().run_on(door, CancellationToken::new()).await?;
    Ok(())
}
