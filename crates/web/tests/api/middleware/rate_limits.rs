//! Rate limits and the login throttle.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::http::Method;
use chrono::TimeDelta;
use grateful_application::LoginThrottle;
use grateful_domain::Rate;
use grateful_testkit::{Api, ApiResponse, PASSWORD, TestApp};
use grateful_web::{RateLimitPolicy, RateLimitsConfig, WebConfig, rate_limit_policy};
use serde_json::{Value, json};

use crate::openapi::operations;
use crate::support::assert_problem;

const SIGN_UP: &str = "/api/v1/auth/signup";
const LOG_IN: &str = "/api/v1/auth/login";
const LOG_OUT: &str = "/api/v1/auth/logout";
const POSTS: &str = "/api/v1/posts";
const FEED: &str = "/api/v1/posts/feed";
const LOCATIONS: &str = "/api/v1/users/location/search";

/// The `POST` routes that are not counted as writes, with their policies.
const POLICIES: [(&str, Option<RateLimitPolicy>); 9] = [
    ("/api/v1/auth/login", Some(RateLimitPolicy::Login)),
    ("/api/v1/auth/logout", None),
    ("/api/v1/auth/signup", Some(RateLimitPolicy::Signup)),
    ("/api/v1/follows/status", None),
    ("/api/v1/posts/upload", Some(RateLimitPolicy::Upload)),
    ("/api/v1/users/location/search", Some(RateLimitPolicy::Search)),
    ("/api/v1/users/me/profile/photo", Some(RateLimitPolicy::Upload)),
    ("/api/v1/users/search", Some(RateLimitPolicy::Search)),
    ("/api/v1/users/validate-batch", Some(RateLimitPolicy::Validation)),
];

#[test]
fn every_route_except_reads_has_a_rate_limit_policy() {
    for (method, pattern, _) in operations() {
        let is_listed = |listed: &str| method == Method::POST && listed == pattern;
        let listed = POLICIES.iter().find(|(listed, _)| is_listed(listed));
        let expected = match (method == Method::GET, listed) {
            (true, _) => None,
            (false, Some((_, policy))) => *policy,
            (false, None) => Some(RateLimitPolicy::Write),
        };
        assert_eq!(rate_limit_policy(&method, &pattern), expected, "{method} {pattern}");
    }
}

#[test]
fn policies_depend_on_the_method_and_the_route_pattern() {
    for (pattern, policy) in POLICIES {
        assert_eq!(rate_limit_policy(&Method::POST, pattern), policy, "{pattern}");
        assert_eq!(rate_limit_policy(&Method::GET, pattern), None, "{pattern}");
        assert_eq!(rate_limit_policy(&Method::HEAD, pattern), None, "{pattern}");
    }
    let photo = "/api/v1/users/me/profile/photo";
    assert_eq!(rate_limit_policy(&Method::DELETE, photo), Some(RateLimitPolicy::Write));
    assert_eq!(rate_limit_policy(&Method::POST, "/health"), None);
}

#[actix_web::test]
async fn a_caller_over_the_limit_gets_429_with_the_time_to_wait() {
    let api = limited(|limits| limits.writes = Rate::new(2, TimeDelta::minutes(1))).await;
    let ana = api.create_user().await;
    let publish = || api.post(POSTS).by(&ana).json(&json!({"content": "For rain."})).send();

    for remaining in [1, 0] {
        let response = publish().await.expect(201);
        assert_eq!(
            rate_limit_headers(&response),
            (format!("\"writes\";r={remaining}"), "\"writes\";q=2;w=60".to_owned())
        );
        assert_eq!(response.header("retry-after"), None);
    }
    for _ in 0..5 {
        let response = publish().await;
        let details = assert_problem(&response, 429, "rate_limit_exceeded");
        assert_eq!(details, json!({"limit": 2, "retry_after": 30}));
        assert_eq!(response.header("retry-after"), Some("30"));
        assert_eq!(
            rate_limit_headers(&response),
            ("\"writes\";r=0;t=30".to_owned(), "\"writes\";q=2;w=60".to_owned())
        );
    }
    api.app.clock.advance(TimeDelta::seconds(30));
    publish().await.expect(201);
    publish().await.expect(429);
}

