//! Rate limits: the limiters of a server, and the key that requests are counted by.

use std::net::IpAddr;

use actix_web::HttpMessage;
use actix_web::dev::ServiceRequest;
use chrono::{DateTime, Utc};
use grateful_application::{Error, RateLimiter};
use grateful_domain::{Session, UserId};

use super::client_address::TrustedProxies;
use crate::RateLimitsConfig;
use crate::rate_limit_policy::{RateLimitPolicy, rate_limit_policy};
use crate::request::{Route, now};
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

    /// Counts a request, before its body is read. Returns the content of the `RateLimit` headers, or `None` if the route
    /// has no limit or the key is unknown.
    ///
    /// # Errors
    /// `RateLimited` if the limit is exceeded.
    pub(crate) fn count(
        &self,
        request: &ServiceRequest,
        route: &Route,
    ) -> Result<Option<RateLimitStatus>, Error> {
        let Some(limiters) = &self.0 else { return Ok(None) };
        match rate_limit_policy(request.method(), &route.pattern) {
            Some(policy) => limiters.count(request, policy, now(request.request())),
            None => Ok(None),
        }
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
        policy: RateLimitPolicy,
        now: DateTime<Utc>,
    ) -> Result<Option<RateLimitStatus>, Error> {
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
