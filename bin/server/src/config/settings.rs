//! The settings.

use std::path::PathBuf;
use std::time::Duration;

use chrono::TimeDelta;
use clap::builder::{PathBufValueParser, TypedValueParser as _};
use clap::{ArgAction, Parser};
use grateful_application::LoginThrottle;
use grateful_domain::Rate;
use grateful_nominatim::NominatimConfig;
use grateful_site::StatusAccess;
use grateful_storage::{InvalidUrl, Replicas, Thresholds};
use grateful_web::RateLimitsConfig;
use ipnet::IpNet;
use url::Url;

use super::parsers::{
    FrontendUrl, ListenAddress, bucket_url, database_url, http_url, log_filter, number, origins,
    proxies, rate, replica_urls, switch, user_agent,
};
use crate::logging::LogFormat;

/// Declares [`Settings`]: the help text of a setting, its field, and its variable, flag, name of the value, default and
/// parser; after a semicolon, other properties for clap.
///
/// clap reads `Option<T>` and `Vec<T>` as optional and repeated settings. With a path, they are types of a single value.
macro_rules! settings {
    ($(
        $(#[$help:meta])*
        $field:ident: $type:ty =
            ($variable:literal, $flag:literal, $value:literal, $default:literal, $parser:expr $(; $($other:tt)*)?);
    )*) => {
        /// The settings of the program.
        #[derive(Debug, Parser)]
        #[command(
            name = "grateful",
            bin_name = "grateful",
            version,
            about = "Server for gratitude communities: posts, hearts and feeds over HTTP, on PostgreSQL"
        )]
        pub(crate) struct Settings {$(
            $(#[$help])*
            #[arg(
                long = $flag,
                env = $variable,
                default_value = $default,
                value_name = $value,
                value_parser = $parser,
                action = ArgAction::Set,
                $($($other)*)?
            )]
            pub(crate) $field: $type,
        )*}
    };
}

