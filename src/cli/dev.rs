//! `dev`: a developer's own BPMN files on sandbox, dev engine and worker.

mod control;
mod files;
mod order;

use std::{collections::BTreeSet, path::PathBuf, sync::Arc, time::Duration};

use clap::Args;
use tokio::{
    sync::{broadcast, mpsc},
    time::MissedTickBehavior,
};
use tokio_util::sync::CancellationToken;

pub(super) use control::NotRunning;

use self::{files::Files, order::Order};
use super::{
    Exit, Unlistenable, Unusable, listen,
    narrator::{self, Told, Words},
    runtime, say, signals,
    stage::{Addresses, Engine, Stage},
};
use crate::{
    connector::job_types,
    devengine::{
        DevEngine, Note, Settings,
        record::{Ending, Event},
        runtime::Options as Processes,
    },
    outcome::cut,
};

/// How often files are looked at.
const LOOK: Duration = Duration::from_millis(500);

/// Shown below the help.
pub(super) const EXAMPLES: &str = "\
A stand-in in memory for development: nothing is kept, production is Camunda.

Example: servicenow-worker dev --bpmn order.bpmn
         servicenow-worker dev start order '{\"amount\": 3}'    (in a second terminal)";

/// What to run, or what to ask of the running one.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Options {
    #[command(subcommand)]
    order: Option<Order>,
    /// A BPMN file, or a folder of them; may be given again.
    #[arg(long, value_name = "PATH")]
    bpmn: Vec<PathBuf>,
    /// Where the engine's gateway listens; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:26500")]
    listen: String,
    /// Where the sandbox listens; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8085")]
    sandbox: String,
    /// Where the inbound endpoint listens, open and on this machine only; port 0 takes a free
    /// one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8090")]
    inbound: String,
    /// Complete user tasks at once.
    #[arg(long)]
    complete_user_tasks: bool,
    /// Where orders of a second command are taken.
    #[arg(long, global = true, value_name = "ADDR", default_value = "127.0.0.1:26501")]
    control: String,
}

/// Runs until a stop signal, or gives an order.
pub(super) fn run(options: Options) -> anyhow::Result<Exit> {
    runtime()?.block_on(async {
        match &options.order {
            Some(order) => ask(&options.control, order).await,
            None => serve(options).await,
        }
    })
}

async fn ask(address: &str, order: &Order) -> anyhow::Result<Exit> {
    say(&control::order(address, order).await?.map_err(Unusable)?);
    Ok(Exit::Done)
}

async fn serve(options: Options) -> anyhow::Result<Exit> {
    let stop = signals::stop_token();
    let engine = Arc::new(engine(&options).await?);
    let mut notes = engine.events();
    let mut files = Files::new(options.bpmn);
    files.deploy_all(&engine)?;
    let (telling, told) = mpsc::unbounded_channel();
    narrator::listen(telling.clone());
    let address = engine.address();
    let addresses = Addresses { sandbox: &options.sandbox, inbound: &options.inbound };
    let stage = Stage::start(addresses, &Engine::Own(address.clone()), telling).await?;
    let control = listen("--control", &options.control).await?;
    say(&format!(
        "gateway {address}   sandbox {} (admin/admin)   inbound {}   orders {}\n\
         A stand-in in memory for development: nothing is kept, production is Camunda.\n{}",
        stage.instance,
        stage.endpoint,
        control.local_addr()?,
        order::USAGE
    ));
    if files.is_empty() {
        say("Nothing is deployed: name your files with --bpmn, or deploy to the gateway.");
    }
    let serving = tokio::spawn(control::serve(control, Arc::clone(&engine), stop.clone()));
    attend(&engine, files, &mut notes, told, &stop).await;
    stop.cancel();
    stage.stop().await;
    serving.await??;
    if let Some(engine) = Arc::into_inner(engine) {
        engine.stop().await;
    }
    Ok(Exit::Done)
}

