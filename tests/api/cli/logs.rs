//! The log of a running server, and what it must not contain.

use std::io::{BufRead as _, BufReader};

use grateful_tests::{Client, PASSWORD, Server, Setup, Token, Value, eventually, json};

#[tokio::test]
async fn standard_output_has_one_line_and_the_log_is_json() {
    let setup = Setup::with_private_postgres();
    let mut server = setup.start().await;
    use_all_secrets(&server).await;

    server.terminate();
    server.wait_for_exit().await;

    assert_eq!(server.stdout(), [format!("listening on http://{}", server.address())]);
    let log = server.log_as_json();
    assert!(log.len() > 5, "{log:#?}");
    for line in log {
        assert!(line["timestamp"].is_string(), "{line}");
        assert!(line["level"].is_string(), "{line}");
        assert!(line["message"].is_string(), "{line}");
    }
}

#[tokio::test]
async fn a_request_logs_one_line_with_its_duration_and_queries() {
    let server = Setup::with_test_database().await.start().await;
    let ana = server.client().sign_up("ana").await;
    let post = server.client().create_post(&ana, "For lines.").send().await.expect(201);
    let path = format!("/api/v1/posts/{}?secret=sesame", post.id());

    server.client().get(&path).by(&ana).header("X-Request-Id", "tram-7").send().await.expect(200);

    let line = find_only_line(&server, "tram-7").await;
    assert_eq!(line["level"], "INFO", "{line}");
    assert_eq!(line["message"], "GET /api/v1/posts/{id} 200", "{line}");
    assert_eq!(line["http.method"], "GET", "{line}");
    assert_eq!(line["http.route"], "/api/v1/posts/{id}", "{line}");
    assert_eq!(line["http.status"], 200, "{line}");
    assert_eq!(line["user.id"], 1, "{line}");
    assert!(line["duration_ms"].as_f64().is_some_and(|duration| duration > 0.0), "{line}");
    assert!(
        line["db.queries"].as_u64().is_some_and(|queries| (1..=3).contains(&queries)),
        "{line}"
    );
    assert!(line["db.duration_ms"].as_f64().is_some_and(|duration| duration > 0.0), "{line}");
}

#[tokio::test]
async fn an_internal_error_is_logged_with_its_causes_and_request_id() {
    let server = Setup::with_test_database().await.start().await;
    let ana = server.client().sign_up("ana").await;
    server.sql().await.run("ALTER TABLE posts RENAME COLUMN content TO words").await;

    let request =
        server.client().get("/api/v1/posts/feed").by(&ana).header("X-Request-Id", "tram-8");
    let response = request.send().await.expect_problem(500, "internal_error");

    let lines = wait_for_lines(&server, "tram-8", 2).await;
    let error = lines.iter().find(|line| line["level"] == "ERROR").expect("an error");
    assert!(error.to_string().contains("posts.content does not exist"), "{error}");
    assert!(!response.to_string().contains("posts.content"), "{response}");
}

#[tokio::test]
async fn no_secret_is_in_the_log_even_at_level_trace() {
    let setup = Setup::with_test_database().await;
    let url = setup.database_url().replacen("grateful@", "grateful:db-sesame@", 1);
    let setup = setup
        .env("DATABASE_URL", &url)
        .env("RUST_LOG", "trace")
        .env("GRATEFUL_SLOW_STATEMENT_MS", 0);
    let mut server = setup.start().await;

    let tokens = use_all_secrets(&server).await;

    server.terminate();
    server.wait_for_exit().await;
    let log = server.log();
    assert!(log.len() > 50, "only {} lines", log.len());
    let mut secrets = vec!["db-sesame", PASSWORD, "wrong-sesame", "new-sesame", "ana@example.org"];
    secrets.extend(["body-sesame", "query-sesame", "key-sesame", "$argon2id"]);
    secrets.extend(tokens.iter().map(|token| token.0.as_str()));
    for secret in secrets {
        let lines: Vec<_> = log.iter().filter(|line| line.contains(secret)).collect();
        assert!(lines.is_empty(), "{secret} is in {} lines, for example {}", lines.len(), lines[0]);
    }
}

#[tokio::test]
async fn the_pretty_format_is_plain_text_without_colours() {
    let server =
        Setup::with_test_database().await.env("GRATEFUL_LOG_FORMAT", "pretty").start().await;

    server.client().get("/livez").send().await.expect(200);

    let is_logged = || server.log().iter().any(|line| line.contains("GET /livez 200"));
    eventually("the request is logged", is_logged).await;
    let log = server.log();
    assert!(log.iter().all(|line| !line.starts_with('{')), "{log:#?}");
    // The log is not a terminal, so it has no colours.
    assert!(log.iter().all(|line| !line.contains('\u{1b}')), "{log:#?}");
}