settings! {
    /// URL of a PostgreSQL database, version 14 or newer, with one host or several, separated by commas. If not set, the
    /// server runs a private PostgreSQL in the data directory.
    database_url: std::option::Option<String> =
        ("DATABASE_URL", "database-url", "URL", "", database_url; hide_env_values = true, hide_default_value = true);

    /// URLs of replicas of the database, separated by commas or spaces, each with one host. Reads that may be slightly out of
    /// date run there, except for what their reader has written. All nodes need the same list.
    replica_urls: std::vec::Vec<String> =
        ("GRATEFUL_REPLICA_URLS", "replica-urls", "URLS", "", replica_urls; hide_env_values = true, hide_default_value = true);

    /// How old in milliseconds the state may be that a replica shows, so that it serves reads.
    replica_staleness: Duration = (
        "GRATEFUL_REPLICA_STALENESS_MS", "replica-staleness-ms", "MS", "500",
        number(200..=60_000).map(Duration::from_millis)
    );

    /// Host and port to listen on. `localhost` means 127.0.0.1, and also `::1` where IPv6 is available. Port 0 selects a
    /// free port.
    listen: ListenAddress = ("GRATEFUL_LISTEN", "listen", "HOST:PORT", "localhost:8000", str::parse::<ListenAddress>);

    /// Directory of the private PostgreSQL.
    data_dir: PathBuf = ("GRATEFUL_DATA_DIR", "data-dir", "DIRECTORY", ".data", PathBufValueParser::new());

    /// Directory of uploaded images.
    uploads_dir: PathBuf =
        ("GRATEFUL_UPLOADS_DIR", "uploads-dir", "DIRECTORY", "uploads", PathBufValueParser::new());

    /// Bucket for uploaded images instead of the directory, such as `s3://images/uploads`. Needs a build with the feature
    /// `bucket`. The credentials are read from the environment: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`,
    /// `AWS_REGION`, `AWS_ENDPOINT`.
    bucket: std::option::Option<Url> = ("GRATEFUL_UPLOADS_BUCKET", "uploads-bucket", "URL", "", bucket_url);

    /// Age in minutes at which an image file that no row references is removed. Must be longer than an upload takes.
    orphan_age: TimeDelta =
        ("GRATEFUL_ORPHAN_MINUTES", "orphan-minutes", "MINUTES", "60", number(0..=1_000_000).map(TimeDelta::minutes));

    /// URL of the front end. Its pages may call the API (CORS), and links in responses lead there.
    frontend: FrontendUrl =
        ("GRATEFUL_FRONTEND_URL", "frontend-url", "URL", "http://localhost:3000", str::parse::<FrontendUrl>);

    /// Additional origins whose pages may call the API, separated by commas.
    other_origins: std::vec::Vec<String> =
        ("GRATEFUL_ALLOWED_ORIGINS", "allowed-origins", "URLS", "", origins);

    /// Number of threads that serve requests. 0 means one per core.
    workers: usize = ("GRATEFUL_WORKERS", "workers", "N", "0", number(0..=1024).map(or_cores));

    /// Maximum number of database connections per thread, each for one request at a time.
    connections_per_worker: usize =
        ("GRATEFUL_CONNECTIONS_PER_WORKER", "connections-per-worker", "N", "8", number::<usize>(1..=1000));

    /// Number of further database connections per thread, which requests share for reads. 0 means that reads use the other
    /// connections, each for one request at a time.
    readers_per_worker: usize =
        ("GRATEFUL_READERS_PER_WORKER", "readers-per-worker", "N", "2", number::<usize>(0..=100));

    /// Time limit for one statement in milliseconds, after which PostgreSQL cancels it. A second later, the server closes the
    /// connection if PostgreSQL has not answered.
    statement_timeout: Duration = (
        "GRATEFUL_STATEMENT_TIMEOUT_MS", "statement-timeout-ms", "MS", "5000",
        number(1..=3_600_000).map(Duration::from_millis)
    );

    /// Duration in milliseconds from which a statement is reported as slow.
    slow_statement: Duration = (
        "GRATEFUL_SLOW_STATEMENT_MS", "slow-statement-ms", "MS", "100",
        number(0..=3_600_000).map(Duration::from_millis)
    );

    /// Number of executions of the same statement in one request from which it is reported as a query in a loop (N+1).
    repeated_statements: u32 =
        ("GRATEFUL_REPEATED_STATEMENTS", "repeated-statements", "TIMES", "5", number::<u32>(2..=1_000_000));

    /// Whether to serve metrics at `/metrics`, to all clients that can reach this server: `on` or `off`. On a public
    /// server, block the path in the proxy, or turn the metrics off.
    metrics: bool = ("GRATEFUL_METRICS", "metrics", "on|off", "on", switch);

    /// Whether responses contain a `Server-Timing` header with the durations of their parts: `on` or `off`. For
    /// development only, since any client can read them.
    server_timing: bool = ("GRATEFUL_SERVER_TIMING", "server-timing", "on|off", "off", switch);

    /// Whether to serve the web client to browsers: `on` or `off`. Links to posts lead to it if `GRATEFUL_FRONTEND_URL` is the
    /// URL of this server.
    site: bool = ("GRATEFUL_SITE", "site", "on|off", "on", switch);

    /// Whether all clients can open the page for operators at `/about/server`, which plots the metrics: `on` or `off`. If
    /// `off`, only programs on this machine can, and not through a proxy.
    status: bool = ("GRATEFUL_STATUS", "status", "on|off", "off", switch);

    /// Days after which read notifications are deleted.
    notification_retention: TimeDelta =
        ("GRATEFUL_NOTIFICATION_DAYS", "notification-days", "DAYS", "90", number(2..=36_500).map(TimeDelta::days));

    /// Days after which unread notifications are deleted.
    unread_retention: TimeDelta =
        ("GRATEFUL_UNREAD_NOTIFICATION_DAYS", "unread-notification-days", "DAYS", "365", number(2..=36_500).map(TimeDelta::days));

    /// Days until a session expires.
    session_lifetime: TimeDelta =
        ("GRATEFUL_SESSION_DAYS", "session-days", "DAYS", "7", number(1..=3650).map(TimeDelta::days));

    /// Whether to limit request rates: `on` or `off`. Reads are never limited. Failed logins are counted in the database, for
    /// all nodes, and other requests in the memory of this process.
    rate_limits: bool = ("GRATEFUL_RATE_LIMITS", "rate-limits", "on|off", "on", switch);

    /// Number of nodes that the proxy distributes the requests of each client to. Each node allows that part of the limits below:
    /// `120/min` is `40/min` on each of three, and less than one counts as one. 1 if there is one node, or if the proxy sends all
    /// requests of a client to the same node. The limit of failed logins is not divided.
    nodes: u32 = ("GRATEFUL_NODES", "nodes", "N", "1", number::<u32>(1..=1000));

    /// Trusted reverse proxies, as addresses or networks separated by commas. `auto` means loopback (127.0.0.0/8 and `::1`)
    /// while the server listens on loopback alone, otherwise none. The last address in their `X-Forwarded-For` header is the
    /// client's. If it cannot be read, the address of the proxy counts. Without that header, requests from a trusted proxy
    /// are not limited by address.
    trusted_proxies: std::option::Option<Vec<IpNet>> =
        ("GRATEFUL_TRUSTED_PROXIES", "trusted-proxies", "NETWORKS", "auto", proxies);

    /// Signups per client address.
    limit_signups: Rate = ("GRATEFUL_LIMIT_SIGNUPS", "limit-signups", "RATE", "10/h", rate);

    /// Logins per client address.
    limit_logins: Rate = ("GRATEFUL_LIMIT_LOGINS", "limit-logins", "RATE", "10/min", rate);

    /// Failed logins per account, after which even the correct password is rejected.
    limit_failed_logins: Rate =
        ("GRATEFUL_LIMIT_FAILED_LOGINS", "limit-failed-logins", "RATE", "10/15min", rate);

    /// Searches for users and locations per user.
    limit_searches: Rate = ("GRATEFUL_LIMIT_SEARCHES", "limit-searches", "RATE", "60/min", rate);

    /// Username validation requests per user.
    limit_validations: Rate = ("GRATEFUL_LIMIT_VALIDATIONS", "limit-validations", "RATE", "600/min", rate);

    /// Write requests per user.
    limit_writes: Rate = ("GRATEFUL_LIMIT_WRITES", "limit-writes", "RATE", "120/min", rate);

    /// Image uploads per user.
    limit_uploads: Rate = ("GRATEFUL_LIMIT_UPLOADS", "limit-uploads", "RATE", "20/h", rate);

    /// URL of the Nominatim server that finds locations.
    nominatim_url: Url = (
        "GRATEFUL_NOMINATIM_URL", "nominatim-url", "URL", "https://nominatim.openstreetmap.org",
        http_url
    );

    /// User agent for requests to Nominatim: the program and a way to contact its operator. If empty, the program's name
    /// and version and the URL of the front end.
    nominatim_user_agent: String =
        ("GRATEFUL_NOMINATIM_USER_AGENT", "nominatim-user-agent", "TEXT", "", user_agent);

    /// Minimum time in milliseconds between two requests to Nominatim, by all nodes together. The public server allows one request
    /// a second. All nodes need the same value.
    nominatim_interval: Duration = (
        "GRATEFUL_NOMINATIM_INTERVAL_MS", "nominatim-interval-ms", "MS", "1000",
        number(0..=60_000).map(Duration::from_millis)
    );

    /// Seconds that requests in flight may take to finish after the signal to stop.
    shutdown_timeout: Duration =
        ("GRATEFUL_SHUTDOWN_SECONDS", "shutdown-seconds", "SECONDS", "30", number(0..=3600).map(Duration::from_secs));

    /// Do not run pending migrations at startup. `/readyz` fails until `grateful migrate` has run.
    no_migrate: bool = (
        "GRATEFUL_NO_MIGRATE", "no-migrate", "true|false", "false", switch;
        default_missing_value = "true", num_args = 0..=1, require_equals = true
    );

    /// Log format: `pretty`, `json`, or `auto` (pretty on a terminal, JSON otherwise).
    log_format: LogFormat = ("GRATEFUL_LOG_FORMAT", "log-format", "FORMAT", "auto", str::parse::<LogFormat>);

    /// Log filter: a level, or levels by module.
    log: String = ("RUST_LOG", "log", "FILTER", "info", log_filter);
}

