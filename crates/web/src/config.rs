//! What a deployment decides about its HTTP side.

use std::time::Duration;

use crate::{LimitsConfig, MetricsPage};

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
    pub patience: Duration,
    /// How much anybody may ask; none where nobody counts.
    pub limits: Option<LimitsConfig>,
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
            patience: Duration::from_secs(7),
            limits: None,
            metrics: None,
            server_timing: false,
        }
    }
}