#[tokio::test]
async fn a_server_keeps_serving_after_its_log_reader_exits() {
    let setup = Setup::with_test_database().await;
    let (reader, log) = std::io::pipe().unwrap();
    let mut server = setup.start_with_log(log).await;

    drop(reader);

    let ana = server.client().sign_up("ana").await;
    server.client().create_post(&ana, "For readers.").send().await.expect(201);
    server.client().get("/nowhere").send().await.expect(404);
    server.terminate();
    assert_eq!(server.wait_for_exit().await.code(), Some(0));
}

#[tokio::test]
async fn a_server_that_stops_has_written_every_line() {
    let mut server = Setup::with_test_database().await.start().await;
    let client = server.client();
    for _ in 0..100 {
        client.get("/livez").send().await.expect(200);
    }

    server.terminate();
    server.wait_for_exit().await;

    let log = server.log_as_json();
    let requests = log.iter().filter(|line| line["message"] == "GET /livez 200");
    assert_eq!(requests.count(), 100);
    let stops = |line: &Value| line["message"].as_str().unwrap().starts_with("Shutting down");
    assert!(log.iter().any(stops), "{log:#?}");
}

#[tokio::test]
async fn requests_do_not_wait_for_a_reader_of_the_log_and_lost_lines_are_counted() {
    let setup = Setup::with_test_database().await.env("RUST_LOG", "trace");
    let (reader, log) = std::io::pipe().unwrap();
    let mut server = setup.start_with_log(log).await;
    let client = server.client();

    // Each request logs some ten kilobytes at this level.
    let long_id = "x".repeat(128);
    let mut dropped = 0;
    for _ in 0..5_000 {
        client.get("/livez").header("X-Request-Id", &long_id).send().await.expect(200);
        dropped = count_dropped_lines(&client).await;
        if 0 < dropped {
            break;
        }
    }
    assert!(0 < dropped);

    let lines = std::thread::spawn(|| -> Vec<String> {
        BufReader::new(reader).lines().map(Result::unwrap).collect()
    });
    server.terminate();
    assert_eq!(server.wait_for_exit().await.code(), Some(0));
    let lines = lines.join().unwrap().into_iter();
    // No line is cut.
    let lines: Vec<Value> = lines.map(|line| serde_json::from_str(&line).unwrap()).collect();
    let reported = lines.iter().filter_map(|line| {
        let message = line["message"].as_str()?;
        message.starts_with("Dropped log lines").then(|| line["lines"].as_u64().unwrap())
    });
    let reported: u64 = reported.sum();
    assert!(dropped <= reported, "{dropped} were counted, {reported} reported");
}

/// The number on the metrics page.
async fn count_dropped_lines(client: &Client) -> u64 {
    let page = client.get("/metrics").send().await.expect(200).body;
    let page = String::from_utf8(page).unwrap();
    let line = page.lines().find_map(|line| line.strip_prefix("grateful_log_lines_dropped_total "));
    line.expect("a series").parse().unwrap()
}

/// Sends requests with all kinds of secrets, and returns the tokens.
async fn use_all_secrets(server: &Server) -> Vec<Token> {
    let client = server.client();
    let ana = client.sign_up("ana").await;
    let second_token = client.log_in("ana", PASSWORD).send().await.expect(200).token();
    client.log_in("ana", "wrong-sesame").send().await.expect(401);
    let duplicate = json!({"username": "ana", "email": "ana@example.org", "password": PASSWORD});
    client.post("/api/v1/auth/signup").json(&duplicate).send().await.expect(409);
    let create = client.create_post(&ana, "body-sesame").header("Idempotency-Key", "key-sesame");
    let post = create.send().await.expect(201);
    let path = format!("/api/v1/posts/{}", post.id());
    client.patch(&path).by(&ana).json(&json!({"title": "body-sesame"})).send().await.expect(200);
    client.get(&format!("{path}?token=query-sesame")).by(&ana).send().await.expect(200);
    client.post("/api/v1/posts").by(&ana).json_bytes(r#"{"content": "body-sesame"#).send().await;
    let change = json!({"current_password": PASSWORD, "new_password": "new-sesame"});
    client.put("/api/v1/auth/password").by(&ana).json(&change).send().await.expect(200);
    client.post("/api/v1/auth/logout").by(&second_token).send().await.expect(200);
    client.get_session(&second_token).send().await.expect(401);
    vec![ana, second_token]
}

async fn find_only_line(server: &Server, request: &str) -> Value {
    wait_for_lines(server, request, 1).await.remove(0)
}

/// Waits until the log has `count` lines of the request with this id, and returns them. Fails if there are more.
async fn wait_for_lines(server: &Server, request: &str, count: usize) -> Vec<Value> {
    let lines = || {
        let log = server.log_as_json().into_iter();
        log.filter(|line| line["span"]["id"] == request).collect::<Vec<_>>()
    };
    eventually("the lines of the request are logged", || count <= lines().len()).await;
    assert_eq!(lines().len(), count, "{:#?}", lines());
    lines()
}
