//! Requests that are refused because of load or a limit.

use std::time::Duration;

use chrono::TimeDelta;
use grateful_domain::Rate;
use grateful_testkit::{Api, MetricsCapture, TestApp, TestDatabase};
use grateful_web::{RateLimitsConfig, WebConfig};
use serde_json::{Value, json};

use crate::support::captured_log::CapturedLog;
use crate::support::{UNKNOWN_ID, post_path};

#[actix_web::test]
async fn requests_refused_under_load_log_one_warning_a_second_and_no_error() {
    let database = TestDatabase::create().await;
    let busy = database.pool_with(|config| {
        config
            .with_readers(0)
            .with_max_connections(1)
            .with_acquire_timeout(Duration::from_millis(20))
    });
    let api = Api::serve(TestApp::with_pool(database, busy), &WebConfig::default()).await;
    // The timeout also limits how long opening the connection may take, which it may exceed on a busy machine.
    let connection = loop {
        if let Ok(connection) = api.app.app.db.acquire().await {
            break connection;
        }
    };
    let log = CapturedLog::start();
    let metrics = MetricsCapture::start();

    for _ in 0..50 {
        api.get(&post_path(UNKNOWN_ID)).send().await.expect(503);
    }
    actix_web::rt::time::sleep(Duration::from_millis(1_100)).await;
    drop(connection);

    assert_eq!(metrics.take_named(&["grateful_http_refusals_total"]), counts([("503", 50)]));
    let lines = warnings(&log);
    let refused: u64 = lines.iter().map(|line| line["status_503"].as_u64().unwrap()).sum();
    assert_eq!(refused, 50, "{lines:#?}");
    assert!(lines.len() <= 3, "{lines:#?}");
    assert_eq!(lines[0]["message"], "Refused requests");
    assert!(lines[0]["error"].as_str().unwrap().contains("not available"), "{lines:#?}");
    let errors = log.lines().into_iter().filter(|line| line["level"] == "ERROR");
    assert_eq!(errors.collect::<Vec<_>>(), [Value::Null; 0]);
}

#[actix_web::test]
async fn rate_limited_requests_are_counted_by_their_status() {
    let limits = RateLimitsConfig {
        writes: Rate::new(1, TimeDelta::hours(1)),
        ..RateLimitsConfig::default()
    };
    let config = WebConfig { limits: Some(limits), ..WebConfig::default() };
    let api = Api::serve(TestApp::create().await, &config).await;
    let ana = api.create_user().await;
    let log = CapturedLog::start();
    let metrics = MetricsCapture::start();

    for status in [201, 429, 429] {
        let post = json!({"content": "For patience."});
        api.post("/api/v1/posts").by(&ana).json(&post).send().await.expect(status);
    }
    actix_web::rt::time::sleep(Duration::from_millis(1_100)).await;

    assert_eq!(metrics.take_named(&["grateful_http_refusals_total"]), counts([("429", 2)]));
    let lines = warnings(&log);
    let [line] = lines.as_slice() else { panic!("{lines:#?}") };
    assert_eq!((&line["status_429"], &line["status_503"]), (&json!(2), &json!(0)));
}

fn counts<const N: usize>(by_status: [(&str, i64); N]) -> std::collections::BTreeMap<String, i64> {
    let name = |status| format!("grateful_http_refusals_total{{status={status}}}");
    by_status.map(|(status, count)| (name(status), count)).into()
}

fn warnings(log: &CapturedLog) -> Vec<Value> {
    let lines = log.lines().into_iter().filter(|line| line["level"] == "WARN");
    lines.map(|mut line| line["fields"].take()).collect()
}
