//! The header `Server-Timing`.

use grateful_testkit::{Api, ApiResponse, TestApp, a_post};
use grateful_web::WebConfig;

use crate::support::{UNKNOWN_ID, post_path};

/// An origin that the default configuration allows.
const ALLOWED: &str = "http://localhost:3000";

#[actix_web::test]
async fn server_timing_is_off_by_default() {
    let api = Api::create().await;

    let response = api.get("/readyz").header("Origin", ALLOWED).send().await.expect(200);

    assert_eq!(response.header("server-timing"), None);
    assert_eq!(response.header("timing-allow-origin"), None);
    assert!(!exposed_headers(&response).contains("server-timing"));
}

#[actix_web::test]
async fn server_timing_reports_durations_and_the_number_of_statements() {
    let config = WebConfig { server_timing: true, ..WebConfig::default() };
    let api = Api::serve(TestApp::create().await, &config).await;
    let ana = api.create_user().await;
    let post = post_path(a_post().insert_into(api.database()).await.id);

    for (request, statements) in [
        (api.get(&post).by(&ana), 2),
        (api.get(&post_path(UNKNOWN_ID)), 1),
        (api.get("/livez"), 0),
        (api.get("/nowhere"), 0),
    ] {
        let response = request.header("Origin", ALLOWED).send().await;
        let header = response.header("server-timing").unwrap();
        let metrics: Vec<&str> = header.split(", ").collect();
        let [database, app, total] = metrics[..] else { panic!("{header}") };
        let (database, description) = database.rsplit_once(';').unwrap();
        assert_eq!(description, format!("desc=\"{statements} statements\""));
        let [database, app, total] =
            [("db", database), ("app", app), ("total", total)].map(milliseconds);
        assert_eq!(0.0 < database, 0 < statements, "{header}");
        assert!((database + app - total).abs() < 0.002, "{header}");
        assert_eq!(response.header("timing-allow-origin"), Some(ALLOWED));
        assert!(
            exposed_headers(&response).contains("server-timing"),
            "{}",
            exposed_headers(&response)
        );
    }
    let other_origin = api.get("/livez").header("Origin", "https://evil.example").send().await;
    assert!(other_origin.header("server-timing").is_some());
    assert_eq!(other_origin.header("timing-allow-origin"), None);
}

/// Parses a metric such as `db;dur=1.5`.
fn milliseconds((name, metric): (&str, &str)) -> f64 {
    metric.strip_prefix(&format!("{name};dur=")).unwrap().parse().unwrap()
}

fn exposed_headers(response: &ApiResponse) -> String {
    response.header("access-control-expose-headers").unwrap_or_default().to_lowercase()
}
