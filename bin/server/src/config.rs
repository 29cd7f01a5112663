//! Every setting, by flag and by variable, and only here.

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
use clap::{Args, Parser, Subcommand};
use grateful_nominatim::NominatimConfig;
use grateful_seed::DatasetSize;
use url::Url;

use self::geocoder::GeocoderArgs;
pub(crate) use self::limits::Limits;
use self::limits::LimitsArgs;
use self::observability::{Observability, ObservabilityArgs};
use crate::logging::{LogConfig, LogFormat};

/// Gratitude communities: posts, hearts and feeds over HTTP, on PostgreSQL.
#[derive(Debug, Parser)]
#[command(name = "grateful", bin_name = "grateful", version)]
pub(crate) struct Cli {
    /// What to do; `serve` where nothing is said.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) settings: SettingsArgs,
}

/// What the program can do.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Command {
    /// Answer requests until told to stop (SIGINT or SIGTERM; a second one stops at once).
    Serve,
    /// Bring the database to the schema of this build, and stop.
    Migrate,
    /// Give somebody a new password, read from standard input, and end all their sessions.
    Password {
        /// Whose.
        username: String,
    },
    /// Recount every number that is kept beside rows while others go on, and print those that differ; exit code 1 if any.
    Verify {
        /// Set the numbers that differ to what is counted.
        #[arg(long)]
        repair: bool,
    },
    /// Fill the database with a made-up world of people and posts, all at once or not at all. Without arguments a small
    /// one, to look around in; the people of it share one password, which is printed.
    Seed(SeedArgs),
    /// Print the OpenAPI document.
    Openapi,
}

/// What world to make. The same arguments make the same world, down to its ids, in a database that was empty.
#[derive(Debug, Clone, Args)]
pub(crate) struct SeedArgs {
    /// How many people, 1 to 1,000,000.
    #[arg(long, value_name = "N", default_value_t = DatasetSize::DEMO.users)]
    users: usize,

    /// How many posts, up to 5,000,000.
    #[arg(long, value_name = "N", default_value_t = DatasetSize::DEMO.posts)]
    posts: usize,

    /// How many hearts, emoji, shares and comments together, up to 10,000,000.
    #[arg(long, value_name = "N", default_value_t = DatasetSize::DEMO.engagements)]
    engagements: usize,

    /// How many follows, requests and blocks together, up to 10,000,000 and half of all the pairs.
    #[arg(long, value_name = "N", default_value_t = DatasetSize::DEMO.follows)]
    follows: usize,

    /// How many of the newest of all that somebody is notified of, up to 10,000,000.
    #[arg(long, value_name = "N", default_value_t = DatasetSize::DEMO.notifications)]
    notifications: usize,

    /// Which of all the worlds of this size.
    #[arg(long, value_name = "K", default_value_t = 1)]
    pub(crate) seed: u64,

    /// Until when things happened in it, such as 2026-11-23T12:00:00Z; the hour that has begun, where nothing is said.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(crate) now: Option<DateTime<Utc>>,
}

impl SeedArgs {
    /// How large the world is to be; it may be impossible.
    pub(crate) fn size(&self) -> DatasetSize {
        let Self { users, posts, engagements, follows, notifications, .. } = *self;
        DatasetSize { users, posts, engagements, follows, notifications }
    }
}

fn moment(text: &str) -> Result<DateTime<Utc>, String> {
    let parsed = DateTime::parse_from_rfc3339(text);
    Ok(parsed.map_err(|_| "must be a time such as 2026-11-23T12:00:00Z")?.to_utc())
}

/// The settings as they were given. They are texts, so that all that is wrong with them can be said at once.
#[derive(Debug, Args)]
pub(crate) struct SettingsArgs {
    /// Address of a PostgreSQL (14 or newer). Not set: a private one is kept in the data folder.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, global = true, value_name = "URL")]
    database_url: Option<String>,

