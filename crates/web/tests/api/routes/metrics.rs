//! What is measured of requests, who may see it, and what developers are told.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::http::Method;
use grateful_testkit::{Api, ApiResponse, MetricsCapture, TestApp, a_post};
use grateful_web::{MetricsPage, WebConfig, all_metrics};
use serde_json::json;

use crate::openapi::operations;
use crate::support::{UNKNOWN_ID, assert_problem, post_path};

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

async fn configured(config: WebConfig) -> Api {
    Api::serve(TestApp::create().await, &config).await
}
