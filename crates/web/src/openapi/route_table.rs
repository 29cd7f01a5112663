//! The routes and their methods, from the OpenAPI document.

use std::sync::LazyLock;

use actix_web::dev::ResourceDef;
use actix_web::http::Method;
use utoipa::openapi::OpenApi;

use super::{generated, operations};
use crate::request::Route;

/// The routes of this build.
pub(crate) static ROUTES: LazyLock<RouteTable> =
    LazyLock::new(|| RouteTable::from_document(&generated()));

/// All routes, in a tree of their path segments: a look-up takes as long as the path, not as the list of routes.
pub(crate) struct RouteTable {
    routes: Vec<Route>,
    tree: matchit::Router<usize>,
}

impl RouteTable {
    fn from_document(document: &OpenApi) -> Self {
        let mut table = Self { routes: Vec::new(), tree: matchit::Router::new() };
        for (pattern, handler) in UNDOCUMENTED {
            table.add(pattern, vec![(Method::GET, handler.to_owned())]);
        }
        for (pattern, item) in &document.paths.paths {
            let handlers = operations(item).map(|(method, operation)| {
                (method, operation.operation_id.clone().unwrap_or_default())
            });
            table.add(pattern, handlers.collect());
        }
        table
    }

    fn add(&mut self, pattern: &str, operations: Vec<(Method, String)>) {
        let index = self.routes.len();
        // The tree has its own syntax for the rest of a path. A test finds every pattern, so none is refused here.
        _ = self.tree.insert(pattern.replace("{path:.*}", "{*path}"), index);
        let with_head = |(method, _): &(Method, String)| {
            let head = (*method == Method::GET).then_some(Method::HEAD);
            [Some(method.clone()), head].into_iter().flatten()
        };
        self.routes.push(Route {
            index,
            pattern: pattern.to_owned(),
            methods: operations.iter().flat_map(with_head).collect(),
            operations,
            parameters: pattern.contains('{').then(|| ResourceDef::new(pattern)),
        });
    }

    /// The route of a path. A fixed segment comes before a parameter in the same position.
    pub(crate) fn find(&self, path: &str) -> Option<&Route> {
        self.tree.at(path).ok().and_then(|found| self.routes.get(*found.value))
    }

    /// All routes, at the positions of their indexes.
    pub(crate) fn all(&self) -> &[Route] {
        &self.routes
    }
}

/// The patterns that are not part of the API, pages for people and files, with the names of their handlers.
const UNDOCUMENTED: [(&str, &str); 4] = [
    ("/", "get_root"),
    ("/docs", "get_docs_page"),
    ("/docs/{file}", "get_docs_file"),
    ("/uploads/{path:.*}", "get_upload"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn segments(pattern: &str) -> impl Iterator<Item = &str> {
        pattern.split('/').skip(1)
    }

    /// The paths of all patterns, and those with one segment replaced by each word of any pattern or by other text. So each
    /// parameter also meets each fixed word. No segment is empty: paths are normalized before.
    fn paths() -> BTreeSet<String> {
        let all = ROUTES.all().iter();
        let words: BTreeSet<&str> = all.flat_map(|route| segments(&route.pattern)).collect();
        let others = ["4711", "ana.b", "%2Fx", "Posts"];
        let words: Vec<&str> =
            words.into_iter().chain(others).filter(|word| !word.is_empty()).collect();
        let mut paths = BTreeSet::new();
        for route in ROUTES.all() {
            let segments: Vec<&str> = segments(&route.pattern).collect();
            for position in 0..segments.len() {
                for word in &words {
                    let mut changed = segments.clone();
                    changed[position] = word;
                    let path = format!("/{}", changed.join("/")).replace("{path:.*}", "a/b.c");
                    let with = |text| {
                        path.replace("{id}", text)
                            .replace("{username}", text)
                            .replace("{file}", text)
                    };
                    paths.extend(["7", "me", "feed"].map(with));
                }
            }
        }
        paths
    }

    #[test]
    fn a_path_has_the_matching_pattern_with_fixed_segments_furthest_to_the_left() {
        let paths = paths();
        assert!(10_000 < paths.len(), "{}", paths.len());
        let all = ROUTES.all().iter();
        let definitions: Vec<(ResourceDef, &str)> = all
            .map(|route| (ResourceDef::new(route.pattern.as_str()), route.pattern.as_str()))
            .collect();
        for path in paths {
            let matching = definitions.iter().filter(|(definition, _)| definition.is_match(&path));
            let parameters = |pattern: &&str| -> Vec<bool> {
                segments(pattern).map(|segment| segment.starts_with('{')).collect()
            };
            let expected = matching.map(|(_, pattern)| *pattern).min_by_key(parameters);

            let found = ROUTES.find(&path).map(|route| route.pattern.as_str());
            assert_eq!(found, expected, "{path}");
        }
    }
}
