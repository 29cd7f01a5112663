//! What it writes while it serves, and what it must not.

use grateful_tests::{PASSWORD, Server, Setup, Token, Value, eventually, json};

#[tokio::test]
async fn standard_output_has_one_line_and_the_log_is_json() {
    let setup = Setup::with_private_postgres();
    let mut server = setup.start().await;
    busy(&server).await;

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
async fn a_request_is_one_line_with_its_figures() {
    let server = Setup::with_test_database().await.start().await;
    let ana = server.client().sign_up("ana").await;
    let post = server.client().create_post(&ana, "For lines.").send().await.expect(201);
    let path = format!("/api/v1/posts/{}?secret=sesame", post.id());

    server.client().get(&path).by(&ana).header("X-Request-Id", "tram-7").send().await.expect(200);

    let line = only_line_of(&server, "tram-7").await;
    assert_eq!(line["level"], "INFO", "{line}");
    assert_eq!(line["message"], "GET /api/v1/posts/{id} 200", "{line}");
    assert_eq!(line["http.method"], "GET", "{line}");
    assert_eq!(line["http.route"], "/api/v1/posts/{id}", "{line}");
    assert_eq!(line["http.status"], 200, "{line}");
    assert_eq!(line["user.id"], 1, "{line}");
    assert!(line["duration_ms"].as_f64().is_some_and(|it| it > 0.0), "{line}");
    assert!(line["db.queries"].as_u64().is_some_and(|it| (1..=3).contains(&it)), "{line}");
    assert!(line["db.duration_ms"].as_f64().is_some_and(|it| it > 0.0), "{line}");
}

#[tokio::test]
async fn a_failure_of_ours_is_logged_with_its_causes_under_the_name_of_its_request() {
    let server = Setup::with_test_database().await.start().await;
    let ana = server.client().sign_up("ana").await;
    server.sql().await.run("ALTER TABLE posts RENAME COLUMN content TO words").await;

    let get = server.client().get("/api/v1/posts/feed").by(&ana).header("X-Request-Id", "tram-8");
    let response = get.send().await.expect_problem(500, "internal_error");

    let lines = lines_of(&server, "tram-8", 2).await;
    let failure = lines.iter().find(|line| line["level"] == "ERROR").expect("an error");
    assert!(failure.to_string().contains("posts.content does not exist"), "{failure}");
    assert!(!response.to_string().contains("posts.content"), "{response}");
}

#[tokio::test]
async fn no_secret_is_in_the_log_however_much_is_logged() {
    let setup = Setup::with_test_database().await;
    let url = setup.database_url().replacen("grateful@", "grateful:db-sesame@", 1);
    let setup = setup
        .env("DATABASE_URL", &url)
        .env("RUST_LOG", "trace")
        .env("GRATEFUL_SLOW_STATEMENT_MS", 0);
    let mut server = setup.start().await;

    let tokens = busy(&server).await;

    server.terminate();
    server.wait_for_exit().await;
    let log = server.log();
    assert!(log.len() > 50, "much is logged");
    let mut secrets = vec!["db-sesame", PASSWORD, "wrong-sesame", "new-sesame", "ana@example.org"];
    secrets.extend(["body-sesame", "query-sesame", "key-sesame", "$argon2id"]);
    secrets.extend(tokens.iter().map(|token| token.0.as_str()));
    for secret in secrets {
        let told: Vec<_> = log.iter().filter(|line| line.contains(secret)).collect();
        assert!(told.is_empty(), "{secret} is in {} lines, such as {}", told.len(), told[0]);
    }
}

#[tokio::test]
async fn pretty_lines_are_for_people() {
    let server =
        Setup::with_test_database().await.env("GRATEFUL_LOG_FORMAT", "pretty").start().await;

    server.client().get("/livez").send().await.expect(200);

    let is_there = || server.log().iter().any(|line| line.contains("GET /livez 200"));
    eventually("the line of the request", is_there).await;
    let log = server.log();
    assert!(log.iter().all(|line| !line.starts_with('{')), "{log:#?}");
    // Not a terminal, though told to be pretty.
    assert!(log.iter().all(|line| !line.contains('\u{1b}')), "{log:#?}");
}

#[tokio::test]
async fn a_server_whose_log_nobody_reads_any_more_serves_on() {
    let setup = Setup::with_test_database().await;
    let (reader, log) = std::io::pipe().unwrap();
    let mut server = setup.start_with_log(log).await;

    drop(reader);

    let ana = server.client().sign_up("ana").await;
    server.client().create_post(&ana, "For going on.").send().await.expect(201);
    server.client().get("/nowhere").send().await.expect(404);
    server.terminate();
    assert_eq!(server.wait_for_exit().await.code(), Some(0));
}

/// Does all that can be done with something secret. Tells the tokens that it used.
async fn busy(server: &Server) -> Vec<Token> {
    let client = server.client();
    let ana = client.sign_up("ana").await;
    let other = client.log_in("ana", PASSWORD).send().await.expect(200).token();
    client.log_in("ana", "wrong-sesame").send().await.expect(401);
    let again = json!({"username": "ana", "email": "ana@example.org", "password": PASSWORD});
    client.post("/api/v1/auth/signup").json(&again).send().await.expect(409);
    let publish = client.create_post(&ana, "body-sesame").header("Idempotency-Key", "key-sesame");
    let post = publish.send().await.expect(201);
    let path = format!("/api/v1/posts/{}", post.id());
    client.patch(&path).by(&ana).json(&json!({"title": "body-sesame"})).send().await.expect(200);
    client.get(&format!("{path}?token=query-sesame")).by(&ana).send().await.expect(200);
    client.post("/api/v1/posts").by(&ana).json_bytes(r#"{"content": "body-sesame"#).send().await;
    let change = json!({"current_password": PASSWORD, "new_password": "new-sesame"});
    client.put("/api/v1/auth/password").by(&ana).json(&change).send().await.expect(200);
    client.post("/api/v1/auth/logout").by(&other).send().await.expect(200);
    client.get_session(&other).send().await.expect(401);
    vec![ana, other]
}

async fn only_line_of(server: &Server, request: &str) -> Value {
    lines_of(server, request, 1).await.remove(0)
}

/// All lines of the request with this name, as soon as there are so many.
async fn lines_of(server: &Server, request: &str, many: usize) -> Vec<Value> {
    let lines = || {
        let log = server.log_as_json().into_iter();
        log.filter(|line| line["span"]["id"] == request).collect::<Vec<_>>()
    };
    eventually("its lines are there", || many <= lines().len()).await;
    assert_eq!(lines().len(), many, "{:#?}", lines());
    lines()
}
