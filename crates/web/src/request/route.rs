//! The route that a request matched.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use actix_web::dev::ResourceDef;
use actix_web::http::Method;
use actix_web::{HttpMessage as _, HttpRequest};

/// A path pattern and the methods it supports.
pub(crate) struct Route {
    /// The position in the route table.
    pub(crate) index: usize,
    /// Such as `/api/v1/posts/{id}`.
    pub(crate) pattern: String,
    /// For the `Allow` header, so with `HEAD`.
    pub(crate) methods: Vec<Method>,
    /// The methods that have a handler, with the names of the handlers.
    pub(crate) operations: Vec<(Method, String)>,
    /// Finds the parameters in a path that has this pattern, if it has parameters.
    pub(crate) parameters: Option<ResourceDef>,
}

/// The route that a request matched, in its extensions.
#[derive(Clone, Copy)]
pub(crate) struct MatchedRoute(pub(crate) &'static Route);

/// The pattern of the route that a request matched: one of the API, or of the pages beside it.
pub(crate) fn matched_pattern(request: &HttpRequest) -> Option<&'static str> {
    if let Some(MatchedRoute(route)) = request.extensions().get() {
        return Some(&route.pattern);
    }
    request.match_pattern().map(interned)
}

/// Keeps one copy of each pattern for as long as the process runs. Their number is that of the pages.
fn interned(pattern: String) -> &'static str {
    static PATTERNS: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut patterns = PATTERNS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = patterns.get(pattern.as_str()) {
        return known;
    }
    let pattern: &'static str = pattern.leak();
    patterns.insert(pattern);
    pattern
}
