//! Several servers on one database.

use futures_util::future::join_all;
use grateful_tests::{ApiRequest, PASSWORD, Server, Setup, Token, eventually, json};

#[tokio::test]
async fn a_session_is_valid_on_every_node_until_it_is_revoked_on_any() {
    let (first, second) = start_two_nodes().await;
    let ana = first.client().sign_up("ana").await;

    second.client().get_session(&ana).send().await.expect(200);
    let login = second.client().log_in("ana", PASSWORD).send().await.expect(200).token();
    second.client().post("/api/v1/auth/logout").by(&ana).send().await.expect(200);

    first.client().get_session(&ana).send().await.expect_problem(401, "authentication_error");
    first.client().get_session(&login).send().await.expect(200);
}

#[tokio::test]
async fn a_request_retried_on_another_node_gets_the_first_response() {
    let (first, second) = start_two_nodes().await;
    let ana = first.client().sign_up("ana").await;

    let original = create_post_idempotently(&first, &ana, "For coffee.").send().await.expect(201);
    let replayed = create_post_idempotently(&second, &ana, "For coffee.").send().await.expect(201);
    let different = create_post_idempotently(&second, &ana, "For tea.").send().await;

    assert_eq!(replayed.body, original.body);
    assert_eq!(replayed.header("etag"), original.header("etag"));
    assert_eq!(replayed.header("idempotent-replayed"), Some("true"));
    different.expect_problem(422, "validation_error");
    let sql = first.sql().await;
    assert_eq!(sql.run("SELECT count(*) FROM posts").await, "1");
}

#[tokio::test]
async fn a_request_retried_while_another_node_processes_it_is_a_conflict_and_runs_once() {
    let (first, second) = start_two_nodes().await;
    let ana = first.client().sign_up("ana").await;
    let lock_holder = first.sql().await;
    lock_holder.run("BEGIN; SELECT id FROM users FOR NO KEY UPDATE").await;
    let original = tokio::spawn(create_post_idempotently(&first, &ana, "For coffee.").send());
    let observer = first.sql().await;
    while observer.count_lock_waiters().await == 0 {}

    let concurrent = create_post_idempotently(&second, &ana, "For coffee.").send().await;
    lock_holder.run("COMMIT").await;
    let original = original.await.unwrap();
    let replayed = create_post_idempotently(&second, &ana, "For coffee.").send().await;

    let concurrent = concurrent.expect_problem(409, "conflict");
    assert_eq!(concurrent.json()["error"]["details"], json!({"resource": "idempotency_key"}));
    assert_eq!(replayed.expect(201).body, original.expect(201).body);
    assert_eq!(observer.run("SELECT count(*) FROM posts").await, "1");
    assert_eq!(observer.find_post_count_mismatches().await, [] as [String; 0]);
}

#[tokio::test]
async fn wrong_passwords_on_any_node_count_on_all_of_them() {
    let setup = Setup::with_test_database().await.env("GRATEFUL_RATE_LIMITS", "on");
    let setup = setup.env("GRATEFUL_LIMIT_LOGINS", "1000/min").env("GRATEFUL_NODES", 3);
    let nodes = [setup.start().await, setup.start().await, setup.start().await];
    let clients = nodes.each_ref().map(Server::client);
    clients[0].sign_up("ana").await;

    let log_in = |number: usize| clients[number % 3].log_in("ana", "battery staple").send();
    let responses = join_all((0..18).map(log_in)).await;

    let count = |status| responses.iter().filter(|response| response.status == status).count();
    assert_eq!((count(401), count(429)), (10, 8));
    for client in &clients {
        let response = client.log_in("ana", PASSWORD).send().await;
        let response = response.expect_problem(429, "rate_limit_exceeded");
        assert_eq!(response.json()["error"]["details"]["limit"], 10);
        let retry_after: u64 = response.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=90).contains(&retry_after), "{retry_after}");
    }
    // Other accounts are not affected.
    clients[1].sign_up("ben").await;
    clients[2].log_in("ben", PASSWORD).send().await.expect(200);
}

#[tokio::test]
async fn servers_in_one_directory_share_its_postgresql_until_the_last_one_exits() {
    let setup = Setup::with_private_postgres();
    let first = setup.start().await;
    let second = setup.start().await;
    let ana = first.client().sign_up("ana").await;
    let postmaster = setup.working_dir().postmaster();

    let post = second.client().create_post(&ana, "For company.").send().await.expect(201);
    first.kill().await;
    let response = second.client().get(&format!("/api/v1/posts/{}", post.id())).send().await;

    assert_eq!(response.expect(200).json(), post.json());
    second.client().create_post(&ana, "For going on.").send().await.expect(201);
    assert_eq!(setup.working_dir().postmaster(), postmaster, "PostgreSQL is not restarted");
    drop(second);
    let has_no_processes = || setup.working_dir().processes().is_empty();
    eventually("PostgreSQL stops after the last server", has_no_processes).await;
}

#[tokio::test]
async fn servers_that_start_together_in_an_empty_directory_all_become_ready() {
    let setup = Setup::with_private_postgres();

    let mut servers = [setup.spawn(), setup.spawn(), setup.spawn()];
    for server in &mut servers {
        server.wait_until_ready().await;
    }

    let [first, second, third] = servers;
    let ana = first.client().sign_up("ana").await;
    second.client().get_session(&ana).send().await.expect(200);
    third.client().get("/readyz").send().await.expect(200);
}

async fn start_two_nodes() -> (Server, Server) {
    let setup = Setup::with_test_database().await;
    (setup.start().await, setup.start().await)
}

/// Starts a request that creates a post, always with the same idempotency key.
fn create_post_idempotently(node: &Server, author: &Token, content: &str) -> ApiRequest {
    node.client().create_post(author, content).header("Idempotency-Key", "morning")
}
