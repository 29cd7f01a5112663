//! The `RateLimit` and `RateLimit-Policy` headers of the IETF draft.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use chrono::TimeDelta;
use grateful_domain::Rate;

/// A rate limit and the number of requests that remain.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RateLimitStatus {
    /// The name of the policy.
    pub(crate) policy: &'static str,
    pub(crate) limit: u32,
    pub(crate) window: TimeDelta,
    pub(crate) remaining: u32,
}

impl RateLimitStatus {
    pub(crate) const HEADER: HeaderName = HeaderName::from_static("ratelimit");
    pub(crate) const POLICY_HEADER: HeaderName = HeaderName::from_static("ratelimit-policy");

    /// A status with no remaining requests.
    pub(crate) fn exhausted(policy: &'static str, rate: Rate) -> Self {
        Self { policy, limit: rate.limit(), window: rate.period(), remaining: 0 }
    }

    pub(crate) fn with_remaining(self, remaining: u32) -> Self {
        Self { remaining, ..self }
    }

    /// Adds the headers beside those of other policies.
    pub(crate) fn write_to(self, headers: &mut HeaderMap) {
        let Self { policy, limit, window, remaining } = self;
        append(headers, Self::HEADER, &format!("\"{policy}\";r={remaining}"));
        let policy = format!("\"{policy}\";q={limit};w={}", window.num_seconds());
        append(headers, Self::POLICY_HEADER, &policy);
    }

    /// Adds the headers for a request over the limit: with `Retry-After`, and no remaining requests.
    pub(crate) fn write_exceeded_to(self, headers: &mut HeaderMap, retry_after: TimeDelta) {
        let Self { policy, limit, window, .. } = self;
        let seconds = ceil_seconds(retry_after);
        append(headers, RETRY_AFTER, &seconds.to_string());
        append(headers, Self::HEADER, &format!("\"{policy}\";r=0;t={seconds}"));
        let policy = format!("\"{policy}\";q={limit};w={}", window.num_seconds());
        append(headers, Self::POLICY_HEADER, &policy);
    }
}

fn append(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.append(name, value);
    }
}

/// Returns whole seconds, rounded up so that a client that waits this long is not too early.
pub(crate) fn ceil_seconds(time: TimeDelta) -> i64 {
    (time + TimeDelta::seconds(1) - TimeDelta::nanoseconds(1)).num_seconds()
}
