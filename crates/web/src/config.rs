//! What a deployment decides about its HTTP side.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use grateful_domain::Rate;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Settings of the HTTP side.
#[derive(Debug, Clone)]
pub struct WebConfig {
    /// The origins whose pages may call the API, such as `http://localhost:3000`.
    pub allowed_origins: Vec<String>,
    /// Where people use the front end, without a final slash: links to posts lead there.
    pub frontend_url: String,
    /// How many threads answer requests, each with a pool of its own.
    pub workers: usize,
    /// How long a request in flight may go on after the order to stop.
    pub shutdown_timeout: Duration,
    /// How long a client may take to send the head of a request, and then its body.
    pub client_request_timeout: Duration,
    /// How much anybody may ask; none where nobody counts.
    pub limits: Option<RateLimitsConfig>,
    /// What `GET /metrics` shows; without it there is nothing at that path.
    pub metrics: Option<MetricsPage>,
    /// Whether answers say in `Server-Timing` what took how long. That tells strangers more than they should know, and is
    /// for development.
    pub server_timing: bool,
}

impl WebConfig {
    /// The most bytes of a JSON body (rules §9).
    pub const MAX_BODY_BYTES: usize = 64 * 1024;
    /// The most bytes of a request target (rules §9).
    pub const MAX_URI_BYTES: usize = 8 * 1024;
    /// The most bytes of all header fields together.
    pub const MAX_HEADERS_BYTES: usize = 32 * 1024;
    /// How long an idle connection is kept: longer than the web client's pool keeps it (contract §1).
    pub const KEEP_ALIVE: Duration = Duration::from_secs(75);
}

impl Default for WebConfig {
    fn default() -> Self {
        Self {
            allowed_origins: vec!["http://localhost:3000".to_owned()],
            frontend_url: "http://localhost:3000".to_owned(),
            workers: std::thread::available_parallelism().map_or(2, Into::into),
            shutdown_timeout: Duration::from_secs(30),
            client_request_timeout: Duration::from_secs(7),
            limits: None,
            metrics: None,
            server_timing: false,
        }
    }
}

/// How often requests of each kind may be made, by one person or from one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateLimitsConfig {
    /// Making accounts, from one address.
    pub signups: Rate,
    /// Signing in, from one address.
    pub logins: Rate,
    /// Looking for people and places.
    pub searches: Rate,
    /// Asking which of many names are taken: clients do so for every card they show.
    pub validations: Rate,
    /// Whatever else changes something.
    pub writes: Rate,
    /// Sending pictures.
    pub uploads: Rate,
    /// Who is believed when they say for whom they ask, by `X-Forwarded-For`.
    pub trusted_proxies: Vec<IpNet>,
}

impl Default for RateLimitsConfig {
    /// Rules §9.
    fn default() -> Self {
        Self {
            signups: Rate::new(10, TimeDelta::hours(1)),
            logins: Rate::new(10, TimeDelta::minutes(1)),
            searches: Rate::new(60, TimeDelta::minutes(1)),
            validations: Rate::new(600, TimeDelta::minutes(1)),
            writes: Rate::new(120, TimeDelta::minutes(1)),
            uploads: Rate::new(20, TimeDelta::hours(1)),
            trusted_proxies: vec![
                Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8).into(),
                Ipv6Net::from(Ipv6Addr::LOCALHOST).into(),
            ],
        }
    }
}

/// What is measured, as the program shows it when asked: web measures, and knows of no recorder. Clones share it.
#[derive(Clone)]
pub struct MetricsPage(pub(crate) Arc<dyn Fn() -> String + Send + Sync>);

impl MetricsPage {
    /// A page that is made anew each time, in the text format of Prometheus.
    pub fn new(render: impl Fn() -> String + Send + Sync + 'static) -> Self {
        Self(Arc::new(render))
    }
}

impl fmt::Debug for MetricsPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MetricsPage")
    }
}
