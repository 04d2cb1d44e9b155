//! The command line, and the only place where parts are wired together.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use clap::{Args, Parser, Subcommand};

use crate::{
    config::{Config, Environment, Mistakes},
    secret_store,
    servicenow::http,
    zeebe,
};

mod check;
mod demo;
mod dev;
mod feel;
mod narrator;
mod run;
mod sandbox;
mod signals;
mod stage;
mod templates;

/// Camunda 8 (Zeebe) job worker for ServiceNow.
#[derive(Debug, Parser)]
#[command(version, about, propagate_version = true, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the worker.
    #[command(after_help = "Example: servicenow-worker run --config worker.toml")]
    Run(run::Options),
    /// Read the configuration with its files and secrets, report every mistake, connect nowhere.
    #[command(after_help = "Example: servicenow-worker check --config worker.toml")]
    Check(ConfigFile),
    /// See the main job done: sandbox, engine and worker on bundled processes, told step by step.
    #[command(after_help = "Example: servicenow-worker demo")]
    Demo(demo::Options),
    /// Run your own BPMN files against sandbox, dev engine and worker, redeployed on change.
    #[command(after_help = dev::EXAMPLES)]
    Dev(dev::Options),
    /// Run the ServiceNow emulator alone.
    #[command(after_help = "Example: servicenow-worker sandbox --listen 127.0.0.1:8085")]
    Sandbox(sandbox::Options),
    /// Evaluate a FEEL expression as the worker would.
    #[command(after_help = "Example: servicenow-worker feel '={id: response.body.result.sys_id}' \
                      --context answer.json")]
    Feel(feel::Options),
    /// Write the element templates for Camunda Modeler.
    #[command(after_help = "Example: servicenow-worker templates --out .camunda/element-templates")]
    Templates(templates::Options),
}

#[derive(Args, Debug)]
struct ConfigFile {
    /// The TOML file; without it the environment alone is read.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done,
    /// Wrong usage or configuration.
    Usage,
    /// Something needed cannot be reached.
    Unreachable,
    /// An internal error.
    Internal,
}

impl Exit {
    /// The exit that an error calls for.
    pub fn of(error: &anyhow::Error) -> Self {
        if error.is::<Mistakes>()
            || error.is::<Unusable>()
            || error.is::<http::Error>()
            || error.is::<zeebe::Error>()
            || error.is::<secret_store::Error>()
        {
            Self::Usage
        } else if error.is::<Unlistenable>()
            || error.is::<stage::NoGateway>()
            || error.is::<dev::NotRunning>()
        {
            Self::Unreachable
        } else {
            Self::Internal
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Usage => 64,
            Exit::Unreachable => 69,
            Exit::Internal => 70,
        })
    }
}

/// An argument or file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Unusable(String);

/// An address that cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error(
    "{setting}: cannot listen on {address}: {error}; choose another address, or port 0 for a free one"
)]
struct Unlistenable {
    setting: &'static str,
    address: String,
    error: std::io::Error,
}

impl Cli {
    /// Runs the command to its end.
    pub fn run(self) -> anyhow::Result<Exit> {
        match self.command {
            Command::Run(options) => run::run(&options),
            Command::Check(file) => check::run(&file),
            Command::Demo(options) => demo::run(&options),
            Command::Dev(options) => dev::run(options),
            Command::Sandbox(options) => sandbox::run(options),
            Command::Feel(options) => feel::run(options),
            Command::Templates(options) => templates::run(&options),
        }
    }
}

impl ConfigFile {
    fn read(&self) -> anyhow::Result<(Config, Environment)> {
        let file = self.config.as_deref().map(read_text).transpose()?;
        let environment = Environment::of_the_process();
        let config = Config::read(file.as_deref(), &environment)?;
        Ok((config, environment))
    }
}

fn read_text(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path)
        .map_err(|error| Unusable(format!("cannot read {}: {error}", path.display())).into())
}

/// Listens, or says which address is taken.
async fn listen(setting: &'static str, address: &str) -> anyhow::Result<tokio::net::TcpListener> {
    let listener = tokio::net::TcpListener::bind(address).await;
    listener.map_err(|error| Unlistenable { setting, address: address.to_owned(), error }.into())
}

/// For calls of the commands' own to servers on this machine.
fn local_client() -> anyhow::Result<reqwest::Client> {
    let tls = crate::tls::client_config(None)?;
    let client = reqwest::Client::builder().tls_backend_preconfigured(tls).no_proxy();
    Ok(client.timeout(std::time::Duration::from_secs(10)).build()?)
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")
}

/// A line beside what the command was asked for.
#[expect(clippy::print_stderr, reason = "the commands' own output")]
fn warn(line: &str) {
    eprintln!("warning: {line}");
}

/// A line on standard output: what the command was asked for.
#[expect(clippy::print_stdout, reason = "the commands' own output")]
fn say(line: &str) {
    println!("{line}");
}
