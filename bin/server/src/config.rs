//! All settings, by flag and by environment variable.

#[cfg(test)]
mod docs_table;
mod geocoder;
mod limits;
mod observability;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use clap::{Args, Parser, Subcommand, ValueEnum};
use grateful_nominatim::NominatimConfig;
use grateful_seed::DatasetSize;
use url::Url;

use self::geocoder::GeocoderArgs;
pub(crate) use self::limits::Limits;
use self::limits::LimitsArgs;
use self::observability::{Observability, ObservabilityArgs};
use crate::logging::{LogConfig, LogFormat};

/// Server for gratitude communities: posts, hearts and feeds over HTTP, on PostgreSQL.
#[derive(Debug, Parser)]
#[command(name = "grateful", bin_name = "grateful", version)]
pub(crate) struct Cli {
    /// The command to run [default: serve].
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) settings: SettingsArgs,
}

/// The commands of the program.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Command {
    /// Serve HTTP requests until SIGINT or SIGTERM. A second signal stops the server immediately.
    Serve,
    /// Migrate the database to the schema of this build, and exit.
    Migrate,
    /// Set a new password for a user, read from standard input, and end all sessions of that user.
    Password {
        /// The user's name.
        username: String,
    },
    /// Compare every cached count with its rows while the server runs, and print the mismatches. Exit code 1 if there are
    /// any.
    Verify {
        /// Set the cached counts that differ to the counted values.
        #[arg(long)]
        repair: bool,
    },
    /// Fill the database with a generated dataset of users and posts, in one transaction. The default size is small. All
    /// generated users share one password, which is printed.
    Seed(SeedArgs),
    /// Print the OpenAPI document.
    Openapi {
        /// Version of OpenAPI. 3.0 is for generators that do not read 3.1.
        #[arg(long, value_enum, default_value = "3.1")]
        version: OpenapiVersion,
    },
}

/// A version of OpenAPI.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum OpenapiVersion {
    #[value(name = "3.1")]
    V3_1,
    #[value(name = "3.0")]
    V3_0,
}

/// Which dataset to generate. The same arguments generate the same dataset, including its ids, in an empty database.
#[derive(Debug, Clone, Args)]
pub(crate) struct SeedArgs {
    /// Number of users, 1 to 1,000,000.
    #[arg(long, value_name = "N", default_value_t = DatasetSize::DEMO.users)]
    users: usize,

    /// Number of posts, up to 5,000,000.
    #[arg(long, value_name = "N", default_value_t = DatasetSize::DEMO.posts)]
    posts: usize,

    /// Number of hearts, emoji reactions, shares and comments together, up to 10,000,000.
    #[arg(long, value_name = "N", default_value_t = DatasetSize::DEMO.engagements)]
    engagements: usize,

    /// Number of follows, follow requests and blocks together, up to 10,000,000 and half of all ordered pairs of users.
    #[arg(long, value_name = "N", default_value_t = DatasetSize::DEMO.follows)]
    follows: usize,

    /// Maximum number of events that notify a user, up to 10,000,000. The newest events are chosen.
    #[arg(long, value_name = "N", default_value_t = DatasetSize::DEMO.notifications)]
    notifications: usize,

    /// Seed of the random number generator: selects one of the datasets of this size.
    #[arg(long, value_name = "K", default_value_t = 1)]
    pub(crate) seed: u64,

    /// Time of the dataset's latest events, such as 2026-11-23T12:00:00Z [default: the start of the current hour].
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) now: Option<DateTime<Utc>>,
}

impl SeedArgs {
    /// The requested size, which is not validated yet.
    pub(crate) fn size(&self) -> DatasetSize {
        let Self { users, posts, engagements, follows, notifications, .. } = *self;
        DatasetSize { users, posts, engagements, follows, notifications }
    }
}

fn parse_time(text: &str) -> Result<DateTime<Utc>, String> {
    let parsed = DateTime::parse_from_rfc3339(text);
    Ok(parsed.map_err(|_| "must be a time such as 2026-11-23T12:00:00Z")?.to_utc())
}