    /// Host and port to listen on. `localhost` means 127.0.0.1, and `::1` where there is one; port 0 picks a free one.
    #[arg(
        long,
        env = "GRATEFUL_LISTEN",
        default_value = "localhost:8000",
        global = true,
        value_name = "HOST:PORT"
    )]
    listen: String,

    /// Folder of the private PostgreSQL.
    #[arg(
        long,
        env = "GRATEFUL_DATA_DIR",
        default_value = ".data",
        global = true,
        value_name = "FOLDER"
    )]
    data_dir: PathBuf,

    /// Folder of uploaded pictures.
    #[arg(
        long,
        env = "GRATEFUL_UPLOADS_DIR",
        default_value = "uploads",
        global = true,
        value_name = "FOLDER"
    )]
    uploads_dir: PathBuf,

    /// A bucket for uploaded pictures instead of the folder, such as `s3://pictures/uploads`, in a build with the
    /// feature `bucket`. The keys to it are taken from the environment: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`,
    /// `AWS_REGION`, `AWS_ENDPOINT`.
    #[arg(
        long,
        env = "GRATEFUL_UPLOADS_BUCKET",
        default_value = "",
        global = true,
        value_name = "URL"
    )]
    uploads_bucket: String,

    /// How many minutes old a file of a picture must be before it is removed because nothing refers to it: longer than any
    /// upload takes.
    #[arg(
        long,
        env = "GRATEFUL_ORPHAN_MINUTES",
        default_value = "60",
        global = true,
        value_name = "MINUTES"
    )]
    orphan_minutes: String,

    /// Where people use the front end: its pages may call the API (CORS), and links lead there.
    #[arg(
        long,
        env = "GRATEFUL_FRONTEND_URL",
        default_value = "http://localhost:3000",
        global = true,
        value_name = "URL"
    )]
    frontend_url: String,

    /// More origins whose pages may call the API, separated by commas.
    #[arg(
        long,
        env = "GRATEFUL_ALLOWED_ORIGINS",
        default_value = "",
        global = true,
        value_name = "URLS"
    )]
    allowed_origins: String,

    /// Threads that answer requests; 0 means one for each core.
    #[arg(long, env = "GRATEFUL_WORKERS", default_value = "0", global = true, value_name = "N")]
    workers: String,

    /// The most connections to the database that one thread opens.
    #[arg(
        long,
        env = "GRATEFUL_CONNECTIONS_PER_WORKER",
        default_value = "8",
        global = true,
        value_name = "N"
    )]
    connections_per_worker: String,

    /// How long one statement may take, in milliseconds, before it is cancelled.
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

    /// How many days a notification is kept that was read.
    #[arg(
        long,
        env = "GRATEFUL_NOTIFICATION_DAYS",
        default_value = "90",
        global = true,
        value_name = "DAYS"
    )]
    notification_days: String,

    /// How many days somebody stays signed in.
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

    /// How many seconds requests in flight may take to finish after the order to stop.
    #[arg(
        long,
        env = "GRATEFUL_SHUTDOWN_SECONDS",
        default_value = "30",
        global = true,
        value_name = "SECONDS"
    )]
    shutdown_seconds: String,

    /// Leave pending migrations to `grateful migrate`; until then `/readyz` says no.
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

    /// How log lines look: `pretty`, `json`, or `auto` (pretty on a terminal).
    #[arg(
        long,
        env = "GRATEFUL_LOG_FORMAT",
        default_value = "auto",
        global = true,
        value_name = "FORMAT"
    )]
    log_format: String,

    /// Which log lines to write: a level, or levels by module.
    #[arg(long, env = "RUST_LOG", default_value = "info", global = true, value_name = "FILTER")]
    log: String,
}