#[actix_web::test]
async fn a_counted_error_has_the_rate_limit_headers() {
    let api = limited(|limits| limits.writes = Rate::new(2, TimeDelta::minutes(1))).await;
    let ana = api.create_user().await;

    let response = api.post(POSTS).by(&ana).json_bytes("{").send().await.expect(422);

    assert_eq!(rate_limit_headers(&response).0, "\"writes\";r=1");
}

#[actix_web::test]
async fn users_have_separate_limits_and_reading_and_logging_out_is_unlimited() {
    let api = limited(|limits| limits.writes = Rate::new(1, TimeDelta::hours(1))).await;
    let [ana, ben] = [api.create_user().await, api.create_user().await];
    let read_all = "/api/v1/notifications/read-all";
    api.post(read_all).by(&ana).send().await.expect(200);
    api.post(read_all).by(&ana).send().await.expect(429);

    for _ in 0..50 {
        let read = api.get(FEED).by(&ana).send().await.expect(200);
        assert_eq!(read.header("ratelimit"), None);
    }
    api.post(read_all).by(&ben).send().await.expect(200);
    api.post(LOG_OUT).by(&ana).send().await.expect(200);
}

#[actix_web::test]
async fn policies_have_separate_limits() {
    let api = limited(|limits| {
        limits.writes = Rate::new(1, TimeDelta::hours(1));
        limits.searches = Rate::new(1, TimeDelta::hours(1));
    })
    .await;
    let ana = api.create_user().await;
    let search = || api.post(LOCATIONS).by(&ana).json(&json!({"query": "Rain"})).send();

    assert_eq!(rate_limit_headers(&search().await.expect(200)).0, "\"searches\";r=0");
    search().await.expect(429);
    api.post(POSTS).by(&ana).json(&json!({"content": "For rain."})).send().await.expect(201);
}

#[actix_web::test]
async fn signups_are_limited_per_ip_address() {
    let api = limited(|_| ()).await;
    let sign_up = |number: u32, from: &str| {
        let name = format!("ana{number}");
        let email = format!("{name}@example.org");
        let account = json!({"username": name, "email": email, "password": PASSWORD});
        api.post(SIGN_UP).from_address(address(from)).json(&account).send()
    };
    // Failed signups count too.
    for _ in 0..8 {
        let request = api.post(SIGN_UP).from_address(address("203.0.113.7"));
        request.json_bytes("{").send().await.expect(422);
    }
    for number in 1..=2 {
        sign_up(number, "203.0.113.7").await.expect(201);
    }

    let response = sign_up(3, "203.0.113.7").await;

    let details = assert_problem(&response, 429, "rate_limit_exceeded");
    assert_eq!(details, json!({"limit": 10, "retry_after": 360}));
    sign_up(3, "203.0.113.8").await.expect(201);
    // The limit applies before the body is read.
    let unread = api.post(SIGN_UP).from_address(address("203.0.113.7")).json_bytes("{").send();
    unread.await.expect(429);
}

#[actix_web::test]
async fn an_encoded_path_counts_like_the_path_itself() {
    let api = limited(|limits| limits.logins = Rate::new(2, TimeDelta::minutes(1))).await;
    let log_in = |path| {
        let request = api.post(path).from_address(address("203.0.113.7"));
        request.json(&credentials("x@y.example", "-")).send()
    };

    log_in(LOG_IN).await.expect(401);
    log_in("/api/v1/auth/%6Cogin").await.expect(401);
    log_in("/api/v1/%61uth/login").await.expect(429);
}

#[actix_web::test]
async fn behind_a_proxy_the_forwarded_address_is_limited_and_the_proxy_is_not() {
    let api = limited(|limits| {
        limits.logins = Rate::new(2, TimeDelta::minutes(1));
        limits.trusted_proxies = Some(vec!["127.0.0.1/32".parse().unwrap()]);
    })
    .await;
    let log_in = |from: &str, forwarded_for: Option<&str>| {
        let request =
            api.post(LOG_IN).from_address(address(from)).json(&credentials("x@y.example", "-"));
        match forwarded_for {
            Some(addresses) => request.header("X-Forwarded-For", addresses),
            None => request,
        }
    };

    for expected in [401, 401, 429] {
        // Only the last address, which the proxy added, is trusted.
        let forged = format!("198.51.100.{expected}, 192.0.2.1");
        log_in("127.0.0.1", Some(&forged)).send().await.expect(expected);
    }
    log_in("127.0.0.1", Some("192.0.2.2")).send().await.expect(401);
    for _ in 0..5 {
        let response = log_in("127.0.0.1", None).send().await.expect(401);
        assert_eq!(response.header("ratelimit"), None);
    }
    for (number, expected) in [401, 401, 429].into_iter().enumerate() {
        let forged = format!("192.0.2.{number}");
        log_in("203.0.113.7", Some(&forged)).send().await.expect(expected);
    }
}

