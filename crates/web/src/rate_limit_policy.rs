//! The rate limit of each route.

use actix_web::http::Method;

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
