//! `/metrics`.

use std::sync::atomic::{AtomicU32, Ordering};

use actix_web::http::Method;
use grateful_testkit::{Api, TestApp};
use grateful_web::{MetricsPage, WebConfig};

use crate::support::assert_problem;

#[actix_web::test]
async fn each_request_renders_the_page() {
    let count = AtomicU32::new(1);
    let render = move || format!("n {}\n", count.fetch_add(1, Ordering::Relaxed));
    let config = WebConfig { metrics: Some(MetricsPage::new(render)), ..WebConfig::default() };
    let api = Api::serve(TestApp::create().await, &config).await;

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
async fn a_disabled_page_is_indistinguishable_from_an_unknown_path() {
    let api = Api::serve(TestApp::create().await, &WebConfig::default()).await;

    let metrics = api.get("/metrics").send().await;
    let unknown = api.get("/nowhere").send().await;

    assert_eq!(
        assert_problem(&metrics, 404, "not_found"),
        assert_problem(&unknown, 404, "not_found")
    );
}
