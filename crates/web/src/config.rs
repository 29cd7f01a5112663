//! Configuration of the HTTP server.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web::ServiceConfig;
use actix_web::{HttpRequest, HttpResponse};
use chrono::TimeDelta;
use grateful_domain::Rate;
use ipnet::IpNet;

/// Configuration of the HTTP server.
#[derive(Debug, Clone)]
pub struct WebConfig {
    /// The origins whose pages may call the API, such as `http://localhost:3000`.
    pub allowed_origins: Vec<String>,
    /// The URL of the front end, without a final slash. Links to posts begin with it.
    pub frontend_url: String,
    /// The number of worker threads, each with a connection pool of its own.
    pub workers: usize,
    /// How long requests in flight may continue after a shutdown begins.
    pub shutdown_timeout: Duration,
    /// How long a client may take to send the head of a request, and then its body: each may take this long.
    pub client_request_timeout: Duration,
    /// The rate limits. No limits if `None` (tests, or `GRATEFUL_RATE_LIMITS=off`).
    pub limits: Option<RateLimitsConfig>,
    /// The page at `GET /metrics`. The path does not exist if `None`.
    pub metrics: Option<MetricsPage>,
    /// Whether responses have the `Server-Timing` header. Only for development, since it reveals internal timings to every
    /// client.
    pub server_timing: bool,
    /// Pages for browsers beside the API. No pages if `None`.
    pub site: Option<SiteRoutes>,
}

impl WebConfig {
    /// The maximum size of a JSON body, in bytes (docs/rules.md#request-limits).
    pub const MAX_BODY_BYTES: usize = 64 * 1024;
    /// The maximum size of a request target, in bytes (docs/rules.md#request-limits).
    pub const MAX_URI_BYTES: usize = 8 * 1024;
    /// The maximum size of all headers together, in bytes.
    pub const MAX_HEADERS_BYTES: usize = 32 * 1024;
    /// How long an idle connection stays open: longer than the web client's pool keeps it
    /// (docs/http-api.md#web-client-compatibility).
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
            site: None,
        }
    }
}

/// The rate limits, each for one user or one client address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateLimitsConfig {
    /// Sign-ups, by client address.
    pub signups: Rate,
    /// Logins, by client address.
    pub logins: Rate,
    /// Searches for users and locations, by user.
    pub searches: Rate,
    /// Validations of username batches, by user. Clients send one for every card they show.
    pub validations: Rate,
    /// All other writes, by user.
    pub writes: Rate,
    /// Image uploads, by user.
    pub uploads: Rate,
    /// The proxies whose `X-Forwarded-For` header is trusted. `None`: loopback while the server listens on loopback alone,
    /// otherwise none.
    pub trusted_proxies: Option<Vec<IpNet>>,
}

impl Default for RateLimitsConfig {
    /// The limits of docs/rules.md#request-limits.
    fn default() -> Self {
        Self {
            signups: Rate::new(10, TimeDelta::hours(1)),
            logins: Rate::new(10, TimeDelta::minutes(1)),
            searches: Rate::new(60, TimeDelta::minutes(1)),
            validations: Rate::new(600, TimeDelta::minutes(1)),
            writes: Rate::new(120, TimeDelta::minutes(1)),
            uploads: Rate::new(20, TimeDelta::hours(1)),
            trusted_proxies: None,
        }
    }
}

/// Renders the metrics page. This crate records metrics; the recorder that exports them belongs to the binary. Clones
/// share the function.
#[derive(Clone)]
pub struct MetricsPage(pub(crate) Arc<dyn Fn() -> String + Send + Sync>);

impl MetricsPage {
    /// `render` is called for each request and returns the page in the text format of Prometheus.
    pub fn new(render: impl Fn() -> String + Send + Sync + 'static) -> Self {
        Self(Arc::new(render))
    }
}

impl fmt::Debug for MetricsPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MetricsPage")
    }
}

/// Pages for browsers beside the API. This crate mounts them; what they are belongs to the binary. Clones share the
/// functions.
#[derive(Clone)]
pub struct SiteRoutes {
    configure: Arc<dyn Fn(&mut ServiceConfig) + Send + Sync>,
    not_found: Arc<NotFoundPage>,
}

type NotFoundPage = dyn Fn(&HttpRequest) -> Option<HttpResponse> + Send + Sync;

impl SiteRoutes {
    /// `configure` is called once for each thread. Its routes are matched before those of the API, so it registers `/` only
    /// for requests that prefer HTML. `not_found` may answer a request that no route matches with a page of its own.
    pub fn new(
        configure: impl Fn(&mut ServiceConfig) + Send + Sync + 'static,
        not_found: impl Fn(&HttpRequest) -> Option<HttpResponse> + Send + Sync + 'static,
    ) -> Self {
        Self { configure: Arc::new(configure), not_found: Arc::new(not_found) }
    }

    pub(crate) fn register(&self, service: &mut ServiceConfig) {
        (self.configure)(service);
    }

    pub(crate) fn not_found(&self, request: &HttpRequest) -> Option<HttpResponse> {
        (self.not_found)(request)
    }
}

impl fmt::Debug for SiteRoutes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SiteRoutes")
    }
}