async fn engine(options: &Options) -> anyhow::Result<DevEngine> {
    let listen = options.listen.parse().map_err(|_| {
        Unusable(format!(
            "--listen {}: write an address and a port, e.g. 127.0.0.1:26500",
            options.listen
        ))
    })?;
    let processes = Processes {
        complete_user_tasks_at_once: options.complete_user_tasks,
        ..Processes::default()
    };
    let settings = Settings { listen, processes, ..Settings::default() };
    let taken =
        |error| Unlistenable { setting: "--listen", address: options.listen.clone(), error };
    Ok(DevEngine::start(settings).await.map_err(taken)?)
}

/// Watches files, engine, worker and prompt until the end.
async fn attend(
    engine: &DevEngine,
    mut files: Files,
    notes: &mut broadcast::Receiver<Note>,
    mut told: mpsc::UnboundedReceiver<Told>,
    stop: &CancellationToken,
) {
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut prompt = Some(prompt());
    let mut words = Words::default();
    let mut untaken = BTreeSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            note = notes.recv() => match note {
                Ok(note) => {
                    tell(&note);
                    tell_untaken(&note, &mut untaken);
                }
                Err(broadcast::error::RecvError::Lagged(missed)) => {
                    say(&format!("({missed} events were too fast to be shown)"));
                }
                Err(broadcast::error::RecvError::Closed) => return,
            },
            Some(piece) = told.recv() => words.tell(&piece),
            _ = look.tick() => files.deploy_changed(engine),
            line = next_line(&mut prompt) => match line.as_deref().map(str::trim) {
                Some("quit" | "exit") => return,
                Some("") => {}
                Some(line) => {
                    let answer = Order::parse(line).and_then(|order| order.carry_out(engine));
                    say(&answer.unwrap_or_else(|refused| refused));
                }
                // Without a terminal, `dev` goes on.
                None => prompt = None,
            },
        }
    }
}

/// The lines of standard input. A thread of its own reads them, since a pending read of a
/// terminal cannot be ended.
fn prompt() -> mpsc::UnboundedReceiver<String> {
    let (typed, lines) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if typed.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

async fn next_line(prompt: &mut Option<mpsc::UnboundedReceiver<String>>) -> Option<String> {
    match prompt {
        Some(lines) => lines.recv().await,
        None => std::future::pending().await,
    }
}

/// Tells once of each job type that the worker does not know: a typing error would only wait.
fn tell_untaken(note: &Note, told: &mut BTreeSet<String>) {
    let Note::Process(Event::JobCreated(job)) = note else { return };
    let known: Vec<_> = job_types().iter().map(|known| known.name).collect();
    let is_for_people = job.job_type.starts_with("io.camunda.zeebe:");
    if is_for_people || known.contains(&job.job_type.as_str()) || told.contains(&job.job_type) {
        return;
    }
    say(&format!(
        "waiting   {} at '{}': no worker here takes jobs of type '{}', only {}; one of your own \
         may, at the gateway",
        job.process_instance_key,
        job.element_id,
        job.job_type,
        known.join(", ")
    ));
    told.insert(job.job_type.clone());
}

/// What a developer wants to know of the engine. Jobs are the worker's to tell.
fn tell(note: &Note) {
    let Note::Process(event) = note else { return };
    match event {
        Event::InstanceStarted { instance, process_id, version, .. } => {
            say(&format!("{instance} '{process_id}' version {version} started"));
        }
        Event::IncidentRaised(raised) => say(&format!("incident  {}", order::incident(raised))),
        Event::Warned { instance, element_id, warning } => {
            say(&format!("warning   {instance} at '{element_id}': {warning}"));
        }
        Event::InstanceEnded { instance, how, variables } => {
            let how = match how {
                Ending::Completed => "completed",
                Ending::Cancelled => "cancelled",
            };
            let variables = serde_json::Value::Object(variables.clone()).to_string();
            say(&format!("{instance} {how} with {}", cut(&variables, 300)));
        }
        _ => {}
    }
}
