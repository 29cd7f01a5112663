//! The commands of the program.

mod password;
mod seed;
mod serve;
mod shutdown_signal;
mod verify;

use std::sync::Arc;

use anyhow::Context as _;
use grateful_application::App;
use grateful_nominatim::Nominatim;
use grateful_storage::{Database, DatabaseConfig, PoolMetrics};

use crate::config::{Command, OpenapiVersion, Settings};
use crate::connection_budget::JOB_CONNECTIONS;
use crate::database::Postgres;
use crate::file_store::FileStore;

pub(crate) async fn run(command: Command, settings: Settings) -> anyhow::Result<()> {
    match command {
        Command::Serve => serve::serve(settings).await,
        Command::Migrate => migrate(settings).await,
        Command::Password { username } => password::reset(settings, &username).await,
        Command::Verify { repair } => verify::verify(settings, repair).await,
        Command::Seed(args) => seed::seed(settings, args).await,
        Command::Openapi { version } => {
            print_openapi(version);
            Ok(())
        }
    }
}

async fn migrate(settings: Settings) -> anyhow::Result<()> {
    let postgres = Postgres::open(&settings)?;
    let applied = migrate_database(&postgres.config).await?;
    println!("applied {} migrations", applied.len());
    postgres.close()
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
}

impl Apps {
    fn new(settings: &Settings, database: DatabaseConfig) -> anyhow::Result<Self> {
        let files = FileStore::open(settings)?;
        let pools = PoolMetrics::default();
        let job_pool = database
            .clone()
            .with_max_connections(JOB_CONNECTIONS)
            .with_readers(0)
            .with_pool_name("jobs");
        let jobs = App {
            login_throttle: Arc::new(settings.login_throttle()),
            geocoder: Arc::new(Nominatim::new(settings.nominatim())),
            session_lifetime: settings.session_lifetime,
            notification_retention: settings.notification_retention,
            orphan_age: settings.orphan_age,
            ..App::new(connect(job_pool, &pools), files.store.clone())
        };
        Ok(Self { jobs, files, pools, database: database.with_pool_name("requests") })
    }

    /// The application for one of the threads that serve requests.
    fn for_requests(&self) -> App {
        self.jobs.with_database(connect(self.database.clone(), &self.pools))
    }
}

fn connect(config: DatabaseConfig, pools: &PoolMetrics) -> Database {
    let pool = Database::connect_lazily(config);
    pools.register(&pool);
    pool
}
