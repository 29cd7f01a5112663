//! The route that a request matched.

/// The pattern of the route that a request is for.
#[derive(Debug, Clone)]
pub(crate) struct MatchedRoute(pub(crate) String);