/// The settings as they were given. They are strings, so that all invalid ones can be reported at once.
#[derive(Debug, Args)]
pub(crate) struct SettingsArgs {
    /// URL of a PostgreSQL database, version 14 or newer. If not set, the server runs a private PostgreSQL in the data
    /// directory.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, global = true, value_name = "URL")]
    database_url: Option<String>,

    /// Host and port to listen on. `localhost` means 127.0.0.1, and also `::1` where IPv6 is available. Port 0 selects a
    /// free port.
    #[arg(
        long,
        env = "GRATEFUL_LISTEN",
        default_value = "localhost:8000",
        global = true,
        value_name = "HOST:PORT"
    )]
    listen: String,

    /// Directory of the private PostgreSQL.
    #[arg(
        long,
        env = "GRATEFUL_DATA_DIR",
        default_value = ".data",
        global = true,
        value_name = "DIRECTORY"
    )]
    data_dir: PathBuf,

    /// Directory of uploaded images.
    #[arg(
        long,
        env = "GRATEFUL_UPLOADS_DIR",
        default_value = "uploads",
        global = true,
        value_name = "DIRECTORY"
    )]
    uploads_dir: PathBuf,

    /// Bucket for uploaded images instead of the directory, such as `s3://images/uploads`. Needs a build with the feature
    /// `bucket`. The credentials are read from the environment: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`,
    /// `AWS_REGION`, `AWS_ENDPOINT`.
    #[arg(
        long,
        env = "GRATEFUL_UPLOADS_BUCKET",
        default_value = "",
        global = true,
        value_name = "URL"
    )]
    uploads_bucket: String,

    /// Age in minutes at which an image file that no row references is removed. Must be longer than an upload takes.
    #[arg(
        long,
        env = "GRATEFUL_ORPHAN_MINUTES",
        default_value = "60",
        global = true,
        value_name = "MINUTES"
    )]
    orphan_minutes: String,

    /// URL of the front end. Its pages may call the API (CORS), and links in responses lead there.
    #[arg(
        long,
        env = "GRATEFUL_FRONTEND_URL",
        default_value = "http://localhost:3000",
        global = true,
        value_name = "URL"
    )]
    frontend_url: String,

    /// Additional origins whose pages may call the API, separated by commas.
    #[arg(
        long,
        env = "GRATEFUL_ALLOWED_ORIGINS",
        default_value = "",
        global = true,
        value_name = "URLS"
    )]
    allowed_origins: String,

    /// Number of threads that serve requests. 0 means one per core.
    #[arg(long, env = "GRATEFUL_WORKERS", default_value = "0", global = true, value_name = "N")]
    workers: String,

    /// Maximum number of database connections per thread.
    #[arg(
        long,
        env = "GRATEFUL_CONNECTIONS_PER_WORKER",
        default_value = "8",
        global = true,
        value_name = "N"
    )]
    connections_per_worker: String,

    /// Time limit for one statement in milliseconds, after which it is cancelled.
    #[arg(
        long,
        env = "GRATEFUL_STATEMENT_TIMEOUT_MS",
        default_value = "5000",
        global = true,
        value_name = "MS"
    )]
    statement_timeout_ms: String,

    #[command(flatten)]
    observability: ObservabilityArgs,

    /// Days after which read notifications are deleted.
    #[arg(
        long,
        env = "GRATEFUL_NOTIFICATION_DAYS",
        default_value = "90",
        global = true,
        value_name = "DAYS"
    )]
    notification_days: String,

    /// Days until a session expires.
    #[arg(
        long,
        env = "GRATEFUL_SESSION_DAYS",
        default_value = "7",
        global = true,
        value_name = "DAYS"
    )]
    session_days: String,

    #[command(flatten)]
    limits: LimitsArgs,

    #[command(flatten)]
    geocoder: GeocoderArgs,

    /// Seconds that requests in flight may take to finish after the signal to stop.
    #[arg(
        long,
        env = "GRATEFUL_SHUTDOWN_SECONDS",
        default_value = "30",
        global = true,
        value_name = "SECONDS"
    )]
    shutdown_seconds: String,

    /// Do not run pending migrations at startup. `/readyz` fails until `grateful migrate` has run.
    #[arg(
        long,
        env = "GRATEFUL_NO_MIGRATE",
        default_value = "false",
        default_missing_value = "true",
        num_args = 0..=1,
        require_equals = true,
        global = true,
        value_name = "true|false"
    )]
    no_migrate: String,

    /// Log format: `pretty`, `json`, or `auto` (pretty on a terminal, JSON otherwise).
    #[arg(
        long,
        env = "GRATEFUL_LOG_FORMAT",
        default_value = "auto",
        global = true,
        value_name = "FORMAT"
    )]
    log_format: String,

    /// Log filter: a level, or levels by module.
    #[arg(long, env = "RUST_LOG", default_value = "info", global = true, value_name = "FILTER")]
    log: String,
}

