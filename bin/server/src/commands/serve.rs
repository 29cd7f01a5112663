//! `grateful serve`: find or start the database, migrate, listen, answer until told to stop, stop what was started.

use std::io::Write as _;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use grateful_application::{App, QueryLog, housekeeping};
use grateful_storage::DatabaseConfig;
use grateful_web::{MetricsPage, WebConfig};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::{JoinHandle, spawn_blocking};

use super::{AppFactory, JOB_POOL, REQUEST_POOL, migrate_database};
use crate::config::Settings;
use crate::database::Postgres;
use crate::file_store::FileStore;
use crate::listeners::bind_listeners;
use crate::metrics::MetricsRecorder;

pub(super) async fn serve(settings: Settings) -> anyhow::Result<()> {
    // First, so that a port in use is said before anything is started, and nobody is refused while that takes a while.
    let listeners = listen(&settings.listen)?;
    let mut stop = ShutdownSignal::listen()?;
    let settings = Arc::new(settings);
    let postgres = tokio::select! {
        opened = open(Arc::clone(&settings)) => opened?,
        () = stop.wait() => return Ok(()),
    };
    let outcome = serve_on(&settings, &postgres.config, listeners, &mut stop).await;
    let closed = tokio::select! {
        closed = spawn_blocking(|| postgres.close()) => closed?,
        // It stops without us as well.
        () = stop.wait() => Ok(()),
    };
    outcome.and(closed)
}

/// Off the async threads, which must hear an order to stop meanwhile.
async fn open(settings: Arc<Settings>) -> anyhow::Result<Postgres> {
    spawn_blocking(move || Postgres::open(&settings)).await?
}

async fn serve_on(
    settings: &Settings,
    database: &DatabaseConfig,
    listeners: Vec<TcpListener>,
    stop: &mut ShutdownSignal,
) -> anyhow::Result<()> {
    if settings.migrate {
        tokio::select! {
            migrated = migrate_database(database) => {
                migrated?;
            }
            // A migration that is cut short leaves nothing behind.
            () = stop.wait() => return Ok(()),
        }
    }
    // Before anything is measured.
    let recorder = settings.observability.metrics.then(MetricsRecorder::install).transpose()?;
    let shared = AppFactory::new(settings, database.clone())?;
    let page = recorder.as_ref().map(|recorder| recorder.page(shared.pools.clone()));
    let jobs = shared.app(JOB_POOL);
    let sweepers = [
        tokio::spawn(sweep_files_daily(shared.files.clone(), jobs.clone())),
        tokio::spawn(sweep_hourly(jobs)),
    ];
    let outcome = answer(settings, shared, page, listeners, stop).await;
    sweepers.iter().for_each(JoinHandle::abort);
    outcome
}

async fn answer(
    settings: &Settings,
    shared: AppFactory,
    page: Option<MetricsPage>,
    listeners: Vec<TcpListener>,
    stop: &mut ShutdownSignal,
) -> anyhow::Result<()> {
    let address = listeners.first().context("there is no address to listen on")?.local_addr()?;
    let config = WebConfig {
        allowed_origins: settings.allowed_origins.clone(),
        frontend_url: settings.frontend_url.clone(),
        workers: settings.workers,
        shutdown_timeout: settings.shutdown_timeout,
        limits: settings.limits.as_ref().map(|limits| limits.requests.clone()),
        metrics: page,
        server_timing: settings.observability.server_timing,
        ..WebConfig::default()
    };
    let server = grateful_web::serve(move || shared.app(REQUEST_POOL), &config, listeners)?;
    let handle = server.handle();
    let running = tokio::spawn(server);
    print_ready_line(&format!("http://{address}"))?;

    stop.wait().await;
    tracing::info!("Stopping: requests in flight are finished, new ones are not accepted");
    tokio::select! {
        () = handle.stop(true) => Ok(running.await??),
        // An orderly stop that has begun cannot be hurried; what it waits for ends with this process.
        () = stop.wait() => Ok(()),
    }
}

/// The one line on standard output, by which others find the server.
fn print_ready_line(url: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "listening on {url}")?;
    out.flush()?;
    tracing::info!("Try it out at {url}/docs");
    Ok(())
}

async fn sweep_hourly(app: App) {
    let mut hours = tokio::time::interval(Duration::from_hours(1));
    loop {
        hours.tick().await;
        let (swept, queries) = QueryLog::record(housekeeping::sweep(&app)).await;
        match swept {
            Ok(swept) => tracing::debug!(
                ?swept,
                db.queries = queries.total(),
                db.duration_ms = queries.time().as_millis(),
                "Swept what has expired"
            ),
            Err(error) => {
                tracing::warn!(
                    error = format!("{:#}", anyhow::Error::from(error)),
                    "Sweeping failed, and is tried again in an hour"
                );
            }
        }
    }
}

async fn sweep_files_daily(files: FileStore, app: App) {
    let mut days = tokio::time::interval(Duration::from_hours(24));
    loop {
        days.tick().await;
        match files.sweep(&app).await {
            Ok(removed) => tracing::debug!(removed, "Swept files that nobody needs"),
            Err(error) => tracing::warn!(
                error = format!("{error:#}"),
                "Sweeping files failed, and is tried again in a day"
            ),
        }
    }
}

/// The order to stop, from a terminal or from whatever runs this process.
struct ShutdownSignal {
    interrupt: Signal,
    terminate: Signal,
}

impl ShutdownSignal {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => (),
            _ = self.terminate.recv() => (),
        }
    }
}
