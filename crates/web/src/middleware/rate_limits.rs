//! What may be done how often, and who is counted.

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

use crate::LimitsConfig;
use crate::error::ApiError;
use crate::request::{MatchedRoute, now};
use crate::response::Quota;

/// What is counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    /// Making an account.
    Signup,
    /// Signing in.
    Login,
    /// Looking for people and places.
    Search,
    /// Asking which of many names are taken.
    Validation,
    /// Sending a picture.
    Upload,
    /// Whatever else changes something.
    Write,
}

/// As what the route with this pattern counts, where it does. Whatever is not listed here counts as a write unless it is
/// a `GET`, so that nobody opens a flood by forgetting it; reading is never limited, since clients drop their token when
/// it fails (contract §1).
pub fn activity_of(method: &Method, pattern: &str) -> Option<Activity> {
    let versioned = pattern.strip_prefix(crate::API)?;
    if [Method::GET, Method::HEAD, Method::OPTIONS].contains(method) || FREE.contains(&versioned) {
        return None;
    }
    let listed = POSTS.iter().find(|(listed, _)| method == Method::POST && *listed == versioned);
    Some(listed.map_or(Activity::Write, |(_, activity)| *activity))
}

const POSTS: [(&str, Activity); 7] = [
    ("/auth/signup", Activity::Signup),
    ("/auth/login", Activity::Login),
    ("/users/search", Activity::Search),
    ("/users/location/search", Activity::Search),
    ("/users/validate-batch", Activity::Validation),
    ("/users/me/profile/photo", Activity::Upload),
    ("/posts/upload", Activity::Upload),
];

/// Leaving must always be possible; the other one only reads.
const FREE: [&str; 2] = ["/auth/logout", "/follows/status"];

/// Who is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Who {
    Person(UserId),
    Address(IpAddr),
}

/// What everybody has left, where anybody counts. All threads of a server share it.
pub(crate) struct Limits(Option<Counts>);

struct Counts {
    signups: RateLimiter<Who>,
    logins: RateLimiter<Who>,
    searches: RateLimiter<Who>,
    validations: RateLimiter<Who>,
    writes: RateLimiter<Who>,
    uploads: RateLimiter<Who>,
    trusted_proxies: Vec<IpNet>,
}

impl Limits {
    pub(crate) fn new(config: Option<&LimitsConfig>) -> Self {
        Self(config.map(Counts::new))
    }

    /// Counts a request, if it is of a kind that is, and whoever makes it is known.
    ///
    /// # Errors
    /// `TooMany` where they made too many.
    pub(crate) fn count(
        &self,
        request: &ServiceRequest,
        now: DateTime<Utc>,
    ) -> Result<Option<Quota>, Error> {
        self.0.as_ref().map_or(Ok(None), |counts| counts.count(request, now))
    }
}

