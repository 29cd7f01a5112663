//! Requests that are refused because of load or a limit: counted, and logged in one line a second.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web::Data;

use crate::error::{ApiError, ErrorChain};
use crate::metrics::record_refusal;

/// How long refusals are collected for a log line.
const LOG_INTERVAL: Duration = Duration::from_secs(1);

/// The refusals that are not logged yet. Shared by all threads of a server.
///
/// A server under overload refuses thousands of requests a second. A line for each would fill the disk, and a line at level
/// `error` would call an operator to a server that does what it should.
#[derive(Default)]
pub(crate) struct Refusals(Arc<Mutex<Pending>>);

#[derive(Default)]
struct Pending {
    rate_limited: u64,
    unavailable: u64,
    /// Why the first request with 503 was refused.
    cause: Option<String>,
}

impl Refusals {
    /// Data of an application without refusals.
    pub(crate) fn new() -> Data<Self> {
        Data::new(Self::default())
    }

    /// Whether the status refuses a request that would succeed later: 429 or 503.
    pub(crate) fn is_refusal(status: StatusCode) -> bool {
        [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE].contains(&status)
    }

    /// Counts a refusal. The first one starts a task that logs all refusals of the following second.
    pub(crate) fn record(&self, status: StatusCode, error: &ApiError) {
        record_refusal(status);
        let mut pending = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = pending.is_empty();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            pending.unavailable += 1;
            pending.cause.get_or_insert_with(|| ErrorChain(error).to_string());
        } else {
            pending.rate_limited += 1;
        }
        drop(pending);
        if is_first {
            let collected = Arc::clone(&self.0);
            actix_web::rt::spawn(async move {
                actix_web::rt::time::sleep(LOG_INTERVAL).await;
                std::mem::take(&mut *collected.lock().unwrap_or_else(PoisonError::into_inner))
                    .log();
            });
        }
    }
}

impl Pending {
    fn is_empty(&self) -> bool {
        self.rate_limited == 0 && self.unavailable == 0
    }

    fn log(&self) {
        tracing::warn!(
            status_429 = self.rate_limited,
            status_503 = self.unavailable,
            error = self.cause,
            "Refused requests"
        );
    }
}
