//! What a client may do how often, in the words of the IETF's draft on `RateLimit` fields.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use chrono::TimeDelta;
use grateful_domain::Rate;

/// What is left of something that may be done so often.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RateLimitStatus {
    /// By which name it is known.
    pub(crate) policy: &'static str,
    pub(crate) limit: u32,
    pub(crate) window: TimeDelta,
    pub(crate) left: u32,
}

impl RateLimitStatus {
    pub(crate) const FIELD: HeaderName = HeaderName::from_static("ratelimit");
    pub(crate) const POLICY_FIELD: HeaderName = HeaderName::from_static("ratelimit-policy");

    /// One of which nothing is left.
    pub(crate) fn of(policy: &'static str, rate: Rate) -> Self {
        Self { policy, limit: rate.limit(), window: rate.period(), left: 0 }
    }

    pub(crate) fn with_remaining(self, left: u32) -> Self {
        Self { left, ..self }
    }

    /// Says what is left, beside what is said of other quotas.
    pub(crate) fn tell(self, headers: &mut HeaderMap) {
        let Self { policy, limit, window, left } = self;
        append(headers, Self::FIELD, &format!("\"{policy}\";r={left}"));
        let policy = format!("\"{policy}\";q={limit};w={}", window.num_seconds());
        append(headers, Self::POLICY_FIELD, &policy);
    }

    /// Says that nothing is left, and for how long.
    pub(crate) fn refuse(self, headers: &mut HeaderMap, wait: TimeDelta) {
        let Self { policy, limit, window, .. } = self;
        let wait = ceil_seconds(wait);
        append(headers, RETRY_AFTER, &wait.to_string());
        append(headers, Self::FIELD, &format!("\"{policy}\";r=0;t={wait}"));
        let policy = format!("\"{policy}\";q={limit};w={}", window.num_seconds());
        append(headers, Self::POLICY_FIELD, &policy);
    }
}

fn append(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.append(name, value);
    }
}

/// Rounded up: whoever comes back after so many seconds is not too early.
pub(crate) fn ceil_seconds(time: TimeDelta) -> i64 {
    (time + TimeDelta::seconds(1) - TimeDelta::nanoseconds(1)).num_seconds()
}
