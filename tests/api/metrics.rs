//! The metrics page and the `Server-Timing` header.

/// A strict parser of the Prometheus text format.
mod page;

use std::{collections::BTreeMap, time::Instant};

use grateful_tests::{
    ApiRequest, Client, PASSWORD, Server, Setup, TIMEOUT, Token, Value, eventually, json,
};

use self::page::MetricsPage;

#[tokio::test]
async fn each_request_and_notification_is_counted_once() {
    let server = start_idle_server(Setup::with_test_database().await).await;
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
    let start = Instant::now();

    // The first starts a notification, the second converts it into a batch, the third joins.
    add_heart(&client, &ben, &posts[0]).await;
    add_heart(&client, &caro, &posts[0]).await;
    let reaction = json!({"emoji_code": "hug"});
    let path = format!("/api/v1/posts/{}/reactions", posts[0]);
    client.post(&path).by(&ben).json(&reaction).send().await.expect(201);
    // A second heart is a conflict; a heart that is removed and added again restores its notification.
    client.post(&format!("/api/v1/posts/{}/heart", posts[0])).by(&ben).send().await.expect(409);
    client.delete(&format!("/api/v1/posts/{}/heart", posts[0])).by(&caro).send().await.expect(200);
    add_heart(&client, &caro, &posts[0]).await;
    let comment = json!({"content": "How lovely"});
    let path = format!("/api/v1/posts/{}/comments", posts[0]);
    client.post(&path).by(&caro).json(&comment).send().await.expect(201);
    // One user starts five notifications within an hour at most; further ones are held back.
    for post in &posts[1..] {
        add_heart(&client, &ben, post).await;
    }
    add_heart(&client, &caro, &client.create_post(&ana, "For rain.").send().await.expect(201).id())
        .await;
    client.get("/api/v1/posts/feed").by(&ben).send().await.expect(200);
    client.get("/api/v1/posts/feed?algorithm=false").by(&ben).send().await.expect(200);

    let after = scrape(&client).await;
    let duration = start.elapsed();
    assert_eq!(
        after.increases_since(&before, "grateful_notifications_total"),
        increases([
            (r#"outcome="converted",type="like""#, 1),
            (r#"outcome="held_back",type="like""#, 16),
            (r#"outcome="joined",type="emoji_reaction""#, 1),
            (r#"outcome="restored",type="like""#, 1),
            (r#"outcome="started",type="comment""#, 1),
            (r#"outcome="started",type="like""#, 6),
        ])
    );
    assert_eq!(
        after.increases_since(&before, "grateful_feed_duration_seconds_count"),
        increases([(r#"feed="newest""#, 1), (r#"feed="ranked""#, 1)])
    );
    assert_eq!(
        after.increases_since(&before, "grateful_feed_candidates_count"),
        increases([("", 1)])
    );
    let requests = increases([
        (r#"method="DELETE",route="/api/v1/posts/{id}/heart",status="200""#, 1),
        (r#"method="GET",route="/api/v1/posts/feed",status="200""#, 2),
        // The previous scrape. The current one is not counted yet.
        (r#"method="GET",route="/metrics",status="200""#, 1),
        (r#"method="POST",route="/api/v1/posts",status="201""#, 1),
        (r#"method="POST",route="/api/v1/posts/{id}/comments",status="201""#, 1),
        (r#"method="POST",route="/api/v1/posts/{id}/heart",status="201""#, 24),
        (r#"method="POST",route="/api/v1/posts/{id}/heart",status="409""#, 1),
        (r#"method="POST",route="/api/v1/posts/{id}/reactions",status="201""#, 1),
    ]);
    assert_eq!(after.increases_since(&before, "grateful_http_requests_total"), requests);
    // The statements of all routes and the background jobs, read every five seconds, add up to the total.
    let statements = after.increases_since(&before, "grateful_http_request_statements_sum");
    let feed = r#"method="GET",route="/api/v1/posts/feed""#;
    assert_eq!(
        statements[feed],
        3 + 2,
        "the statements of both feeds, including the session lookup"
    );
    let of_requests: u64 = statements.values().sum();
    let all = after.increases_since(&before, "grateful_statement_duration_seconds_count")[""];
    let of_jobs_at_most = duration.as_secs() / 5 + 1;
    assert!(
        (of_requests..=of_requests + of_jobs_at_most).contains(&all),
        "{of_requests} of {all} statements were counted by route, in {duration:?}"
    );
    let database = format!("grateful_http_request_database_seconds_sum{{{feed}}}");
    assert!(Some(0.0) < after.seconds(&database), "{after:?}");
}

/// The table in `docs/monitoring.md` equals the metrics page, word for word.
#[tokio::test]
async fn the_documented_metrics_equal_the_exposed_metrics() {
    let setup = Setup::with_test_database().await.env("GRATEFUL_REPEATED_STATEMENTS", 2);
    // It is no replica, so that all reads run on the primary.
    let server = setup.clone().env("GRATEFUL_REPLICA_URLS", &*setup.database_url()).start().await;
    let client = server.client();
    let ana = client.sign_up("ana").await;
    for _ in 0..2 {
        client.get_session(&ana).send().await.expect(200);
    }
    let is_watched = async || scrape(&client).await.label_values("replica").len() == 1;
    while !is_watched().await {}
    delete_account(&client, &ana).send().await.expect(204);

    let page = scrape(&client).await;

    let exposed: Vec<[String; 4]> = page.families().collect();
    let documented = documented();
    assert_eq!(exposed, documented);
    let text = std::fs::read_to_string(MONITORING_DOCS).unwrap();
    for value in page.label_values("outcome").iter().chain(&page.label_values("pool")) {
        assert!(text.contains(&format!("`{value}`")), "{value} is not documented");
    }
}

const MONITORING_DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/monitoring.md");

/// The sorted rows of the documented table: name, type, labels and meaning of each metric.
fn documented() -> Vec<[String; 4]> {
    let text = std::fs::read_to_string(MONITORING_DOCS).unwrap();
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
async fn unknown_paths_methods_and_ids_add_no_time_series() {
    let server = Setup::with_test_database().await.start().await;
    let client = server.client();
    let probe = async |first_number: u32| {
        for number in first_number..first_number + 50 {
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

    // The first page does not contain its own scrape.
    assert!(first.len() < second.len());
    assert_eq!(second, third);
    assert!(third.iter().all(|series| !series.contains("BREW") && !series.contains("wp-admin")));
}

#[tokio::test]
async fn slow_and_repeated_statements_are_counted_and_logged_above_the_configured_thresholds() {
    let setup = Setup::with_test_database()
        .await
        .env("GRATEFUL_SLOW_STATEMENT_MS", 0)
        .env("GRATEFUL_REPEATED_STATEMENTS", 2);
    let server = start_idle_server(setup).await;
    let client = server.client();
    let ana = client.sign_up("ana").await;
    let before = scrape(&client).await;

    delete_account(&client, &ana).header("X-Request-Id", "tram-7").send().await.expect(204);

    let after = scrape(&client).await;
    let slow = after.increases_since(&before, "grateful_statements_slow_total");
    assert_eq!(slow, after.increases_since(&before, "grateful_statement_duration_seconds_count"));
    let repeated = after.increases_since(&before, "grateful_statements_repeated_total");
    let operations: Vec<&str> = repeated.keys().map(String::as_str).collect();
    assert_eq!(operations, [r#"operation="/api/v1/users/me""#]);
    let count_logged = |text: &str| {
        let matches = |line: &Value| {
            let is_of_request = line["span"]["id"] == "tram-7";
            is_of_request
                && line["message"].as_str().is_some_and(|message| message.starts_with(text))
        };
        server.log_as_json().into_iter().filter(matches).count() as u64
    };
    eventually("all of them are logged", || {
        count_logged("Slow statement") == slow[""]
            && count_logged("Repeated statement") == repeated[operations[0]]
    })
    .await;
    let begin = |line: &Value| line["db.query.text"] == "BEGIN" && line["operation"].is_string();
    let begin = server.log_as_json().into_iter().find(begin).unwrap();
    assert_eq!(begin["operation"], "/api/v1/users/me", "{begin}");
    assert!(begin["times"].as_u64() > Some(1), "{begin}");
}

/// Deletes the account, in several transactions, so that some statements run repeatedly.
fn delete_account(client: &Client, user: &Token) -> ApiRequest {
    client.delete("/api/v1/users/me").by(user).json(&json!({"password": PASSWORD}))
}

#[tokio::test]
async fn database_connections_are_counted_by_state_and_failed_acquisitions_in_total() {
    let server = Setup::with_test_database()
        .await
        .env("GRATEFUL_WORKERS", 1)
        .env("GRATEFUL_CONNECTIONS_PER_WORKER", 1)
        .start()
        .await;
    let client = server.client();
    let ana = client.sign_up("ana").await;
    let idle_page = scrape(&client).await;
    assert_eq!(idle_page.count(r#"grateful_pool_connections_max{pool="requests"}"#), Some(1));
    assert_eq!(connections(&idle_page), [0, 1]);

    let sql = server.sql().await;
    sql.run("BEGIN; LOCK posts IN ACCESS EXCLUSIVE MODE").await;
    let blocked = tokio::spawn(client.create_post(&ana, "For patience.").send());
    let mut during = idle_page;
    let wait_until_busy = async {
        while connections(&during) != [1, 0] {
            during = scrape(&client).await;
        }
    };
    tokio::time::timeout(TIMEOUT, wait_until_busy).await.unwrap();
    // The only connection is in use, so this request times out.
    client.create_post(&ana, "For haste.").send().await.expect(503);
    let after = scrape(&client).await;
    sql.run("COMMIT").await;
    blocked.await.unwrap().expect(201);

    let failures = r#"grateful_pool_failures_total{pool="requests"}"#;
    assert_eq!((during.count(failures), after.count(failures)), (Some(0), Some(1)));
    let last = scrape(&client).await;
    assert_eq!(connections(&last), [0, 1]);
    // The token of the requests was looked up on a shared connection.
    assert_eq!(last.count(r#"grateful_read_connections{pool="requests"}"#), Some(1));
    assert_eq!(last.count(r#"grateful_reads_in_flight{pool="requests"}"#), Some(0));
}

/// The numbers of busy and idle connections.
fn connections(page: &MetricsPage) -> [u64; 2] {
    ["busy", "idle"].map(|state| {
        let series = format!(r#"grateful_pool_connections{{pool="requests",state="{state}"}}"#);
        page.count(&series).unwrap()
    })
}

#[tokio::test]
async fn metrics_can_be_disabled_and_server_timing_can_be_enabled() {
    let setup = Setup::with_test_database().await;
    let with_defaults = setup.clone().start().await;
    let configured = setup.env("GRATEFUL_METRICS", "off").env("GRATEFUL_SERVER_TIMING", "on");
    let configured = configured.start().await;
    let get = async |server: &Server, path: &str| server.client().get(path).send().await;

    assert_eq!(get(&with_defaults, "/livez").await.header("server-timing"), None);
    get(&with_defaults, "/metrics").await.expect(200);
    get(&configured, "/metrics").await.expect_problem(404, "not_found");
    let ready = get(&configured, "/readyz").await.expect(200);
    let timing = ready.header("server-timing").unwrap_or_default();
    assert!(
        timing.starts_with("db;dur=") && timing.contains(" statements\", app;dur="),
        "{timing}"
    );
}

/// Starts a server and waits until its daily job has run, so that it then only handles requests.
async fn start_idle_server(setup: Setup) -> Server {
    let server = setup.env("RUST_LOG", "info,grateful_server=debug").start().await;
    let has_swept = || server.log().iter().any(|line| line.contains("Removed unreferenced files"));
    eventually("the daily job has run", has_swept).await;
    server
}

async fn add_heart(client: &Client, user: &Token, post: &str) {
    client.post(&format!("/api/v1/posts/{post}/heart")).by(user).send().await.expect(201);
}

async fn scrape(client: &Client) -> MetricsPage {
    let response = client.get("/metrics").send().await.expect(200);
    assert_eq!(response.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    MetricsPage::parse(std::str::from_utf8(&response.body).unwrap())
}

/// The expected result of [`MetricsPage::increases_since`].
fn increases<const N: usize>(increases: [(&str, u32); N]) -> BTreeMap<String, u64> {
    increases.map(|(labels, increase)| (labels.to_owned(), increase.into())).into()
}
