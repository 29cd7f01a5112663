//! Rate limits: the limiters of a server, and the key that requests are counted by.

use std::net::IpAddr;

use actix_web::HttpMessage;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web::Data;
use chrono::{DateTime, Utc};
use grateful_application::{Error, RateLimiter};
use grateful_domain::{Session, UserId};

use super::client_address::TrustedProxies;
use crate::RateLimitsConfig;
use crate::error::ApiError;
use crate::rate_limit_policy::{RateLimitPolicy, rate_limit_policy};
use crate::request::{MatchedRoute, now};
use crate::response::RateLimitStatus;

/// The user or the client address that requests are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum RateLimitKey {
    User(UserId),
    Address(IpAddr),
}

/// The rate limiters of a server, shared by all its threads, or `None` if rate limits are off.
pub(crate) struct RateLimits(Option<RateLimiters>);

struct RateLimiters {
    signups: RateLimiter<RateLimitKey>,
    logins: RateLimiter<RateLimitKey>,
    searches: RateLimiter<RateLimitKey>,
    validations: RateLimiter<RateLimitKey>,
    writes: RateLimiter<RateLimitKey>,
    uploads: RateLimiter<RateLimitKey>,
    trusted_proxies: TrustedProxies,
}

impl RateLimits {
    pub(crate) fn new(config: Option<&RateLimitsConfig>, listens_on_loopback_only: bool) -> Self {
        Self(config.map(|config| RateLimiters::new(config, listens_on_loopback_only)))
    }

    /// Counts a request. Returns `None` if its route has no limit or its key is unknown.
    ///
    /// # Errors
    /// `RateLimited` if the limit is exceeded.
    pub(crate) fn count(
        &self,
        request: &ServiceRequest,
        now: DateTime<Utc>,
    ) -> Result<Option<RateLimitStatus>, Error> {
        self.0.as_ref().map_or(Ok(None), |limiters| limiters.count(request, now))
    }
}

impl RateLimiters {
    fn new(config: &RateLimitsConfig, listens_on_loopback_only: bool) -> Self {
        let trusted_proxies = config.trusted_proxies.as_deref();
        Self {
            signups: RateLimiter::new(config.signups),
            logins: RateLimiter::new(config.logins),
            searches: RateLimiter::new(config.searches),
            validations: RateLimiter::new(config.validations),
            writes: RateLimiter::new(config.writes),
            uploads: RateLimiter::new(config.uploads),
            trusted_proxies: TrustedProxies::new(trusted_proxies, listens_on_loopback_only),
        }
    }

    fn count(
        &self,
        request: &ServiceRequest,
        now: DateTime<Utc>,
    ) -> Result<Option<RateLimitStatus>, Error> {
        let policy = request
            .extensions()
            .get::<MatchedRoute>()
            .and_then(|MatchedRoute(pattern)| rate_limit_policy(request.method(), pattern));
        let Some(policy) = policy else { return Ok(None) };
        let Some(key) = self.key(request, policy) else { return Ok(None) };
        let (limiter, policy) = self.limiter(policy);
        let status = RateLimitStatus::exhausted(policy, limiter.rate());
        match limiter.take(key, now) {
            Ok(remaining) => Ok(Some(status.with_remaining(remaining))),
            Err(retry_after) => Err(Error::RateLimited {
                policy,
                limit: status.limit,
                window: status.window,
                retry_after,
                reason: "Too many requests of this kind, please try again later",
            }),
        }
    }

    /// The limiter of a policy, and the name of the policy in the `RateLimit` header.
    fn limiter(&self, policy: RateLimitPolicy) -> (&RateLimiter<RateLimitKey>, &'static str) {
        match policy {
            RateLimitPolicy::Signup => (&self.signups, "signups"),
            RateLimitPolicy::Login => (&self.logins, "logins"),
            RateLimitPolicy::Search => (&self.searches, "searches"),
            RateLimitPolicy::Validation => (&self.validations, "validations"),
            RateLimitPolicy::Upload => (&self.uploads, "uploads"),
            RateLimitPolicy::Write => (&self.writes, "writes"),
        }
    }

    fn key(&self, request: &ServiceRequest, policy: RateLimitPolicy) -> Option<RateLimitKey> {
        if matches!(policy, RateLimitPolicy::Signup | RateLimitPolicy::Login) {
            let peer = request.peer_addr()?.ip();
            let address = self.trusted_proxies.client_address(peer, request.headers())?;
            return Some(RateLimitKey::Address(address));
        }
        request.extensions().get::<Session>().map(|session| RateLimitKey::User(session.user))
    }
}

/// Middleware that counts each request and adds the `RateLimit` headers. Requests over the limit get 429 before their
/// body is read.
pub(crate) async fn rate_limits(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let counted = match request.app_data::<Data<RateLimits>>() {
        Some(limits) => limits.count(&request, now(request.request())),
        None => Ok(None),
    };
    match counted {
        Ok(status) => {
            let mut response = next.call(request).await?.map_into_boxed_body();
            if let Some(status) = status {
                status.write_to(response.headers_mut());
            }
            Ok(response)
        }
        Err(error) => Ok(request.error_response(ApiError::from(error))),
    }
}
