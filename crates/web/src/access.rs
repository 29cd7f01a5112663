//! The routes that need no token.

use actix_web::http::Method;

/// Whether a route needs a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// No token. A token in the request is ignored.
    Public,
    /// The token is optional, but must be valid if present.
    Optional,
    /// A valid token, or else a ticket in the query parameter `ticket`.
    TokenOrTicket,
    /// A valid token.
    Required,
}

/// Returns whether the route with this pattern needs a token.
///
/// A route that is not listed needs one, so that a new route is protected by default. The lists may only shrink; a test
/// checks every route of the OpenAPI document.
pub fn access_to(method: &Method, pattern: &str) -> Access {
    let Some(versioned) = pattern.strip_prefix(crate::API) else { return Access::Public };
    if PUBLIC.contains(&versioned) {
        Access::Public
    } else if method == Method::GET && OPTIONAL.contains(&versioned) {
        Access::Optional
    } else if method == Method::GET && versioned == NOTIFICATION_STREAM {
        Access::TokenOrTicket
    } else {
        Access::Required
    }
}

const PUBLIC: [&str; 3] = ["/auth/signup", "/auth/login", "/auth/logout"];

const OPTIONAL: [&str; 1] = ["/posts/{id}"];

const NOTIFICATION_STREAM: &str = "/notifications/stream";
