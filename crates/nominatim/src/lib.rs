#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod error;
mod locations;
mod request;
mod throttle;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use grateful_application::{Geocoder, GeocoderFuture};
use grateful_domain::{Location, LocationQuery};
use moka::future::Cache;
use reqwest::Client;
use url::Url;

use self::error::NominatimError;
use self::throttle::RequestThrottle;

/// The server to use, and its limits.
#[derive(Debug, Clone)]
pub struct NominatimConfig {
    /// The URL that `/search` is appended to.
    pub base_url: Url,
    /// Identifies the program and a way to contact its operator.
    pub user_agent: String,
    /// Maximum wait for the throttle, and then for the response.
    pub timeout: Duration,
    /// Minimum time between two requests.
    pub min_interval: Duration,
    /// How long a result stays in the cache.
    pub cache_ttl: Duration,
}

impl NominatimConfig {
    /// A configuration with the limits of docs/rules.md#request-limits: one request per second, a timeout of five seconds,
    /// and results cached for a day.
    pub fn new(base_url: Url, user_agent: impl Into<String>) -> Self {
        Self {
            base_url,
            user_agent: user_agent.into(),
            timeout: Duration::from_secs(5),
            min_interval: Duration::from_secs(1),
            cache_ttl: Duration::from_hours(24),
        }
    }
}

/// A client for a Nominatim server. All threads of a process share one, so that the throttle applies to all of them.
pub struct Nominatim {
    config: NominatimConfig,
    /// Created on first use, since that loads the machine's certificates.
    client: OnceLock<Client>,
    throttle: RequestThrottle,
    /// By [`LocationQuery::to_key`] and limit.
    cache: Cache<(String, u8), Arc<CachedResult>>,
}

/// The locations of one query.
struct CachedResult {
    locations: Vec<Location>,
    /// Size of the response, which approximates the memory the locations take.
    bytes: usize,
}

impl Nominatim {
    /// Approximate limit on the cache's memory in bytes.
    const MAX_CACHE_BYTES: u64 = 16 * 1024 * 1024;

    /// Creates a client. Sends no request yet.
    pub fn new(config: NominatimConfig) -> Self {
        let cache = Cache::builder()
            .max_capacity(Self::MAX_CACHE_BYTES)
            .weigher(|(query, _): &(String, u8), result: &Arc<CachedResult>| {
                // A constant for the entry itself: an empty result takes memory too.
                u32::try_from(query.len() + result.bytes + 256).unwrap_or(u32::MAX)
            })
            .time_to_live(config.cache_ttl)
            .build();
        Self {
            throttle: RequestThrottle::new(config.min_interval),
            client: OnceLock::new(),
            cache,
            config,
        }
    }

    async fn fetch(
        &self,
        query: &LocationQuery,
        limit: u8,
    ) -> Result<Arc<CachedResult>, NominatimError> {
        self.throttle.acquire(self.config.timeout).await?;
        let response =
            tokio::time::timeout(self.config.timeout, self.send_request(query, limit)).await;
        let body = response.map_err(|_| NominatimError::TimedOut)??;
        let locations = locations::parse_locations(&body, limit)?;
        Ok(Arc::new(CachedResult { locations, bytes: body.len() }))
    }
}

impl Geocoder for Nominatim {
    fn geocode<'a>(&'a self, query: &'a LocationQuery, limit: u8) -> GeocoderFuture<'a> {
        Box::pin(async move {
            // Concurrent identical queries share one request.
            let result = self.cache.try_get_with((query.to_key(), limit), self.fetch(query, limit));
            Ok(result.await.map_err(NominatimError::into_error)?.locations.clone())
        })
    }
}
