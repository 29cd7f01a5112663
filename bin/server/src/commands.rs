//! The commands of the program.

mod password;
mod seed;
mod serve;
mod verify;

use std::sync::Arc;

use anyhow::Context as _;
use chrono::TimeDelta;
use grateful_application::{
    App, ImageProcessor, InboxWatcher, LoginThrottle, PasswordHasher, StreamLimiter, SystemClock,
};
use grateful_nominatim::Nominatim;
use grateful_storage::{Database, DatabaseConfig, PoolMetrics};

use crate::config::{Command, OpenapiVersion, Settings, available_cores};
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

fn print_openapi(version: OpenapiVersion) {
    let document = match version {
        OpenapiVersion::V3_1 => grateful_web::document(),
        OpenapiVersion::V3_0 => grateful_web::document_3_0(),
    };
    println!("{document:#}");
}

/// Creates the [`App`]s of this process. They share everything but their connection pools.
#[derive(Clone)]
struct AppFactory {
    database: DatabaseConfig,
    files: FileStore,
    password_hasher: Arc<PasswordHasher>,
    image_processor: Arc<ImageProcessor>,
    login_throttle: Arc<LoginThrottle>,
    stream_limiter: StreamLimiter,
    geocoder: Arc<Nominatim>,
    session_lifetime: TimeDelta,
    notification_retention: TimeDelta,
    orphan_age: TimeDelta,
    pools: PoolMetrics,
}

/// The name of the pools that serve requests.
const REQUEST_POOL: &str = "requests";
/// The name of the pool for jobs and commands.
const JOB_POOL: &str = "jobs";

impl AppFactory {
    fn new(settings: &Settings, database: DatabaseConfig) -> anyhow::Result<Self> {
        let limits = settings.limits.as_ref();
        let login_throttle = limits.map_or_else(LoginThrottle::unlimited, |limits| {
            LoginThrottle::new(limits.failed_logins)
        });
        Ok(Self {
            database,
            files: FileStore::open(settings)?,
            password_hasher: Arc::new(PasswordHasher::new(available_cores())?),
            // The other half of the cores is left for requests that only read.
            image_processor: Arc::new(ImageProcessor::new(available_cores().div_ceil(2))),
            login_throttle: Arc::new(login_throttle),
            stream_limiter: StreamLimiter::default(),
            geocoder: Arc::new(Nominatim::new(settings.nominatim.clone())),
            session_lifetime: settings.session_lifetime,
            notification_retention: settings.notification_retention,
            orphan_age: settings.orphan_age,
            pools: PoolMetrics::default(),
        })
    }

    /// Creates an [`App`] with its own connection pool of this name.
    fn create_app(&self, pool: &'static str) -> App {
        let mut config = self.database.clone().with_pool_name(pool);
        if pool == JOB_POOL {
            config = config.with_max_connections(JOB_CONNECTIONS);
        }
        let db = Database::connect_lazily(config);
        self.pools.register(&db);
        App {
            db,
            files: Arc::clone(&self.files.store),
            clock: Arc::new(SystemClock),
            password_hasher: self.password_hasher.clone(),
            image_processor: self.image_processor.clone(),
            login_throttle: self.login_throttle.clone(),
            geocoder: self.geocoder.clone(),
            session_lifetime: self.session_lifetime,
            notification_retention: self.notification_retention,
            job_budget: App::JOB_BUDGET,
            orphan_age: self.orphan_age,
            inbox_watcher: InboxWatcher::default(),
            stream_limiter: self.stream_limiter.clone(),
        }
    }
}
