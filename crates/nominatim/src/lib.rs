#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod failure;
mod pace;
mod place;
mod request;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use grateful_application::{Geocoder, GeocoderFuture};
use grateful_domain::{Location, LocationQuery};
use moka::future::Cache;
use reqwest::Client;
use url::Url;

use self::failure::Failure;
use self::pace::Pace;

/// Where the server is, and how it is treated.
#[derive(Debug, Clone)]
pub struct NominatimConfig {
    /// The address below which `/search` is.
    pub base_url: Url,
    /// Who asks: the program, and how to reach whoever runs it.
    pub user_agent: String,
    /// How long one may wait for one's turn, and then for the answer.
    pub timeout: Duration,
    /// From one request to the next.
    pub interval: Duration,
    /// How long an answer is good for.
    pub kept_for: Duration,
}

impl NominatimConfig {
    /// As the rules have it (§9): five seconds, a request a second, and a day.
    pub fn new(base_url: Url, user_agent: impl Into<String>) -> Self {
        Self {
            base_url,
            user_agent: user_agent.into(),
            timeout: Duration::from_secs(5),
            interval: Duration::from_secs(1),
            kept_for: Duration::from_hours(24),
        }
    }
}

/// A Nominatim server. One is shared by all threads of a process, so that they keep its pace together.
pub struct Nominatim {
    config: NominatimConfig,
    /// Made when it is first needed: it reads the certificates of the machine.
    client: OnceLock<Client>,
    pace: Pace,
    kept: Cache<(String, u8), Arc<Found>>,
}

/// An answer.
struct Found {
    places: Vec<Location>,
    /// How much was read for it, which is about what it takes to keep it.
    bytes: usize,
}

impl Nominatim {
    /// How many bytes of answers are kept at most, about.
    const KEPT_BYTES: u64 = 16 * 1024 * 1024;

    /// The server that is described. Nothing is asked of it yet.
    pub fn new(config: NominatimConfig) -> Self {
        let kept = Cache::builder()
            .max_capacity(Self::KEPT_BYTES)
            .weigher(|(words, _): &(String, u8), found: &Arc<Found>| {
                // An empty answer takes room as well.
                u32::try_from(words.len() + found.bytes + 256).unwrap_or(u32::MAX)
            })
            .time_to_live(config.kept_for)
            .build();
        Self { pace: Pace::new(config.interval), client: OnceLock::new(), kept, config }
    }

    async fn ask(&self, query: &LocationQuery, limit: u8) -> Result<Arc<Found>, Failure> {
        self.pace.wait(self.config.timeout).await?;
        let answer = tokio::time::timeout(self.config.timeout, self.request(query, limit)).await;
        let body = answer.map_err(|_| Failure::TimedOut)??;
        let places = place::read(&body, limit)?;
        Ok(Arc::new(Found { places, bytes: body.len() }))
    }
}

impl Geocoder for Nominatim {
    fn geocode<'a>(&'a self, query: &'a LocationQuery, limit: u8) -> GeocoderFuture<'a> {
        Box::pin(async move {
            // Of those who ask the same at the same time, one asks, and all hear the answer.
            let found = self.kept.try_get_with((query.to_key(), limit), self.ask(query, limit));
            Ok(found.await.map_err(Failure::into_error)?.places.clone())
        })
    }
}
