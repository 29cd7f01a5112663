//! The metrics of requests.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::http::Method;
use grateful_testkit::{Api, MetricsCapture, a_post};
use grateful_web::all_metrics;
use serde_json::json;

use crate::openapi::operations;
use crate::support::{UNKNOWN_ID, post_path};

#[actix_web::test]
async fn requests_are_counted_by_method_route_and_status() {
    let (api, [ana]) = Api::with_users().await;
    let post = post_path(a_post().insert_into(api.database()).await.id);
    let metrics = MetricsCapture::start();

    api.get(&format!("{post}/?x=1")).by(&ana).send().await.expect(200);
    api.get(&post).send().await.expect(200);
    api.get(&post_path(UNKNOWN_ID)).send().await.expect(404);
    api.request(Method::HEAD, &post).send().await.expect(200);
    api.patch(&post).send().await.expect(401);

    let route = "route=/api/v1/posts/{id}";
    assert_eq!(
        take_http_metrics(&metrics),
        BTreeMap::from([
            (format!("requests_total{{method=GET,{route},status=200}}"), 2),
            (format!("requests_total{{method=GET,{route},status=404}}"), 1),
            (format!("requests_total{{method=HEAD,{route},status=200}}"), 1),
            (format!("requests_total{{method=PATCH,{route},status=401}}"), 1),
            (format!("request_duration_seconds{{method=GET,{route}}}"), 3),
            (format!("request_duration_seconds{{method=HEAD,{route}}}"), 1),
            (format!("request_duration_seconds{{method=PATCH,{route}}}"), 1),
            (format!("request_statements{{method=GET,{route}}}"), 3),
            (format!("request_statements{{method=HEAD,{route}}}"), 1),
            (format!("request_statements{{method=PATCH,{route}}}"), 1),
            (format!("request_database_seconds{{method=GET,{route}}}"), 3),
            (format!("request_database_seconds{{method=HEAD,{route}}}"), 1),
            (format!("request_database_seconds{{method=PATCH,{route}}}"), 1),
        ])
    );
}

#[actix_web::test]
async fn the_statements_and_durations_of_a_request_are_measured() {
    let (api, [ana]) = Api::with_users().await;
    let post = post_path(a_post().insert_into(api.database()).await.id);
    let metrics = MetricsCapture::start();

    api.get(&post).by(&ana).send().await.expect(200);
    assert_eq!(metrics.take_histogram("grateful_http_request_statements"), [2.0]);

    api.get(&post).by(&ana).send().await.expect(200);
    let database = metrics.take_histogram("grateful_http_request_database_seconds");
    assert!(matches!(database[..], [seconds] if 0.0 < seconds && seconds < 10.0), "{database:?}");

    api.get(&post).by(&ana).send().await.expect(200);
    let duration = metrics.take_histogram("grateful_http_request_duration_seconds");
    assert!(matches!(duration[..], [seconds] if 0.0 < seconds && seconds < 10.0), "{duration:?}");
}

#[actix_web::test]
async fn clients_cannot_create_new_labels() {
    let api = Api::create().await;
    let metrics = MetricsCapture::start();
    let probe = async |seed: u32| {
        for path in [
            format!("/{seed}"),
            format!("/api/v1/{seed}"),
            format!("/api/v1/posts/{seed}/x/{seed}"),
            format!("/metrics/{seed}"),
            format!("/.env%22%0A{seed}"),
        ] {
            for method in ["GET", "POST", "OPTIONS", "TRACE", "BREW", &format!("X{seed}")] {
                let method = Method::from_bytes(method.as_bytes()).unwrap();
                api.request(method, &path).send().await;
            }
        }
        metrics.take().keys().filter(|name| name.starts_with("grateful_http")).cloned().collect()
    };

    let first: BTreeSet<String> = probe(1).await;
    let second: BTreeSet<String> = probe(2).await;

    assert_eq!(first, second);
    for method in ["GET", "POST", "OPTIONS", "other"] {
        let counter =
            format!("grateful_http_requests_total{{method={method},route=(no route),status=404}}");
        assert!(first.contains(&counter), "{first:#?}");
    }
    // Four methods, each with three histograms and one counter.
    assert_eq!(first.len(), 4 * 4, "{first:#?}");
}

#[actix_web::test]
async fn labels_contain_route_patterns_without_ids_or_usernames() {
    let (api, [ana]) = Api::with_users().await;
    let metrics = MetricsCapture::start();
    let id = "01937b5e-7c2a-7000-8000-000000000001";
    let patterns: BTreeSet<String> =
        operations().into_iter().map(|(_, pattern, _)| format!("route={pattern}")).collect();

    for (method, pattern, _) in operations() {
        // The notification stream does not end.
        if pattern.ends_with("/stream") {
            continue;
        }
        for id in [id, "4711"] {
            let path = pattern.replace("{id}", id).replace("{username}", "hidden-treasure");
            api.request(method.clone(), &path).by(&ana).json(&json!({})).send().await;
        }
    }

    let all = metrics.take();
    let described: BTreeSet<&str> = all_metrics().map(|metric| metric.name).collect();
    for name in all.keys() {
        let with_labels = name.strip_suffix('}').and_then(|name| name.split_once('{'));
        let (metric, labels) = with_labels.unwrap_or((name, ""));
        assert!(described.contains(metric), "{name}");
        for route in labels.split(',').filter(|label| label.starts_with("route=")) {
            assert!(patterns.contains(route), "{name}");
        }
        assert!(!name.contains(id) && !name.contains("4711"), "{name}");
        assert!(!name.contains("hidden-treasure"), "{name}");
    }
    let routes = all.keys().filter(|name| name.starts_with("grateful_http_requests_total"));
    assert!(patterns.len() <= routes.count(), "{all:#?}");
}

/// Takes the metrics of HTTP, without their common prefix.
fn take_http_metrics(metrics: &MetricsCapture) -> BTreeMap<String, i64> {
    let all = metrics.take().into_iter();
    all.filter_map(|(name, value)| Some((name.strip_prefix("grateful_http_")?.to_owned(), value)))
        .collect()
}