/// The settings, all of them good.
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
    /// None where nobody counts.
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
    /// # Errors
    /// Every setting that is wrong, each with its variable.
    pub(crate) fn check(raw: SettingsArgs) -> Result<Self, SettingErrors> {
        let mut errors = SettingErrors(Vec::new());
        let mut number = |variable, text: &str, least, most| {
            errors.collect(variable, parse_in_range(text, least, most)).unwrap_or(least)
        };
        let workers = number("GRATEFUL_WORKERS", &raw.workers, 0, 1024);
        let connections =
            number("GRATEFUL_CONNECTIONS_PER_WORKER", &raw.connections_per_worker, 1, 1000);
        let timeout =
            number("GRATEFUL_STATEMENT_TIMEOUT_MS", &raw.statement_timeout_ms, 1, 3_600_000);
        let days = number("GRATEFUL_SESSION_DAYS", &raw.session_days, 1, 3650);
        let retention = number("GRATEFUL_NOTIFICATION_DAYS", &raw.notification_days, 2, 36_500);
        let orphans = number("GRATEFUL_ORPHAN_MINUTES", &raw.orphan_minutes, 0, 1_000_000);
        let shutdown = number("GRATEFUL_SHUTDOWN_SECONDS", &raw.shutdown_seconds, 0, 3600);
        let database_url = raw.database_url.filter(|url| !url.is_empty());
        errors.collect("DATABASE_URL", database_url.as_deref().map_or(Ok(()), check_database_url));
        let listen = errors.collect("GRATEFUL_LISTEN", raw.listen.parse());
        let no_migrate = errors.collect("GRATEFUL_NO_MIGRATE", parse_switch(&raw.no_migrate));
        let frontend = errors.collect("GRATEFUL_FRONTEND_URL", parse_origin(&raw.frontend_url));
        let more = raw.allowed_origins.split(',').map(str::trim).filter(|url| !url.is_empty());
        let more = more.map(parse_origin).collect::<Result<Vec<_>, _>>();
        let more = errors.collect("GRATEFUL_ALLOWED_ORIGINS", more);
        let bucket =
            errors.collect("GRATEFUL_UPLOADS_BUCKET", parse_bucket_url(&raw.uploads_bucket));
        let observability = raw.observability.check(&mut errors);
        let limits = raw.limits.check(&mut errors);
        let frontend_url = raw.frontend_url.trim_end_matches('/').to_owned();
        let nominatim = raw.geocoder.check(&frontend_url, &mut errors);
        let format = errors.collect("GRATEFUL_LOG_FORMAT", raw.log_format.parse::<LogFormat>());
        let filter =
            errors.collect("RUST_LOG", raw.log.parse().map_err(|error| format!("{error}")));
        let assemble = || {
            Some(Self {
                database_url,
                listen: listen?,
                data_dir: raw.data_dir,
                uploads_dir: raw.uploads_dir,
                bucket: bucket?,
                orphan_age: TimeDelta::minutes(i64::try_from(orphans).ok()?),
                frontend_url,
                allowed_origins: frontend.into_iter().chain(more?).collect(),
                workers: if workers == 0 { available_cores() } else { to_usize(workers) },
                connections_per_worker: to_usize(connections),
                statement_timeout: Duration::from_millis(timeout),
                observability: observability?,
                session_lifetime: TimeDelta::days(i64::try_from(days).ok()?),
                notification_retention: TimeDelta::days(i64::try_from(retention).ok()?),
                shutdown_timeout: Duration::from_secs(shutdown),
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

/// One for each core that this process may use.
pub(crate) fn available_cores() -> usize {
    std::thread::available_parallelism().map_or(2, Into::into)
}

fn to_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Every setting that is wrong, with the reason.
#[derive(Debug)]
pub(crate) struct SettingErrors(Vec<String>);

impl SettingErrors {
    fn collect<T>(&mut self, variable: &str, checked: Result<T, String>) -> Option<T> {
        checked.map_err(|reason| self.0.push(format!("{variable} {reason}"))).ok()
    }
}

impl fmt::Display for SettingErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("some settings are not right (grateful --help explains them)")?;
        self.0.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl std::error::Error for SettingErrors {}

fn parse_in_range(text: &str, least: u64, most: u64) -> Result<u64, String> {
    let number = text.trim().parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| format!("must be a whole number from {least} to {most}, not {text:?}"))
}

/// As people write switches into environments. What is empty is as good as not set.
fn parse_switch(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" | "" => Ok(false),
        _ => Err(format!("must be true or false, not {text:?}")),
    }
}

/// The value is not repeated: it may hold a password.
fn check_database_url(url: &str) -> Result<(), String> {
    let known = url.starts_with("postgresql://") || url.starts_with("postgres://");
    if known { Ok(()) } else { Err("must begin with postgresql://".to_owned()) }
}

/// The address of a bucket. What is empty is as good as not set.
fn parse_bucket_url(address: &str) -> Result<Option<Url>, String> {
    if address.is_empty() {
        return Ok(None);
    }
    let url = Url::parse(address).ok().filter(|url| url.scheme() == "s3" && url.has_host());
    url.map(Some).ok_or_else(|| format!("must begin with s3://, not {address:?}"))
}

/// The origin of a web address, as browsers send it.
fn parse_origin(address: &str) -> Result<String, String> {
    let is_web = |uri: &actix_web::http::Uri| matches!(uri.scheme_str(), Some("http" | "https"));
    let uri = address.parse::<actix_web::http::Uri>().ok().filter(is_web);
    let origin = uri.and_then(|uri| Some(format!("{}://{}", uri.scheme_str()?, uri.authority()?)));
    origin.ok_or_else(|| format!("must be an http or https address, not {address:?}"))
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
