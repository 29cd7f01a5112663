//! The routes and their methods, from the OpenAPI document.

use std::collections::HashMap;
use std::sync::LazyLock;

use actix_web::http::Method;
use utoipa::openapi::OpenApi;

use super::{generated, operations};

/// The routes of this build.
pub(crate) static ROUTES: LazyLock<RouteTable> =
    LazyLock::new(|| RouteTable::from_document(&generated()));

/// The methods of each route, by pattern.
#[derive(Debug, Clone)]
pub(crate) struct RouteTable(HashMap<String, Vec<Method>>);

impl RouteTable {
    pub(crate) fn from_document(document: &OpenApi) -> Self {
        let mut table: HashMap<String, Vec<Method>> =
            ["/", "/docs", "/docs/{file}", "/uploads/{path:.*}"]
                .map(|pattern| (pattern.to_owned(), vec![Method::GET, Method::HEAD]))
                .into();
        for (pattern, item) in &document.paths.paths {
            let methods = table.entry(pattern.clone()).or_default();
            for (method, _) in operations(item) {
                let has_head = method == Method::GET;
                methods.push(method);
                methods.extend(has_head.then_some(Method::HEAD));
            }
        }
        Self(table)
    }

    /// The table's own copy of a pattern, if it has one.
    pub(crate) fn pattern(&self, pattern: &str) -> Option<&str> {
        self.0.get_key_value(pattern).map(|(known, _)| known.as_str())
    }

    pub(crate) fn methods(&self, pattern: &str) -> Option<&[Method]> {
        self.0.get(pattern).map(Vec::as_slice)
    }
}
