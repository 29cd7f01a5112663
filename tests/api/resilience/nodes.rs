//! Several servers on one database.

use grateful_tests::{ApiRequest, PASSWORD, Server, Setup, Token, eventually, json};

#[tokio::test]
async fn a_session_begun_on_one_node_works_on_the_other_until_it_is_ended_on_either() {
    let (one, other) = two_nodes().await;
    let ana = one.client().sign_up("ana").await;

    other.client().get_session(&ana).send().await.expect(200);
    let again = other.client().log_in("ana", PASSWORD).send().await.expect(200).token();
    other.client().post("/api/v1/auth/logout").by(&ana).send().await.expect(200);

    one.client().get_session(&ana).send().await.expect_problem(401, "authentication_error");
    one.client().get_session(&again).send().await.expect(200);
}

#[tokio::test]
async fn a_request_repeated_on_another_node_has_the_first_answer() {
    let (one, other) = two_nodes().await;
    let ana = one.client().sign_up("ana").await;

    let first = publish_once(&one, &ana, "For coffee.").send().await.expect(201);
    let second = publish_once(&other, &ana, "For coffee.").send().await.expect(201);
    let another = publish_once(&other, &ana, "For tea.").send().await;

    assert_eq!(second.body, first.body);
    assert_eq!(second.header("etag"), first.header("etag"));
    assert_eq!(second.header("idempotent-replayed"), Some("true"));
    another.expect_problem(422, "validation_error");
    let sql = one.sql().await;
    assert_eq!(sql.run("SELECT count(*) FROM posts").await, "1");
}

#[tokio::test]
async fn a_request_that_is_being_worked_on_elsewhere_is_a_conflict_and_happens_once() {
    let (one, other) = two_nodes().await;
    let ana = one.client().sign_up("ana").await;
    let held = one.sql().await;
    held.run("BEGIN; SELECT id FROM users FOR NO KEY UPDATE").await;
    let first = tokio::spawn(publish_once(&one, &ana, "For coffee.").send());
    let observer = one.sql().await;
    while observer.count_lock_waiters().await == 0 {}

    let meanwhile = publish_once(&other, &ana, "For coffee.").send().await;
    held.run("COMMIT").await;
    let first = first.await.unwrap();
    let afterwards = publish_once(&other, &ana, "For coffee.").send().await;

    let meanwhile = meanwhile.expect_problem(409, "conflict");
    assert_eq!(meanwhile.json()["error"]["details"], json!({"resource": "idempotency_key"}));
    assert_eq!(afterwards.expect(201).body, first.expect(201).body);
    assert_eq!(observer.run("SELECT count(*) FROM posts").await, "1");
    assert_eq!(observer.find_post_count_mismatches().await, [] as [String; 0]);
}

#[tokio::test]
async fn two_servers_in_one_folder_share_its_postgresql_and_the_second_outlives_the_first() {
    let setup = Setup::with_private_postgres();
    let first = setup.start().await;
    let second = setup.start().await;
    let ana = first.client().sign_up("ana").await;
    let postmaster = setup.working_dir().postmaster();

    let post = second.client().create_post(&ana, "For company.").send().await.expect(201);
    first.kill().await;
    let read = second.client().get(&format!("/api/v1/posts/{}", post.id())).send().await;

    assert_eq!(read.expect(200).json(), post.json());
    second.client().create_post(&ana, "For going on.").send().await.expect(201);
    assert_eq!(setup.working_dir().postmaster(), postmaster, "it was not even restarted");
    drop(second);
    let is_empty = || setup.working_dir().processes().is_empty();
    eventually("PostgreSQL stops behind the last one", is_empty).await;
}

#[tokio::test]
async fn servers_that_begin_together_in_an_empty_folder_all_serve() {
    let setup = Setup::with_private_postgres();

    let mut begun = [setup.spawn(), setup.spawn(), setup.spawn()];
    for server in &mut begun {
        server.wait_until_ready().await;
    }

    let [one, other, third] = begun;
    let ana = one.client().sign_up("ana").await;
    other.client().get_session(&ana).send().await.expect(200);
    third.client().get("/readyz").send().await.expect(200);
}

async fn two_nodes() -> (Server, Server) {
    let setup = Setup::with_test_database().await;
    (setup.start().await, setup.start().await)
}

fn publish_once(node: &Server, author: &Token, content: &str) -> ApiRequest {
    node.client().create_post(author, content).header("Idempotency-Key", "morning")
}
