#![doc = include_str!("../README.md")]

mod archive;
mod commands;
mod config;
mod connection_budget;
mod database;
mod file_store;
mod listeners;
mod logging;
mod metrics;
mod open_files;
mod service_manager;
mod site;
mod stream_reader;

use std::process::ExitCode;

/// Requests allocate many small objects on many threads, which this allocator is designed for.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs the command line and returns the exit code.
pub fn run() -> ExitCode {
    let (command, settings) = config::parse(std::env::args_os());
    let result = commands::without_settings(command, settings).and_then(|parsed| {
        let Some((command, settings)) = parsed else { return Ok(()) };
        let _log = logging::init(settings.log_format, &settings.log)?;
        open_files::raise_limit();
        let runtime = runtime()?;
        let result = runtime.block_on(commands::run(command, settings));
        // After a second signal, do not wait for tasks that still run on other threads.
        runtime.shutdown_background();
        result
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("grateful: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The runtime for startup, shutdown and jobs. Every thread that serves requests has its own runtime.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?)
}
