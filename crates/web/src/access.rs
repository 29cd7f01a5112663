//! Who needs a token for what.

use actix_web::http::Method;

/// What a route asks of whoever calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing; a token that is sent is not looked at.
    Public,
    /// A token may be missing, but one that is sent must be good.
    Optional,
    /// A token.
    Required,
}

/// What the route with this pattern asks. Whatever is not listed here needs a token, so that nobody opens a route by
/// forgetting it; the lists may only shrink, and a test asks every route of the OpenAPI document.
pub fn access_to(method: &Method, pattern: &str) -> Access {
    let Some(versioned) = pattern.strip_prefix(crate::API) else { return Access::Public };
    if PUBLIC.contains(&versioned) {
        Access::Public
    } else if method == Method::GET && OPTIONAL.contains(&versioned) {
        Access::Optional
    } else {
        Access::Required
    }
}

const PUBLIC: [&str; 3] = ["/auth/signup", "/auth/login", "/auth/logout"];

/// A stream is opened by a ticket where no token can be sent: its handler asks for the one or the other.
const OPTIONAL: [&str; 2] = ["/posts/{id}", "/notifications/stream"];
