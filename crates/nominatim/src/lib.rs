#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod error;
mod locations;
mod request;

use std::sync::OnceLock;
use std::time::Duration;

use chrono::TimeDelta;
use grateful_application::{Geocoder, GeocoderFuture, GeocoderPolicy};
use grateful_domain::{Location, LocationQuery};
use reqwest::Client;
use url::Url;

use self::error::NominatimError;

/// The server to use, and its limits.
#[derive(Debug, Clone)]
pub struct NominatimConfig {
    /// The URL that `/search` is appended to.
    pub base_url: Url,
    /// Identifies the program and a way to contact its operator.
    pub user_agent: String,
    /// Maximum wait for the response.
    pub timeout: Duration,
    /// How often all nodes together may ask this server, and how long they use its results.
    pub policy: GeocoderPolicy,
}

impl NominatimConfig {
    /// A configuration with the limits of docs/rules.md#request-limits: one request per second, a timeout of five seconds,
    /// and results used for a day.
    pub fn new(base_url: Url, user_agent: impl Into<String>) -> Self {
        let timeout = Duration::from_secs(5);
        Self {
            base_url,
            user_agent: user_agent.into(),
            timeout,
            policy: GeocoderPolicy {
                min_interval: Duration::from_secs(1),
                max_wait: timeout,
                max_age: TimeDelta::days(1),
            },
        }
    }
}

/// A client for a Nominatim server. All threads of a process share one.
pub struct Nominatim {
    config: NominatimConfig,
    /// Created on first use, since that loads the machine's certificates.
    client: OnceLock<Client>,
}

impl Nominatim {
    /// Creates a client. Sends no request yet.
    pub fn new(config: NominatimConfig) -> Self {
        Self { client: OnceLock::new(), config }
    }

    async fn fetch(
        &self,
        query: &LocationQuery,
        limit: u8,
    ) -> Result<Vec<Location>, NominatimError> {
        let response =
            tokio::time::timeout(self.config.timeout, self.send_request(query, limit)).await;
        locations::parse_locations(&response.map_err(|_| NominatimError::TimedOut)??, limit)
    }
}

impl Geocoder for Nominatim {
    fn geocode<'a>(&'a self, query: &'a LocationQuery, limit: u8) -> GeocoderFuture<'a> {
        Box::pin(async move { self.fetch(query, limit).await.map_err(NominatimError::into_error) })
    }

    fn policy(&self) -> Option<GeocoderPolicy> {
        Some(self.config.policy)
    }
}
