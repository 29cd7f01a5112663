//! How often anything may be done.

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
const PLACES: &str = "/api/v1/users/location/search";

/// What does not count as a write, and yet is sent by `POST`.
const COUNTED: [(&str, Option<RateLimitPolicy>); 9] = [
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
fn whatever_changes_something_counts_and_reading_never_does() {
    for (method, pattern, _) in operations() {
        let is_listed = |listed: &str| method == Method::POST && listed == pattern;
        let listed = COUNTED.iter().find(|(listed, _)| is_listed(listed));
        let expected = match (method == Method::GET, listed) {
            (true, _) => None,
            (false, Some((_, activity))) => *activity,
            (false, None) => Some(RateLimitPolicy::Write),
        };
        assert_eq!(rate_limit_policy(&method, &pattern), expected, "{method} {pattern}");
    }
}

#[test]
fn routes_are_counted_by_their_pattern() {
    for (pattern, activity) in COUNTED {
        assert_eq!(rate_limit_policy(&Method::POST, pattern), activity, "{pattern}");
        assert_eq!(rate_limit_policy(&Method::GET, pattern), None, "{pattern}");
        assert_eq!(rate_limit_policy(&Method::HEAD, pattern), None, "{pattern}");
    }
    let photo = "/api/v1/users/me/profile/photo";
    assert_eq!(rate_limit_policy(&Method::DELETE, photo), Some(RateLimitPolicy::Write));
    assert_eq!(rate_limit_policy(&Method::POST, "/health"), None);
}

#[actix_web::test]
async fn whoever_writes_too_much_is_told_when_to_come_back() {
    let api = limited(|limits| limits.writes = Rate::new(2, TimeDelta::minutes(1))).await;
    let ana = api.create_user().await;
    let publish = || api.post(POSTS).by(&ana).json(&json!({"content": "For rain."})).send();

    for left in [1, 0] {
        let response = publish().await.expect(201);
        assert_eq!(
            told(&response),
            (format!("\"writes\";r={left}"), "\"writes\";q=2;w=60".to_owned())
        );
        assert_eq!(response.header("retry-after"), None);
    }
    for _ in 0..5 {
        let refused = publish().await;
        let details = assert_problem(&refused, 429, "rate_limit_exceeded");
        assert_eq!(details, json!({"limit": 2, "retry_after": 30}));
        assert_eq!(refused.header("retry-after"), Some("30"));
        assert_eq!(
            told(&refused),
            ("\"writes\";r=0;t=30".to_owned(), "\"writes\";q=2;w=60".to_owned())
        );
    }
    api.app.clock.advance(TimeDelta::seconds(30));
    publish().await.expect(201);
    publish().await.expect(429);
}

#[actix_web::test]
async fn a_failure_that_is_counted_says_so_too() {
    let api = limited(|limits| limits.writes = Rate::new(2, TimeDelta::minutes(1))).await;
    let ana = api.create_user().await;

    let response = api.post(POSTS).by(&ana).json_bytes("{").send().await.expect(422);

    assert_eq!(told(&response).0, "\"writes\";r=1");
}

#[actix_web::test]
async fn people_do_not_take_from_each_other_and_always_may_read_and_leave() {
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
async fn one_kind_does_not_take_from_another() {
    let api = limited(|limits| {
        limits.writes = Rate::new(1, TimeDelta::hours(1));
        limits.searches = Rate::new(1, TimeDelta::hours(1));
    })
    .await;
    let ana = api.create_user().await;
    let search = || api.post(PLACES).by(&ana).json(&json!({"query": "Rain"})).send();

    assert_eq!(told(&search().await.expect(200)).0, "\"searches\";r=0");
    search().await.expect(429);
    api.post(POSTS).by(&ana).json(&json!({"content": "For rain."})).send().await.expect(201);
}

#[actix_web::test]
async fn one_address_makes_so_many_accounts_and_no_more() {
    let api = limited(|_| ()).await;
    let sign_up = |number: u32, from: &str| {
        let name = format!("ana{number}");
        let email = format!("{name}@example.org");
        let account = json!({"username": name, "email": email, "password": PASSWORD});
        api.post(SIGN_UP).from_address(address(from)).json(&account).send()
    };
    // Also those that fail.
    for _ in 0..8 {
        let request = api.post(SIGN_UP).from_address(address("203.0.113.7"));
        request.json_bytes("{").send().await.expect(422);
    }
    for number in 1..=2 {
        sign_up(number, "203.0.113.7").await.expect(201);
    }

    let refused = sign_up(3, "203.0.113.7").await;

    let details = assert_problem(&refused, 429, "rate_limit_exceeded");
    assert_eq!(details, json!({"limit": 10, "retry_after": 360}));
    sign_up(3, "203.0.113.8").await.expect(201);
    // A body is not read for that.
    let unread = api.post(SIGN_UP).from_address(address("203.0.113.7")).json_bytes("{").send();
    unread.await.expect(429);
}

#[actix_web::test]
async fn behind_a_proxy_the_address_it_names_counts_and_the_proxy_itself_does_not() {
    let api = limited(|limits| limits.logins = Rate::new(2, TimeDelta::minutes(1))).await;
    let log_in = |from: &str, forwarded_for: Option<&str>| {
        let request =
            api.post(LOG_IN).from_address(address(from)).json(&credentials("x@y.example", "-"));
        match forwarded_for {
            Some(named) => request.header("X-Forwarded-For", named),
            None => request,
        }
    };

    for expected in [401, 401, 429] {
        // What the client sent before it came to the proxy is not believed.
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
async fn where_limits_are_off_nobody_counts() {
    let api = Api::create().await;

    for _ in 0..30 {
        let request = api.post(SIGN_UP).from_address(address("203.0.113.7")).json_bytes("{");
        let response = request.send().await.expect(422);
        assert_eq!(response.header("ratelimit"), None);
    }
}

#[actix_web::test]
async fn after_ten_wrong_passwords_even_the_right_one_is_refused_in_the_same_time() {
    let api = counting_guesses().await;
    let ana = api.create_user().await;
    let email = ana.user.email.as_str();
    let mut wrong = Duration::MAX;
    for number in 0..10 {
        // In another spelling each time.
        let spelled = if number % 2 == 0 { email.to_uppercase() } else { format!(" {email}") };
        let (response, took) = log_in(&api, &spelled, "battery staple").await;
        response.expect(401);
        wrong = wrong.min(took);
    }

    let mut refused = Duration::MAX;
    for password in ["battery staple", PASSWORD, PASSWORD] {
        let (response, took) = log_in(&api, email, password).await;
        let details = assert_problem(&response, 429, "rate_limit_exceeded");
        assert_eq!(details, json!({"limit": 10, "retry_after": 90}));
        assert_eq!(told(&response).1, "\"failed-logins\";q=10;w=900");
        refused = refused.min(took);
    }

    assert!(wrong / 2 < refused, "wrong takes {wrong:?}, refused {refused:?}");
    // Whoever is in stays in, and the others are not concerned.
    api.get(FEED).by(&ana).send().await.expect(200);
    let ben = api.create_user().await;
    log_in(&api, ben.user.email.as_str(), PASSWORD).await.0.expect(200);
    api.app.clock.advance(TimeDelta::seconds(90));
    log_in(&api, email, PASSWORD).await.0.expect(200);
}

#[actix_web::test]
async fn an_account_that_does_not_exist_cannot_be_told_by_its_limit() {
    let api = counting_guesses().await;

    for _ in 0..10 {
        log_in(&api, "nobody@example.org", "x").await.0.expect(401);
    }

    log_in(&api, "nobody@example.org", "x").await.0.expect(429);
}

#[actix_web::test]
async fn passwords_that_are_right_are_not_counted() {
    let api = counting_guesses().await;
    let ana = api.create_user().await;

    for _ in 0..15 {
        log_in(&api, ana.user.email.as_str(), PASSWORD).await.0.expect(200);
    }
}

/// An API with the limits of the rules, but for these.
async fn limited(change: impl FnOnce(&mut RateLimitsConfig)) -> Api {
    let mut limits = RateLimitsConfig::default();
    change(&mut limits);
    let config = WebConfig { limits: Some(limits), ..WebConfig::default() };
    Api::serve(TestApp::create().await, &config).await
}

async fn counting_guesses() -> Api {
    let mut app = TestApp::create().await;
    app.app.login_throttle = Arc::new(LoginThrottle::new(LoginThrottle::RATE));
    Api::serve(app, &WebConfig::default()).await
}

async fn log_in(api: &Api, email: &str, password: &str) -> (ApiResponse, Duration) {
    let begun = Instant::now();
    let response = api.post(LOG_IN).json(&credentials(email, password)).send().await;
    (response, begun.elapsed())
}

fn credentials(email: &str, password: &str) -> Value {
    json!({"email": email, "password": password})
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// What is left, and of how much.
#[track_caller]
fn told(response: &ApiResponse) -> (String, String) {
    let field = |name| response.header(name).unwrap_or_else(|| panic!("no {name}")).to_owned();
    (field("ratelimit"), field("ratelimit-policy"))
}