/// The validated settings.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) database_url: Option<String>,
    pub(crate) listen: ListenAddress,
    pub(crate) data_dir: PathBuf,
    pub(crate) uploads_dir: PathBuf,
    pub(crate) bucket: Option<Url>,
    pub(crate) orphan_age: TimeDelta,
    pub(crate) allowed_origins: Vec<String>,
    pub(crate) frontend_url: String,
    pub(crate) workers: usize,
    pub(crate) connections_per_worker: usize,
    pub(crate) statement_timeout: Duration,
    pub(crate) observability: Observability,
    pub(crate) session_lifetime: TimeDelta,
    pub(crate) notification_retention: TimeDelta,
    pub(crate) shutdown_timeout: Duration,
    /// `None` if rate limiting is off.
    pub(crate) limits: Option<Limits>,
    pub(crate) nominatim: NominatimConfig,
    pub(crate) migrate: bool,
    pub(crate) log: LogConfig,
}

/// A host and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ListenAddress {
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Settings {
    /// Validates the settings.
    ///
    /// # Errors
    /// Lists every invalid setting with its variable.
    pub(crate) fn validate(args: SettingsArgs) -> Result<Self, SettingErrors> {
        let mut errors = SettingErrors(Vec::new());
        let mut number = |variable, text: &str, min, max| {
            errors.collect(variable, parse_in_range(text, min, max)).unwrap_or(min)
        };
        let workers = number("GRATEFUL_WORKERS", &args.workers, 0, 1024);
        let connections =
            number("GRATEFUL_CONNECTIONS_PER_WORKER", &args.connections_per_worker, 1, 1000);
        let statement_timeout =
            number("GRATEFUL_STATEMENT_TIMEOUT_MS", &args.statement_timeout_ms, 1, 3_600_000);
        let session_days = number("GRATEFUL_SESSION_DAYS", &args.session_days, 1, 3650);
        let notification_days =
            number("GRATEFUL_NOTIFICATION_DAYS", &args.notification_days, 2, 36_500);
        let orphan_minutes = number("GRATEFUL_ORPHAN_MINUTES", &args.orphan_minutes, 0, 1_000_000);
        let shutdown_seconds = number("GRATEFUL_SHUTDOWN_SECONDS", &args.shutdown_seconds, 0, 3600);
        let database_url = args.database_url.filter(|url| !url.is_empty());
        errors.collect("DATABASE_URL", database_url.as_deref().map_or(Ok(()), check_database_url));
        let listen = errors.collect("GRATEFUL_LISTEN", args.listen.parse());
        let no_migrate = errors.collect("GRATEFUL_NO_MIGRATE", parse_switch(&args.no_migrate));
        let frontend_origin =
            errors.collect("GRATEFUL_FRONTEND_URL", parse_origin(&args.frontend_url));
        let origins = args.allowed_origins.split(',').map(str::trim).filter(|url| !url.is_empty());
        let origins = origins.map(parse_origin).collect::<Result<Vec<_>, _>>();
        let origins = errors.collect("GRATEFUL_ALLOWED_ORIGINS", origins);
        let bucket =
            errors.collect("GRATEFUL_UPLOADS_BUCKET", parse_bucket_url(&args.uploads_bucket));
        let observability = args.observability.validate(&mut errors);
        let limits = args.limits.validate(&mut errors);
        let frontend_url = args.frontend_url.trim_end_matches('/').to_owned();
        let nominatim = args.geocoder.validate(&frontend_url, &mut errors);
        let format = errors.collect("GRATEFUL_LOG_FORMAT", args.log_format.parse::<LogFormat>());
        let filter =
            errors.collect("RUST_LOG", args.log.parse().map_err(|error| format!("{error}")));
        let assemble = || {
            Some(Self {
                database_url,
                listen: listen?,
                data_dir: args.data_dir,
                uploads_dir: args.uploads_dir,
                bucket: bucket?,
                orphan_age: TimeDelta::minutes(i64::try_from(orphan_minutes).ok()?),
                frontend_url,
                allowed_origins: frontend_origin.into_iter().chain(origins?).collect(),
                workers: if workers == 0 { available_cores() } else { to_usize(workers) },
                connections_per_worker: to_usize(connections),
                statement_timeout: Duration::from_millis(statement_timeout),
                observability: observability?,
                session_lifetime: TimeDelta::days(i64::try_from(session_days).ok()?),
                notification_retention: TimeDelta::days(i64::try_from(notification_days).ok()?),
                shutdown_timeout: Duration::from_secs(shutdown_seconds),
                limits: limits?,
                nominatim: nominatim?,
                migrate: !no_migrate?,
                log: LogConfig { format: format?, filter: filter? },
            })
        };
        match assemble() {
            Some(settings) if errors.0.is_empty() => Ok(settings),
            _ => Err(errors),
        }
    }
}

