//! A primary that fails or freezes, and a standby that takes its place.

use std::time::{Duration, Instant};

use grateful_local_postgres::{Node, ReplicatedCluster};
use grateful_tests::{Server, Setup, SqlConnection};

use super::crashes::create_users;
use super::post_load::PostLoad;

const DATABASE: &str = "postgres";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_primary_is_killed_and_a_standby_promoted_no_acknowledged_write_is_lost() {
    let (cluster, setup, server) = start("killed").await;
    let [primary, standbys @ ..] = cluster.nodes() else { panic!("no nodes") };
    let load = PostLoad::start(&server, &create_users(&server).await);
    load.wait_for_writes(100).await;

    primary.kill().unwrap();
    let promoted = promote_one_of(standbys);
    let start = Instant::now();
    load.wait_for_writes(1).await;
    let recovery = start.elapsed();
    load.wait_for_writes(100).await;
    let longest_response = load.longest_response();
    let posts = load.stop().await;

    println!(
        "a killed primary: served {recovery:?} after the promotion, answered within {longest_response:?}, \
         {} acknowledged posts",
        posts.len()
    );
    posts.assert_stored_in(&SqlConnection::connect(&promoted.url(DATABASE)).await).await;
    // Twice what it takes on an idle machine.
    assert!(recovery < Duration::from_secs(4), "{recovery:?}");
    assert!(longest_response < Duration::from_secs(4), "{longest_response:?}");
    server.client().get("/readyz").send().await.expect(200);
    drop(server);
    setup.run(&["verify"]).expect(0);
}

/// The frozen primary is the first host in the URL. In the end it runs again, and is a standby.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_primary_freezes_and_a_standby_is_promoted_the_server_goes_on_with_that() {
    let (cluster, setup, server) = start("frozen").await;
    let [primary, standbys @ ..] = cluster.nodes() else { panic!("no nodes") };
    let load = PostLoad::start(&server, &create_users(&server).await);
    load.wait_for_writes(100).await;

    primary.freeze().unwrap();
    let promoted = promote_one_of(standbys);
    let start = Instant::now();
    load.wait_for_writes(50).await;
    let recovery = start.elapsed();
    load.wait_for_writes(100).await;
    let longest_response = load.longest_response();
    primary.thaw().unwrap();
    primary.demote(promoted).unwrap();
    load.wait_for_writes(100).await;
    let posts = load.stop().await;

    println!(
        "a frozen primary: served {recovery:?} after the promotion, answered within {longest_response:?}, \
         {} acknowledged posts",
        posts.len()
    );
    posts.assert_stored_in(&SqlConnection::connect(&promoted.url(DATABASE)).await).await;
    assert!(recovery < Duration::from_secs(8), "{recovery:?}");
    assert!(longest_response < Duration::from_secs(7), "{longest_response:?}");
    let sessions = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
    let demoted = SqlConnection::connect(&primary.url(DATABASE)).await;
    assert_eq!(demoted.run(sessions).await, "0", "the server has no connection to it");
    server.client().get("/readyz").send().await.expect(200);
    drop(server);
    setup.run(&["verify"]).expect(0);
}

#[tokio::test]
async fn a_server_whose_database_only_reads_is_not_ready_refuses_writes_and_answers_reads() {
    let (cluster, setup, primary_server) = start("standby").await;
    let [primary, standby, _] = cluster.nodes() else { panic!("three nodes") };
    let client = primary_server.client();
    let (ana, ben) = (client.sign_up("ana").await, client.sign_up("ben").await);
    // So long ago that her next request records the use of the session, which a standby refuses.
    let sql = SqlConnection::connect(&primary.url(DATABASE)).await;
    sql.run("UPDATE sessions SET last_used_at = last_used_at - interval '1 day'").await;
    let post = client.create_post(&ben, "For reading.").send().await.expect(201);
    let reading =
        setup.env("DATABASE_URL", &*standby.url(DATABASE)).env("GRATEFUL_NO_MIGRATE", true);
    let server = reading.start().await;
    let client = server.client();
    let path = format!("/api/v1/posts/{}", post.id());
    while client.get(&path).send().await.status == 404 {}

    for _ in 0..3 {
        let not_ready = client.get("/readyz").send().await.expect_problem(503, "unavailable");
        assert_eq!(not_ready.header("retry-after"), Some("1"));
        let refused = client.create_post(&ana, "For writing.").send().await;
        assert_eq!(refused.expect_problem(503, "unavailable").header("retry-after"), Some("1"));
        client.get(&path).send().await.expect(200);
        client.get_session(&ana).send().await.expect(200);
        client.get("/api/v1/posts/feed").by(&ana).send().await.expect(200);
    }
    client.get("/livez").send().await.expect(200);
    assert!(
        !server.log().iter().any(|line| line.contains(r#""level":"ERROR""#)),
        "{:?}",
        server.log()
    );
}

/// A primary with two standbys, and a server on it.
async fn start(name: &str) -> (ReplicatedCluster, Setup, Server) {
    let cluster = ReplicatedCluster::throwaway(name, 2).unwrap();
    let setup = Setup::with_database_url(&cluster.url(DATABASE));
    let server = setup.start().await;
    (cluster, setup, server)
}

/// Promotes the standby that has received more, and lets the other one follow it.
fn promote_one_of(standbys: &[Node]) -> &Node {
    let [first, second] = standbys else { panic!("two standbys") };
    let received = |node: &Node| node.received_bytes().unwrap();
    let (promoted, other) =
        if received(second) <= received(first) { (first, second) } else { (second, first) };
    promoted.promote().unwrap();
    other.follow(promoted).unwrap();
    promoted
}
