//! The commands of the program.

mod backup;
mod doctor;
mod import;
mod interrupt;
mod manual;
mod migrate;
mod password;
mod periodic_jobs;
mod progress;
mod restore;
mod seed;
mod serve;
mod shutdown_signal;
mod user;
mod verify;

use std::sync::Arc;

use anyhow::Context as _;
use grateful_application::{App, InboxWatcher};
use grateful_nominatim::Nominatim;
use grateful_storage::{Database, DatabaseConfig, PoolMetrics, Replicas};

use crate::config::{Command, OpenapiVersion, SettingErrors, Settings};
use crate::connection_budget::{JOB_CONNECTIONS, JOB_READERS};
use crate::database::Postgres;
use crate::file_store::FileStore;

/// Runs a command that needs no settings, or reports invalid ones. Otherwise returns the command with its settings.
///
/// # Errors
/// The settings are invalid.
pub(crate) fn without_settings(
    command: Command,
    settings: Result<Settings, SettingErrors>,
) -> anyhow::Result<Option<(Command, Settings)>> {
    match (command, settings) {
        (Command::Completions { shell }, _) => manual::print_completions(shell).map(|()| None),
        (Command::Man, _) => manual::print_page().map(|()| None),
        (Command::Doctor { json }, Err(errors)) => {
            doctor::report_settings(&errors, json).map(|()| None)
        }
        (command, settings) => Ok(Some((command, settings?))),
    }
}

pub(crate) async fn run(command: Command, settings: Settings) -> anyhow::Result<()> {
    match command {
        Command::Serve => serve::serve(settings).await,
        Command::Migrate { pending: false } => migrate::migrate(&settings).await,
        Command::Migrate { pending: true } => migrate::print_pending(&settings).await,
        Command::Import(args) => import::run(settings, args).await,
        Command::Password { username } => password::reset(settings, &username).await,
        Command::User(command) => user::run(settings, command).await,
        Command::Backup { target } => backup::backup(settings, &target).await,
        Command::Restore { archive, rehearse } => {
            restore::restore(settings, &archive, rehearse).await
        }
        Command::Doctor { json } => doctor::doctor(settings, json).await,
        Command::Verify { repair } => verify::verify(settings, repair).await,
        Command::Seed(args) => seed::seed(settings, args).await,
        Command::Openapi { version } => {
            print_openapi(version);
            Ok(())
        }
        // Done by `without_settings`.
        Command::Completions { .. } | Command::Man => Ok(()),
    }
}

async fn migrate_database(config: &DatabaseConfig) -> anyhow::Result<Vec<String>> {
    grateful_storage::migrate(&config.url).await.context("the database cannot be migrated")
}

/// Opens the database, and migrates it unless the settings forbid it.
async fn open_migrated(settings: &Settings) -> anyhow::Result<Postgres> {
    let postgres = Postgres::open(settings)?;
    if !settings.no_migrate {
        migrate_database(&postgres.config).await?;
    }
    Ok(postgres)
}

fn print_openapi(version: OpenapiVersion) {
    let document = match version {
        OpenapiVersion::V3_1 => grateful_web::document(),
        OpenapiVersion::V3_0 => grateful_web::document_3_0(),
    };
    println!("{document:#}");
}

/// The [`App`]s of this process. They share everything but their connection pools.
#[derive(Clone)]
struct Apps {
    /// For jobs and commands, with a pool of its own.
    jobs: App,
    files: FileStore,
    pools: PoolMetrics,
    database: DatabaseConfig,
    replicas: Replicas,
}

impl Apps {
    fn new(settings: &Settings, database: DatabaseConfig) -> anyhow::Result<Self> {
        let apps = Self::with_files(settings, database, FileStore::open(settings)?);
        Ok(Self { replicas: settings.replicas()?, ..apps })
    }

    /// With these files instead of those of the settings.
    fn with_files(settings: &Settings, database: DatabaseConfig, files: FileStore) -> Self {
        let pools = PoolMetrics::default();
        let job_pool = database
            .clone()
            .with_max_connections(JOB_CONNECTIONS)
            .with_readers(JOB_READERS)
            .with_pool_name("jobs");
        let job_pool = connect(job_pool, &pools);
        let jobs = App {
            inbox_watcher: InboxWatcher::polling_on(job_pool.clone()),
            login_throttle: Arc::new(settings.login_throttle()),
            geocoder: Arc::new(Nominatim::new(settings.nominatim())),
            session_lifetime: settings.session_lifetime,
            notification_retention: settings.notification_retention,
            unread_retention: settings.unread_retention,
            orphan_age: settings.orphan_age,
            ..App::new(job_pool, files.store.clone())
        };
        let database = database.with_pool_name("requests");
        Self { jobs, files, pools, database, replicas: Replicas::none() }
    }

    /// The application for one of the threads that serve requests.
    fn for_requests(&self) -> App {
        let db = Database::connect_with_replicas(&self.database, &self.replicas);
        self.pools.register(&db);
        self.jobs.with_database(db)
    }
}

fn connect(config: DatabaseConfig, pools: &PoolMetrics) -> Database {
    let pool = Database::connect_lazily(config);
    pools.register(&pool);
    pool
}