impl Counts {
    fn new(config: &LimitsConfig) -> Self {
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

    fn count(&self, request: &ServiceRequest, now: DateTime<Utc>) -> Result<Option<Quota>, Error> {
        let activity = request
            .extensions()
            .get::<MatchedRoute>()
            .and_then(|MatchedRoute(pattern)| activity_of(request.method(), pattern));
        let Some(activity) = activity else { return Ok(None) };
        let Some(who) = self.who(request, activity) else { return Ok(None) };
        let (buckets, policy) = self.of(activity);
        let quota = Quota::of(policy, buckets.rate());
        match buckets.take(who, now) {
            Ok(left) => Ok(Some(quota.with_left(left))),
            Err(retry_after) => Err(Error::TooMany {
                policy,
                limit: quota.limit,
                window: quota.window,
                retry_after,
                reason: "Too many requests of this kind, please try again later",
            }),
        }
    }

    fn of(&self, activity: Activity) -> (&RateLimiter<Who>, &'static str) {
        match activity {
            Activity::Signup => (&self.signups, "signups"),
            Activity::Login => (&self.logins, "logins"),
            Activity::Search => (&self.searches, "searches"),
            Activity::Validation => (&self.validations, "validations"),
            Activity::Upload => (&self.uploads, "uploads"),
            Activity::Write => (&self.writes, "writes"),
        }
    }

    fn who(&self, request: &ServiceRequest, activity: Activity) -> Option<Who> {
        if matches!(activity, Activity::Signup | Activity::Login) {
            let address = self.address(request.peer_addr()?.ip(), request.headers())?;
            return Some(Who::Address(address));
        }
        request.extensions().get::<Session>().map(|session| Who::Person(session.user))
    }

    /// The address that is asked for. None where a trusted proxy names nobody: it asks for everybody.
    fn address(&self, peer: IpAddr, headers: &HeaderMap) -> Option<IpAddr> {
        let peer = peer.to_canonical();
        let is_trusted = self.trusted_proxies.iter().any(|network| network.contains(&peer));
        let address = if is_trusted { last_forwarded_for(headers)? } else { peer };
        Some(household(address))
    }
}

/// The address that the nearest proxy added. Those before it are whatever the client sent.
fn last_forwarded_for(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all(X_FORWARDED_FOR).last()?.to_str().ok()?;
    let last = last.rsplit(',').next()?.trim();
    let with_port = || last.parse::<std::net::SocketAddr>().ok().map(|address| address.ip());
    let bare = last.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().ok();
    bare.or_else(with_port).map(|address| address.to_canonical())
}

/// Of IPv6, everybody has 2⁶⁴ addresses.
fn household(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(six) => Ipv6Addr::from_bits(six.to_bits() >> 64 << 64).into(),
    }
}

/// Lets pass whoever has something left, and tells them how much.
pub(crate) async fn limit(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let counted = match request.app_data::<Data<Limits>>() {
        Some(limits) => limits.count(&request, now(request.request())),
        None => Ok(None),
    };
    match counted {
        Ok(quota) => {
            let mut response = next.call(request).await?.map_into_boxed_body();
            if let Some(quota) = quota {
                quota.tell(response.headers_mut());
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
        let limits = Counts::new(&LimitsConfig { trusted_proxies, ..LimitsConfig::default() });
        let mut headers = HeaderMap::new();
        for value in forwarded_for {
            headers.append(X_FORWARDED_FOR, HeaderValue::from_static(value));
        }
        limits.address(peer.parse().unwrap(), &headers).map(|address| address.to_string())
    }

    #[test]
    fn nobody_but_a_trusted_proxy_is_believed() {
        assert_eq!(address("203.0.113.7", &["198.51.100.1"]).unwrap(), "203.0.113.7");
        assert_eq!(address("10.1.2.3", &["198.51.100.1"]).unwrap(), "198.51.100.1");
        assert_eq!(address("::ffff:10.1.2.3", &["198.51.100.1"]).unwrap(), "198.51.100.1");
    }

    #[test]
    fn of_those_that_are_named_the_last_counts() {
        let last = Some("198.51.100.2".to_owned());

        assert_eq!(address("::1", &["192.0.2.1, 198.51.100.2"]), last);
        assert_eq!(address("::1", &["192.0.2.1", "198.51.100.2"]), last);
        assert_eq!(address("::1", &["192.0.2.1,::ffff:198.51.100.2 "]), last);
        assert_eq!(address("::1", &["198.51.100.2:4711"]), last);
    }

    #[test]
    fn a_trusted_proxy_that_names_nobody_asks_for_everybody() {
        assert_eq!(address("127.0.0.1", &[]), None);
        assert_eq!(address("127.0.0.1", &[""]), None);
        assert_eq!(address("127.0.0.1", &["192.0.2.1, unknown"]), None);
    }

    #[test]
    fn the_addresses_of_one_household_are_one() {
        let home = Some("2001:db8:1:2::".to_owned());

        assert_eq!(address("2001:db8:1:2:3:4:5:6", &[]), home);
        assert_eq!(address("::1", &["2001:db8:1:2:ffff::1"]), home);
        assert_eq!(address("::1", &["[2001:db8:1:2::9]:4711"]), home);
        assert_ne!(address("2001:db8:1:3::1", &[]), home);
    }
}
