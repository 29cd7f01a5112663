//! The route that a request matched.

/// The pattern of the route that a request matched.
#[derive(Debug, Clone)]
pub(crate) struct MatchedRoute(pub(crate) String);