#[actix_web::test]
async fn disabled_limits_accept_all_requests() {
    let api = Api::create().await;

    for _ in 0..30 {
        let request = api.post(SIGN_UP).from_address(address("203.0.113.7")).json_bytes("{");
        let response = request.send().await.expect(422);
        assert_eq!(response.header("ratelimit"), None);
    }
}

#[actix_web::test]
async fn after_ten_wrong_passwords_the_right_one_is_rejected_with_the_same_timing() {
    let api = with_login_throttle().await;
    let ana = api.create_user().await;
    let email = ana.user.email.as_str();
    let mut wrong = Duration::MAX;
    for number in 0..10 {
        // All spellings of the address share one count.
        let spelling = if number % 2 == 0 { email.to_uppercase() } else { format!(" {email}") };
        let (response, duration) = log_in(&api, &spelling, "battery staple").await;
        response.expect(401);
        wrong = wrong.min(duration);
    }

    let mut throttled = Duration::MAX;
    for password in ["battery staple", PASSWORD, PASSWORD] {
        let (response, duration) = log_in(&api, email, password).await;
        let details = assert_problem(&response, 429, "rate_limit_exceeded");
        assert_eq!(details, json!({"limit": 10, "retry_after": 90}));
        assert_eq!(rate_limit_headers(&response).1, "\"failed-logins\";q=10;w=900");
        throttled = throttled.min(duration);
    }

    assert!(wrong / 2 < throttled, "wrong: {wrong:?}, throttled: {throttled:?}");
    // Existing sessions and other accounts are not affected.
    api.get(FEED).by(&ana).send().await.expect(200);
    let ben = api.create_user().await;
    log_in(&api, ben.user.email.as_str(), PASSWORD).await.0.expect(200);
    api.app.clock.advance(TimeDelta::seconds(90));
    log_in(&api, email, PASSWORD).await.0.expect(200);
}

#[actix_web::test]
async fn the_login_throttle_does_not_reveal_whether_an_account_exists() {
    let api = with_login_throttle().await;

    for _ in 0..10 {
        log_in(&api, "unknown@example.org", "x").await.0.expect(401);
    }

    log_in(&api, "unknown@example.org", "x").await.0.expect(429);
}

/// Serves an API with the default rate limits, changed by `change`.
async fn limited(change: impl FnOnce(&mut RateLimitsConfig)) -> Api {
    let mut limits = RateLimitsConfig::default();
    change(&mut limits);
    let config = WebConfig { limits: Some(limits), ..WebConfig::default() };
    Api::serve(TestApp::create().await, &config).await
}

/// Serves an API with the default login throttle.
async fn with_login_throttle() -> Api {
    let mut app = TestApp::create().await;
    app.app.login_throttle = Arc::new(LoginThrottle::new(LoginThrottle::RATE));
    Api::serve(app, &WebConfig::default()).await
}

async fn log_in(api: &Api, email: &str, password: &str) -> (ApiResponse, Duration) {
    let start = Instant::now();
    let response = api.post(LOG_IN).json(&credentials(email, password)).send().await;
    (response, start.elapsed())
}

fn credentials(email: &str, password: &str) -> Value {
    json!({"email": email, "password": password})
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// Returns the headers `RateLimit` and `RateLimit-Policy`.
#[track_caller]
fn rate_limit_headers(response: &ApiResponse) -> (String, String) {
    let header = |name| response.header(name).unwrap_or_else(|| panic!("no {name}")).to_owned();
    (header("ratelimit"), header("ratelimit-policy"))
}
