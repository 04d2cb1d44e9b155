//! The program: reads the command line, hands over to [`servicenow_worker::cli`], and turns
//! what comes back into an exit code.

use std::process::ExitCode;

use clap::Parser;
use servicenow_worker::cli::{self, Cli};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let asked_for = !error.use_stderr();
            drop(error.print());
            return if asked_for { ExitCode::SUCCESS } else { cli::Exit::Usage.into() };
        }
    };
    match cli.run() {
        Ok(exit) => exit.into(),
        Err(error) => {
            eprint(&error);
            cli::Exit::of(&error).into()
        }
    }
}

#[expect(clippy::print_stderr, reason = "the last word of a program that failed")]
fn eprint(error: &anyhow::Error) {
    eprintln!("{error:#}");
}