/// The number of cores that this process may use.
pub(crate) fn available_cores() -> usize {
    std::thread::available_parallelism().map_or(2, Into::into)
}

fn to_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// All invalid settings, each with its variable and the reason.
#[derive(Debug)]
pub(crate) struct SettingErrors(Vec<String>);

impl SettingErrors {
    fn collect<T>(&mut self, variable: &str, result: Result<T, String>) -> Option<T> {
        result.map_err(|reason| self.0.push(format!("{variable} {reason}"))).ok()
    }
}

impl fmt::Display for SettingErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("invalid settings (see grateful --help)")?;
        self.0.iter().try_for_each(|error| write!(f, "\n  {error}"))
    }
}

impl std::error::Error for SettingErrors {}

fn parse_in_range(text: &str, min: u64, max: u64) -> Result<u64, String> {
    let number = text.trim().parse().ok().filter(|number| (min..=max).contains(number));
    number.ok_or_else(|| format!("must be a whole number from {min} to {max}, not {text:?}"))
}

/// Accepts the usual spellings of environment variables. An empty value counts as not set.
fn parse_switch(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" | "" => Ok(false),
        _ => Err(format!("must be true or false, not {text:?}")),
    }
}

/// Does not repeat the value in the error: it may contain a password.
fn check_database_url(url: &str) -> Result<(), String> {
    let is_postgresql = url.starts_with("postgresql://") || url.starts_with("postgres://");
    if is_postgresql { Ok(()) } else { Err("must start with postgresql://".to_owned()) }
}

/// An empty value counts as not set.
fn parse_bucket_url(text: &str) -> Result<Option<Url>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let url = Url::parse(text).ok().filter(|url| url.scheme() == "s3" && url.has_host());
    url.map(Some).ok_or_else(|| format!("must start with s3://, not {text:?}"))
}

/// The origin of a web page's URL, as browsers send it.
fn parse_origin(text: &str) -> Result<String, String> {
    let is_http = |uri: &actix_web::http::Uri| matches!(uri.scheme_str(), Some("http" | "https"));
    let uri = text.parse::<actix_web::http::Uri>().ok().filter(is_http);
    let origin = uri.and_then(|uri| Some(format!("{}://{}", uri.scheme_str()?, uri.authority()?)));
    origin.ok_or_else(|| format!("must be an http or https URL, not {text:?}"))
}

impl FromStr for ListenAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.rsplit_once(':').filter(|(host, _)| !host.is_empty());
        let parsed = parts.and_then(|(host, port)| {
            let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
            Some(Self { host, port: port.parse().ok()? })
        });
        parsed.ok_or_else(|| {
            format!("must be a host and a port such as localhost:8000, not {text:?}")
        })
    }
}
