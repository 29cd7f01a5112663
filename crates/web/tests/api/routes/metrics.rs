//! What is measured of requests, who may see it, and what developers are told.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::http::Method;
use grateful_testkit::{Api, ApiResponse, MetricsCapture, TestApp, a_post};
use grateful_web::{MetricsPage, WebConfig, all_metrics};
use serde_json::json;

use crate::openapi::operations;
use crate::support::{UNKNOWN_ID, assert_problem, post_path};

const OURS: &str = "http://localhost:3000";

#[actix_web::test]
async fn the_page_shows_what_the_program_renders_at_that_moment() {
    let numbers = std::sync::atomic::AtomicU32::new(1);
    let render =
        move || format!("n {}\n", numbers.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
    let api =
        configured(WebConfig { metrics: Some(MetricsPage::new(render)), ..WebConfig::default() });
    let api = api.await;

    for body in ["n 1\n", "n 2\n"] {
        let page = api.get("/metrics").send().await.expect(200);
        assert_eq!(String::from_utf8_lossy(&page.body), body);
        assert_eq!(page.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
        assert_eq!(page.header("cache-control"), Some("no-store"));
    }
    api.request(Method::HEAD, "/metrics/").send().await.expect(200);
    api.post("/metrics").send().await.expect(405);
}

#[actix_web::test]
async fn where_it_is_switched_off_there_is_nothing() {
    let api = configured(WebConfig::default()).await;

    let response = api.get("/metrics").send().await;

    let nowhere = api.get("/nowhere").send().await;
    assert_eq!(
        assert_problem(&response, 404, "not_found"),
        assert_problem(&nowhere, 404, "not_found")
    );
}

#[actix_web::test]
async fn a_request_is_measured_by_its_method_its_route_and_how_it_went() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let post = post_path(a_post().insert_into(api.database()).await.id);
    let measured = MetricsCapture::start();

    api.get(&format!("{post}/?x=1")).by(&ana).send().await.expect(200);
    api.get(&post).send().await.expect(200);
    api.get(&post_path(UNKNOWN_ID)).send().await.expect(404);
    api.request(Method::HEAD, &post).send().await.expect(200);
    api.patch(&post).send().await.expect(401);

    let route = "route=/api/v1/posts/{id}";
    assert_eq!(
        of_http(&measured),
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
async fn the_statements_of_a_request_and_their_time_are_measured() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let post = post_path(a_post().insert_into(api.database()).await.id);
    let measured = MetricsCapture::start();

    api.get(&post).by(&ana).send().await.expect(200);
    assert_eq!(measured.take_histogram("grateful_http_request_statements"), [2.0]);

    api.get(&post).by(&ana).send().await.expect(200);
    let database = measured.take_histogram("grateful_http_request_database_seconds");
    assert!(matches!(database[..], [seconds] if 0.0 < seconds && seconds < 10.0), "{database:?}");

    api.get(&post).by(&ana).send().await.expect(200);
    let duration = measured.take_histogram("grateful_http_request_duration_seconds");
    assert!(matches!(duration[..], [seconds] if 0.0 < seconds && seconds < 10.0), "{duration:?}");
}

#[actix_web::test]
async fn whatever_clients_ask_for_there_are_no_labels_of_their_own() {
    let api = Api::create().await;
    let measured = MetricsCapture::start();
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
        measured.take().keys().filter(|name| name.starts_with("grateful_http")).cloned().collect()
    };

    let first: BTreeSet<String> = probe(1).await;
    let second: BTreeSet<String> = probe(2).await;

    assert_eq!(first, second);
    for method in ["GET", "POST", "OPTIONS", "other"] {
        let request =
            format!("grateful_http_requests_total{{method={method},route=(no route),status=404}}");
        assert!(first.contains(&request), "{first:#?}");
    }
    // Each method with its three histograms and its status.
    assert_eq!(first.len(), 4 * 4, "{first:#?}");
}

/// The route says where, its pattern whose: neither an id nor a name gets through.
#[actix_web::test]
async fn every_label_of_a_request_is_a_word_of_ours() {
    let api = Api::create().await;
    let ana = api.create_user().await;
    let measured = MetricsCapture::start();
    let id = "01937b5e-7c2a-7000-8000-000000000001";
    let patterns: BTreeSet<String> =
        operations().into_iter().map(|(_, pattern, _)| format!("route={pattern}")).collect();

    for (method, pattern, _) in operations() {
        // It would not end.
        if pattern.ends_with("/stream") {
            continue;
        }
        for it in [id, "4711"] {
            let path = pattern.replace("{id}", it).replace("{username}", "hidden-treasure");
            api.request(method.clone(), &path).by(&ana).json(&json!({})).send().await;
        }
    }

    let all = measured.take();
    let known: BTreeSet<&str> = all_metrics().map(|metric| metric.name).collect();
    for name in all.keys() {
        let labelled = name.strip_suffix('}').and_then(|name| name.split_once('{'));
        let (metric, labels) = labelled.unwrap_or((name, ""));
        assert!(known.contains(metric), "{name}");
        for route in labels.split(',').filter(|label| label.starts_with("route=")) {
            assert!(patterns.contains(route), "{name}");
        }
        assert!(!name.contains(id) && !name.contains("4711"), "{name}");
        assert!(!name.contains("hidden-treasure"), "{name}");
    }
    let routes = all.keys().filter(|name| name.starts_with("grateful_http_requests_total"));
    assert!(patterns.len() <= routes.count(), "{all:#?}");
}

#[actix_web::test]
async fn nobody_is_told_what_took_how_long_unless_that_is_switched_on() {
    let api = Api::create().await;

    let response = api.get("/readyz").header("Origin", OURS).send().await.expect(200);

    assert_eq!(response.header("server-timing"), None);
    assert_eq!(response.header("timing-allow-origin"), None);
    assert!(!exposed(&response).contains("server-timing"));
}

#[actix_web::test]
async fn developers_are_told_what_took_how_long_and_so_are_their_pages() {
    let api = configured(WebConfig { server_timing: true, ..WebConfig::default() }).await;
    let ana = api.create_user().await;
    let post = post_path(a_post().insert_into(api.database()).await.id);

    for (request, statements) in [
        (api.get(&post).by(&ana), 2),
        (api.get(&post_path(UNKNOWN_ID)), 1),
        (api.get("/livez"), 0),
        (api.get("/nowhere"), 0),
    ] {
        let response = request.header("Origin", OURS).send().await;
        let told = response.header("server-timing").unwrap();
        let parts: Vec<&str> = told.split(", ").collect();
        let [database, app, total] = parts[..] else { panic!("{told}") };
        let (database, words) = database.rsplit_once(';').unwrap();
        assert_eq!(words, format!("desc=\"{statements} statements\""));
        let [database, app, total] =
            [("db", database), ("app", app), ("total", total)].map(milliseconds);
        assert_eq!(0.0 < database, 0 < statements, "{told}");
        assert!((database + app - total).abs() < 0.002, "{told}");
        assert_eq!(response.header("timing-allow-origin"), Some(OURS));
        assert!(exposed(&response).contains("server-timing"), "{}", exposed(&response));
    }
    let stranger = api.get("/livez").header("Origin", "https://evil.example").send().await;
    assert!(stranger.header("server-timing").is_some());
    assert_eq!(stranger.header("timing-allow-origin"), None);
}

/// `db;dur=1.5`
fn milliseconds((name, part): (&str, &str)) -> f64 {
    part.strip_prefix(&format!("{name};dur=")).and_then(|it| it.parse().ok()).unwrap()
}

fn exposed(response: &ApiResponse) -> String {
    response.header("access-control-expose-headers").unwrap_or_default().to_lowercase()
}

/// What is measured of HTTP, without the beginning that all have.
fn of_http(measured: &MetricsCapture) -> BTreeMap<String, i64> {
    let all = measured.take().into_iter();
    all.filter_map(|(name, value)| Some((name.strip_prefix("grateful_http_")?.to_owned(), value)))
        .collect()
}

async fn configured(config: WebConfig) -> Api {
    Api::serve(TestApp::create().await, &config).await
}
