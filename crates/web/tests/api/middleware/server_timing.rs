//! The header `Server-Timing`.

use grateful_testkit::{Api, ApiResponse, TestApp, a_post};
use grateful_web::WebConfig;

use crate::support::{UNKNOWN_ID, post_path};

const OURS: &str = "http://localhost:3000";

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
