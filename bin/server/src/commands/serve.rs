//! `grateful serve`: opens and migrates the database, listens, serves requests until stopped, and shuts down.

use std::io::Write as _;
use std::net::TcpListener;
use std::sync::Arc;

use anyhow::Context as _;
use grateful_application::App;
use grateful_storage::connection_limit;
use grateful_web::{MetricsPage, WebConfig};
use tokio::task::{JoinHandle, spawn_blocking};

use super::periodic_jobs::{run_pending_jobs, sweep_files_daily, sweep_hourly};
use super::shutdown_signal::ShutdownSignal;
use super::{Apps, migrate_database};
use crate::config::Settings;
use crate::connection_budget::ConnectionBudget;
use crate::database::Postgres;
use crate::listeners::bind_listeners;
use crate::metrics::MetricsRecorder;
use crate::service_manager;
use crate::site::site_routes;

pub(super) async fn serve(settings: Settings) -> anyhow::Result<()> {
    // Bound first: a port in use is reported before anything starts, and early connections wait in the backlog.
    let listeners = bind_listeners(&settings.listen)?;
    let mut shutdown = ShutdownSignal::listen()?;
    let settings = Arc::new(settings);
    let postgres = tokio::select! {
        opened = open(Arc::clone(&settings)) => opened?,
        () = shutdown.wait() => return Ok(()),
    };
    let served = serve_with(&settings, &postgres, listeners, &mut shutdown).await;
    let closed = tokio::select! {
        closed = spawn_blocking(|| postgres.close()) => closed?,
        // A second signal: PostgreSQL stops even if this process does not wait for it.
        () = shutdown.wait() => Ok(()),
    };
    served.and(closed)
}

/// Opens the database on a blocking thread, so that the async threads can handle a shutdown signal meanwhile.
async fn open(settings: Arc<Settings>) -> anyhow::Result<Postgres> {
    spawn_blocking(move || Postgres::open(&settings)).await?
}

async fn serve_with(
    settings: &Settings,
    postgres: &Postgres,
    listeners: Vec<TcpListener>,
    shutdown: &mut ShutdownSignal,
) -> anyhow::Result<()> {
    if !settings.no_migrate {
        service_manager::report_status("Migrating the database");
        tokio::select! {
            migrated = migrate_database(&postgres.config) => {
                migrated?;
            }
            // An interrupted migration is rolled back.
            () = shutdown.wait() => return Ok(()),
        }
    }
    // Installed before the first metric is recorded.
    let recorder = settings.metrics.then(MetricsRecorder::install).transpose()?;
    let apps = Apps::new(settings, postgres.config.clone())?;
    let metrics_page = recorder.as_ref().map(|recorder| recorder.page(apps.pools.clone()));
    warn_if_connections_exceed_limit(&apps.jobs, postgres.connections).await;
    let jobs = [
        tokio::spawn(apps.replicas.clone().watch(apps.database.clone())),
        tokio::spawn(sweep_files_daily(apps.files.clone(), apps.jobs.clone())),
        tokio::spawn(run_pending_jobs(apps.jobs.clone())),
        tokio::spawn(sweep_hourly(apps.jobs.clone())),
    ];
    let served = run_server(settings, apps, metrics_page, listeners, shutdown).await;
    jobs.iter().for_each(JoinHandle::abort);
    served
}

async fn run_server(
    settings: &Settings,
    apps: Apps,
    metrics_page: Option<MetricsPage>,
    listeners: Vec<TcpListener>,
    shutdown: &mut ShutdownSignal,
) -> anyhow::Result<()> {
    let address = listeners.first().context("there is no address to listen on")?.local_addr()?;
    let config = WebConfig {
        allowed_origins: settings.allowed_origins(),
        frontend_url: settings.frontend.url.clone(),
        workers: settings.workers,
        shutdown_timeout: settings.shutdown_timeout,
        limits: settings.request_limits(),
        metrics: metrics_page,
        server_timing: settings.server_timing,
        site: settings.site.then(|| site_routes(&settings.frontend.url, settings.status_access())),
        ..WebConfig::default()
    };
    let server = grateful_web::serve(move || apps.for_requests(), &config, listeners)?;
    let handle = server.handle();
    let running = tokio::spawn(server);
    let url = format!("http://{address}");
    print_ready_line(&url)?;
    service_manager::report_ready(&url);
    tokio::select! {
        () = shutdown.wait() => (),
        () = service_manager::feed_watchdog(address) => (),
    }
    service_manager::report_stopping();
    tracing::info!("Shutting down: finishing requests in flight, accepting no new ones");
    tokio::select! {
        () = handle.stop(true) => Ok(running.await??),
        // A graceful shutdown in progress cannot be shortened; its remaining requests end with this process.
        () = shutdown.wait() => Ok(()),
    }
}

/// Otherwise the missing connections would first be noticed under load, as errors of single requests.
async fn warn_if_connections_exceed_limit(app: &App, connections: ConnectionBudget) {
    let limit = async { connection_limit(&mut *app.db.acquire().await?).await };
    // Without an answer there is nothing to compare, and `/readyz` reports that the database is unreachable.
    let Ok(limit) = limit.await else { return };
    let needed = connections.total();
    if usize::try_from(limit).is_ok_and(|limit| limit < needed) {
        tracing::warn!(
            limit,
            needed,
            "The connection pools of this server may open more connections than PostgreSQL allows: raise its \
             max_connections, or lower GRATEFUL_CONNECTIONS_PER_WORKER, GRATEFUL_READERS_PER_WORKER or GRATEFUL_WORKERS"
        );
    }
}

/// Prints the only line on standard output, which scripts use to find the server.
fn print_ready_line(url: &str) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "listening on {url}")?;
    stdout.flush()?;
    tracing::info!("API documentation: {url}/docs");
    Ok(())
}
