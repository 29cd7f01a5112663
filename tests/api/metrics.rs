//! What a server shows of itself at `/metrics` while people use it.

/// Reading the text format of Prometheus, strictly.
mod page;

use std::collections::BTreeMap;

use grateful_tests::{
    ApiRequest, Client, PASSWORD, Server, Setup, TIMEOUT, Token, Value, eventually, json,
};

use self::page::Page;

#[tokio::test]
async fn what_people_do_is_there_exactly_once() {
    let server = at_rest(Setup::with_test_database().await).await;
    let client = server.client();
    let [ana, ben, caro] =
        [client.sign_up("ana").await, client.sign_up("ben").await, client.sign_up("caro").await];
    let mut posts = Vec::new();
    for number in 1..=21 {
        let post =
            client.create_post(&ana, &format!("For tram {number}.")).send().await.expect(201);
        posts.push(post.id());
    }
    let before = scrape(&client).await;

    // One is started, the second makes it a batch, a third joins.
    heart(&client, &ben, &posts[0]).await;
    heart(&client, &caro, &posts[0]).await;
    let reaction = json!({"emoji_code": "hug"});
    let path = format!("/api/v1/posts/{}/reactions", posts[0]);
    client.post(&path).by(&ben).json(&reaction).send().await.expect(201);
    // Not twice, and not back and forth either.
    client.post(&format!("/api/v1/posts/{}/heart", posts[0])).by(&ben).send().await.expect(409);
    client.delete(&format!("/api/v1/posts/{}/heart", posts[0])).by(&caro).send().await.expect(200);
    heart(&client, &caro, &posts[0]).await;
    let comment = json!({"content": "How lovely"});
    let path = format!("/api/v1/posts/{}/comments", posts[0]);
    client.post(&path).by(&caro).json(&comment).send().await.expect(201);
    // Twenty start within an hour, and no more.
    for post in &posts[1..] {
        heart(&client, &ben, post).await;
    }
    heart(&client, &caro, &client.create_post(&ana, "For rain.").send().await.expect(201).id())
        .await;
    client.get("/api/v1/posts/feed").by(&ben).send().await.expect(200);
    client.get("/api/v1/posts/feed?algorithm=false").by(&ben).send().await.expect(200);

    let after = scrape(&client).await;
    assert_eq!(
        after.grown_since(&before, "grateful_notifications_total"),
        grown([
            (r#"outcome="converted",type="like""#, 1),
            (r#"outcome="held_back",type="like""#, 2),
            (r#"outcome="joined",type="emoji_reaction""#, 1),
            (r#"outcome="restored",type="like""#, 1),
            (r#"outcome="started",type="comment""#, 1),
            (r#"outcome="started",type="like""#, 20),
        ])
    );
    assert_eq!(
        after.grown_since(&before, "grateful_feed_duration_seconds_count"),
        grown([(r#"feed="newest""#, 1), (r#"feed="ranked""#, 1)])
    );
    assert_eq!(after.grown_since(&before, "grateful_feed_candidates_count"), grown([("", 1)]));
    let requests = grown([
        (r#"method="DELETE",route="/api/v1/posts/{id}/heart",status="200""#, 1),
        (r#"method="GET",route="/api/v1/posts/feed",status="200""#, 2),
        // The page before this one.
        (r#"method="GET",route="/metrics",status="200""#, 1),
        (r#"method="POST",route="/api/v1/posts",status="201""#, 1),
        (r#"method="POST",route="/api/v1/posts/{id}/comments",status="201""#, 1),
        (r#"method="POST",route="/api/v1/posts/{id}/heart",status="201""#, 24),
        (r#"method="POST",route="/api/v1/posts/{id}/heart",status="409""#, 1),
        (r#"method="POST",route="/api/v1/posts/{id}/reactions",status="201""#, 1),
    ]);
    assert_eq!(after.grown_since(&before, "grateful_http_requests_total"), requests);
    // By route, and all together.
    let statements = after.grown_since(&before, "grateful_http_request_statements_sum");
    let feed = r#"method="GET",route="/api/v1/posts/feed""#;
    assert_eq!(statements[feed], 3 + 2, "with the session each");
    let all: u64 = statements.values().sum();
    assert_eq!(after.grown_since(&before, "grateful_statement_duration_seconds_count")[""], all);
    let database = format!("grateful_http_request_database_seconds_sum{{{feed}}}");
    assert!(Some(0.0) < after.seconds(&database), "{after:?}");
}

/// The table in `docs/monitoring.md` is what a server shows, word for word.
#[tokio::test]
async fn the_documented_metrics_are_those_that_are_there() {
    let server =
        Setup::with_test_database().await.env("GRATEFUL_REPEATED_STATEMENTS", 2).start().await;
    let client = server.client();
    let ana = client.sign_up("ana").await;
    leave(&client, &ana).send().await.expect(204);

    let page = scrape(&client).await;

    let shown: Vec<[String; 4]> = page.families().collect();
    let documented = documented();
    assert_eq!(shown, documented);
    let text = std::fs::read_to_string(DOCUMENTATION).unwrap();
    for value in page.values_of("outcome").iter().chain(&page.values_of("pool")) {
        assert!(text.contains(&format!("`{value}`")), "{value} is not explained");
    }
}

const DOCUMENTATION: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/monitoring.md");

/// The rows of the table, by name: what it is called, how it is counted, what it is told apart by, what it says.
fn documented() -> Vec<[String; 4]> {
    let text = std::fs::read_to_string(DOCUMENTATION).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| `grateful_"));
    let mut rows: Vec<[String; 4]> = rows
        .map(|row| {
            let cells = row.trim_matches('|').split('|').map(|cell| cell.trim().replace('`', ""));
            cells.collect::<Vec<_>>().try_into().unwrap_or_else(|_| panic!("{row}"))
        })
        .collect();
    rows.sort();
    rows
}

#[tokio::test]
async fn who_looks_for_what_is_not_there_makes_no_more_to_show() {
    let server = Setup::with_test_database().await.start().await;
    let client = server.client();
    let probe = async |from: u32| {
        for number in from..from + 50 {
            client.get(&format!("/wp-admin/{number}?x={number}")).send().await.expect(404);
            client.get(&format!("/api/v1/x{number}%22%7D%0A")).send().await.expect(404);
            client.request(&format!("BREW{number}"), "/").send().await.expect(405);
            client.get(&format!("/api/v1/posts/{number}")).send().await.expect(404);
        }
        scrape(&client).await.series()
    };

    let first = probe(0).await;
    let second = probe(1_000).await;
    let third = probe(2_000).await;

    // The first page did not have itself in it.
    assert!(first.len() < second.len());
    assert_eq!(second, third);
    assert!(third.iter().all(|series| !series.contains("BREW") && !series.contains("wp-admin")));
}

#[tokio::test]
async fn slow_and_repeated_statements_are_counted_and_logged_by_the_settings() {
    let setup = Setup::with_test_database()
        .await
        .env("GRATEFUL_SLOW_STATEMENT_MS", 0)
        .env("GRATEFUL_REPEATED_STATEMENTS", 2);
    let server = at_rest(setup).await;
    let client = server.client();
    let ana = client.sign_up("ana").await;
    let before = scrape(&client).await;

    leave(&client, &ana).header("X-Request-Id", "tram-7").send().await.expect(204);

    let after = scrape(&client).await;
    let slow = after.grown_since(&before, "grateful_statements_slow_total");
    assert_eq!(slow, after.grown_since(&before, "grateful_statement_duration_seconds_count"));
    let repeated = after.grown_since(&before, "grateful_statements_repeated_total");
    let operations: Vec<&str> = repeated.keys().map(String::as_str).collect();
    assert_eq!(operations, [r#"operation="/api/v1/users/me""#]);
    let logged = |words: &str| {
        let is_it = |line: &Value| {
            let is_of_request = line["span"]["id"] == "tram-7";
            is_of_request && line["message"].as_str().is_some_and(|it| it.starts_with(words))
        };
        server.log_as_json().into_iter().filter(is_it).count() as u64
    };
    eventually("each of them is in the log", || {
        logged("Slow statement") == slow[""]
            && logged("Repeated statement") == repeated[operations[0]]
    })
    .await;
    let begin = |line: &Value| line["db.query.text"] == "BEGIN" && line["operation"].is_string();
    let begin = server.log_as_json().into_iter().find(begin).unwrap();
    assert_eq!(begin["operation"], "/api/v1/users/me", "{begin}");
    assert!(begin["times"].as_u64() > Some(1), "{begin}");
}

/// In several transactions, so that some statements come again.
fn leave(client: &Client, who: &Token) -> ApiRequest {
    client.delete("/api/v1/users/me").by(who).json(&json!({"password": PASSWORD}))
}

#[tokio::test]
async fn connections_and_those_who_wait_for_them_are_shown_as_they_are() {
    let server = Setup::with_test_database()
        .await
        .env("GRATEFUL_WORKERS", 1)
        .env("GRATEFUL_CONNECTIONS_PER_WORKER", 1)
        .start()
        .await;
    let client = server.client();
    let ana = client.sign_up("ana").await;
    let at_rest = scrape(&client).await;
    assert_eq!(at_rest.count(r#"grateful_pool_connections_max{pool="requests"}"#), Some(1));
    assert_eq!(connections(&at_rest), [0, 1]);

    let sql = server.sql().await;
    sql.run("BEGIN; LOCK posts IN ACCESS EXCLUSIVE MODE").await;
    let held = tokio::spawn(client.create_post(&ana, "For patience.").send());
    let mut seen = at_rest;
    let wait_for_it = async {
        while connections(&seen) != [1, 0] {
            seen = scrape(&client).await;
        }
    };
    tokio::time::timeout(TIMEOUT, wait_for_it).await.unwrap();
    // No more than there are: whoever comes now waits, and in vain.
    client.get_session(&ana).send().await.expect(503);
    let after = scrape(&client).await;
    sql.run("COMMIT").await;
    held.await.unwrap().expect(201);

    let failures = r#"grateful_pool_failures_total{pool="requests"}"#;
    assert_eq!((seen.count(failures), after.count(failures)), (Some(0), Some(1)));
    assert_eq!(connections(&scrape(&client).await), [0, 1]);
}

/// Busy and idle.
fn connections(page: &Page) -> [u64; 2] {
    ["busy", "idle"].map(|state| {
        let series = format!(r#"grateful_pool_connections{{pool="requests",state="{state}"}}"#);
        page.count(&series).unwrap()
    })
}

#[tokio::test]
async fn it_can_be_switched_off_and_times_are_told_to_nobody_unless_that_is_switched_on() {
    let setup = Setup::with_test_database().await;
    let usual = setup.clone().start().await;
    let other = setup.env("GRATEFUL_METRICS", "off").env("GRATEFUL_SERVER_TIMING", "on");
    let other = other.start().await;
    let get = async |server: &Server, path: &str| server.client().get(path).send().await;

    assert_eq!(get(&usual, "/livez").await.header("server-timing"), None);
    get(&usual, "/metrics").await.expect(200);
    get(&other, "/metrics").await.expect_problem(404, "not_found");
    let ready = get(&other, "/readyz").await.expect(200);
    let timing = ready.header("server-timing").unwrap_or_default();
    assert!(
        timing.starts_with("db;dur=") && timing.contains(" statements\", app;dur="),
        "{timing}"
    );
}

/// A server that has done what it does by itself for the hour, so that from now on it does what it is asked.
async fn at_rest(setup: Setup) -> Server {
    let server = setup.env("RUST_LOG", "info,grateful_server=debug").start().await;
    let has_said = |words: &str| server.log().iter().any(|line| line.contains(words));
    let has_swept = || has_said("Deleted expired rows") && has_said("Removed unreferenced files");
    eventually("it has swept", has_swept).await;
    server
}

async fn heart(client: &Client, who: &Token, post: &str) {
    client.post(&format!("/api/v1/posts/{post}/heart")).by(who).send().await.expect(201);
}

async fn scrape(client: &Client) -> Page {
    let response = client.get("/metrics").send().await.expect(200);
    assert_eq!(response.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    Page::read(std::str::from_utf8(&response.body).unwrap())
}

fn grown<const N: usize>(by: [(&str, u32); N]) -> BTreeMap<String, u64> {
    by.map(|(labels, by)| (labels.to_owned(), by.into())).into()
}
