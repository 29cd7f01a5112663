//! Rate limits: the policy of each route, and the key that requests are counted by.

use std::net::{IpAddr, Ipv6Addr};

use actix_web::HttpMessage;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{HeaderMap, X_FORWARDED_FOR};
use actix_web::middleware::Next;
use actix_web::web::Data;
use chrono::{DateTime, Utc};
use grateful_application::{Error, RateLimiter};
use grateful_domain::{Session, UserId};
use ipnet::IpNet;

use crate::RateLimitsConfig;
use crate::error::ApiError;
use crate::request::{MatchedRoute, now};
use crate::response::RateLimitStatus;

/// A set of routes that share a rate limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateLimitPolicy {
    /// Sign-up.
    Signup,
    /// Login.
    Login,
    /// Searches for users and locations.
    Search,
    /// Validation of usernames in batches.
    Validation,
    /// Image uploads.
    Upload,
    /// All other writes.
    Write,
}

/// Returns the policy of the route with this pattern, or `None` if the route is not limited.
///
/// A route that is not listed counts as a write unless its method is `GET`, so that a new route is limited by default.
/// Reads are never limited, since the web client drops its token when a read fails
/// (docs/http-api.md#web-client-compatibility).
pub fn rate_limit_policy(method: &Method, pattern: &str) -> Option<RateLimitPolicy> {
    let versioned = pattern.strip_prefix(crate::API)?;
    if [Method::GET, Method::HEAD, Method::OPTIONS].contains(method)
        || UNLIMITED.contains(&versioned)
    {
        return None;
    }
    let listed = POSTS.iter().find(|(listed, _)| method == Method::POST && *listed == versioned);
    Some(listed.map_or(RateLimitPolicy::Write, |(_, policy)| *policy))
}

const POSTS: [(&str, RateLimitPolicy); 7] = [
    ("/auth/signup", RateLimitPolicy::Signup),
    ("/auth/login", RateLimitPolicy::Login),
    ("/users/search", RateLimitPolicy::Search),
    ("/users/location/search", RateLimitPolicy::Search),
    ("/users/validate-batch", RateLimitPolicy::Validation),
    ("/users/me/profile/photo", RateLimitPolicy::Upload),
    ("/posts/upload", RateLimitPolicy::Upload),
];

/// `POST` routes without a limit: logout must always work, and `/follows/status` only reads.
const UNLIMITED: [&str; 2] = ["/auth/logout", "/follows/status"];

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
    trusted_proxies: Vec<IpNet>,
}

impl RateLimits {
    pub(crate) fn new(config: Option<&RateLimitsConfig>) -> Self {
        Self(config.map(RateLimiters::new))
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
    fn new(config: &RateLimitsConfig) -> Self {
        Self {
            signups: RateLimiter::new(config.signups),
            logins: RateLimiter::new(config.logins),
            searches: RateLimiter::new(config.searches),
            validations: RateLimiter::new(config.validations),
            writes: RateLimiter::new(config.writes),
            uploads: RateLimiter::new(config.uploads),
            trusted_proxies: config.trusted_proxies.clone(),
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
            let address = self.address(request.peer_addr()?.ip(), request.headers())?;
            return Some(RateLimitKey::Address(address));
        }
        request.extensions().get::<Session>().map(|session| RateLimitKey::User(session.user))
    }

    /// Returns the client's address, or `None` if a trusted proxy does not name the client: all its clients share the
    /// address of the proxy.
    fn address(&self, peer: IpAddr, headers: &HeaderMap) -> Option<IpAddr> {
        let peer = peer.to_canonical();
        let is_trusted = self.trusted_proxies.iter().any(|network| network.contains(&peer));
        let address = if is_trusted { last_forwarded_for(headers)? } else { peer };
        Some(subscriber_prefix(address))
    }
}

/// The last address in `X-Forwarded-For`, which the nearest proxy added. The client controls the addresses before it.
fn last_forwarded_for(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all(X_FORWARDED_FOR).last()?.to_str().ok()?;
    let last = last.rsplit(',').next()?.trim();
    let with_port = || last.parse::<std::net::SocketAddr>().ok().map(|address| address.ip());
    let bare = last.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().ok();
    bare.or_else(with_port).map(|address| address.to_canonical())
}

/// Limits IPv6 clients by /64, since one subscriber holds the whole prefix (2⁶⁴ addresses).
fn subscriber_prefix(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
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

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn address(peer: &str, forwarded_for: &[&'static str]) -> Option<String> {
        let proxies = ["127.0.0.0/8", "::1/128", "10.0.0.0/8"];
        let trusted_proxies = proxies.iter().map(|network| network.parse().unwrap()).collect();
        let limiters =
            RateLimiters::new(&RateLimitsConfig { trusted_proxies, ..RateLimitsConfig::default() });
        let mut headers = HeaderMap::new();
        for value in forwarded_for {
            headers.append(X_FORWARDED_FOR, HeaderValue::from_static(value));
        }
        limiters.address(peer.parse().unwrap(), &headers).map(|address| address.to_string())
    }

    #[test]
    fn forwarded_addresses_count_only_from_a_trusted_proxy() {
        assert_eq!(address("203.0.113.7", &["198.51.100.1"]).unwrap(), "203.0.113.7");
        assert_eq!(address("10.1.2.3", &["198.51.100.1"]).unwrap(), "198.51.100.1");
        assert_eq!(address("::ffff:10.1.2.3", &["198.51.100.1"]).unwrap(), "198.51.100.1");
    }

    #[test]
    fn the_last_forwarded_address_counts() {
        let last = Some("198.51.100.2".to_owned());

        assert_eq!(address("::1", &["192.0.2.1, 198.51.100.2"]), last);
        assert_eq!(address("::1", &["192.0.2.1", "198.51.100.2"]), last);
        assert_eq!(address("::1", &["192.0.2.1,::ffff:198.51.100.2 "]), last);
        assert_eq!(address("::1", &["198.51.100.2:4711"]), last);
    }

    #[test]
    fn requests_of_a_trusted_proxy_without_a_client_address_are_not_counted() {
        assert_eq!(address("127.0.0.1", &[]), None);
        assert_eq!(address("127.0.0.1", &[""]), None);
        assert_eq!(address("127.0.0.1", &["192.0.2.1, unknown"]), None);
    }

    #[test]
    fn ipv6_addresses_are_limited_by_prefix() {
        let prefix = Some("2001:db8:1:2::".to_owned());

        assert_eq!(address("2001:db8:1:2:3:4:5:6", &[]), prefix);
        assert_eq!(address("::1", &["2001:db8:1:2:ffff::1"]), prefix);
        assert_eq!(address("::1", &["[2001:db8:1:2::9]:4711"]), prefix);
        assert_ne!(address("2001:db8:1:3::1", &[]), prefix);
    }
}