impl Settings {
    /// The origins whose pages may call the API.
    pub(crate) fn allowed_origins(&self) -> Vec<String> {
        [&self.frontend.origin].into_iter().chain(&self.other_origins).cloned().collect()
    }

    /// From when statements are reported.
    pub(crate) fn thresholds(&self) -> Thresholds {
        Thresholds::default().with_slow(self.slow_statement).with_repeated(self.repeated_statements)
    }

    /// Who can open the page for operators.
    pub(crate) fn status_access(&self) -> StatusAccess {
        if self.status { StatusAccess::Everyone } else { StatusAccess::Loopback }
    }

    /// The limits of requests on this node, or `None` if they are off.
    pub(crate) fn request_limits(&self) -> Option<RateLimitsConfig> {
        self.rate_limits.then(|| RateLimitsConfig {
            signups: self.limit_signups.share_of(self.nodes),
            logins: self.limit_logins.share_of(self.nodes),
            searches: self.limit_searches.share_of(self.nodes),
            validations: self.limit_validations.share_of(self.nodes),
            writes: self.limit_writes.share_of(self.nodes),
            uploads: self.limit_uploads.share_of(self.nodes),
            trusted_proxies: self.trusted_proxies.clone(),
        })
    }

    /// The limit of failed logins, unless limits are off.
    pub(crate) fn login_throttle(&self) -> LoginThrottle {
        if self.rate_limits {
            LoginThrottle::new(self.limit_failed_logins)
        } else {
            LoginThrottle::unlimited()
        }
    }

    /// The replicas of the database.
    pub(crate) fn replicas(&self) -> Result<Replicas, InvalidUrl> {
        Replicas::new(self.replica_urls.iter().cloned(), self.replica_staleness)
    }

    /// The geocoder.
    pub(crate) fn nominatim(&self) -> NominatimConfig {
        let mut user_agent = self.nominatim_user_agent.clone();
        if user_agent.is_empty() {
            user_agent = format!("grateful/{} (+{})", env!("CARGO_PKG_VERSION"), self.frontend.url);
        }
        let mut config = NominatimConfig::new(self.nominatim_url.clone(), user_agent);
        config.policy.min_interval = self.nominatim_interval;
        config
    }
}

/// A number of threads, with one per core that this process may use for 0.
fn or_cores(workers: usize) -> usize {
    match workers {
        0 => std::thread::available_parallelism().map_or(2, Into::into),
        _ => workers,
    }
}
