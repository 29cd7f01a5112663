//! Paths in their shortest form.

use actix_web::dev::{ServiceRequest, Url};
use actix_web::http::Uri;

/// Merges adjacent slashes of the path into one, and removes those at its end, except in `/`.
pub(crate) fn normalize_path(request: &mut ServiceRequest) {
    let path = request.uri().path();
    if is_normalized(path) {
        return;
    }
    let normalized = normalized(path);
    if let Some(uri) = with_path(request.uri(), normalized) {
        request.match_info_mut().set(Url::new(uri.clone()));
        request.head_mut().uri = uri;
    }
}

fn is_normalized(path: &str) -> bool {
    path.len() < 2 || !(path.ends_with('/') || path.contains("//"))
}

fn normalized(path: &str) -> String {
    let segments = path.split('/').filter(|segment| !segment.is_empty());
    let merged: String = segments.flat_map(|segment| ["/", segment]).collect();
    if merged.is_empty() { "/".to_owned() } else { merged }
}

fn with_path(uri: &Uri, path: String) -> Option<Uri> {
    let target = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(target.parse().ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_are_merged_and_removed_at_the_end() {
        for (path, expected) in [
            ("/", "/"),
            ("//", "/"),
            ("/posts/", "/posts"),
            ("//posts///feed//", "/posts/feed"),
            ("/posts%2F/feed", "/posts%2F/feed"),
        ] {
            assert_eq!(normalized(path), expected);
            assert_eq!(is_normalized(path), path == expected, "{path}");
        }
    }

    #[test]
    fn the_query_stays_as_it_is() {
        let uri = Uri::from_static("/posts//?next=//");
        assert_eq!(with_path(&uri, "/posts".to_owned()).unwrap(), "/posts?next=//");
    }
}
