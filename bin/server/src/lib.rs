#![doc = include_str!("../README.md")]

mod commands;
mod config;
mod database;
mod file_store;
mod listeners;
mod logging;
mod metrics;

use std::process::ExitCode;

use clap::Parser as _;

use crate::config::{Cli, Command, Settings};

/// Requests allocate many small things on many threads, which this allocator is made for.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Does what the command line says, and returns what the shell should see.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let command = cli.command.clone().unwrap_or(Command::Serve);
    let outcome = Settings::check(cli.settings).map_err(anyhow::Error::from).and_then(|settings| {
        logging::init(&settings.log);
        let runtime = runtime()?;
        let outcome = runtime.block_on(commands::run(command, settings));
        // Whoever was told to stop at once does not wait for what still runs on other threads.
        runtime.shutdown_background();
        outcome
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("grateful: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// For starting, stopping and jobs: every thread that answers requests brings a runtime of its own.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?)
}
