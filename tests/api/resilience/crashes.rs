//! Kills of the server and of PostgreSQL: no acknowledged write is lost.

use std::time::{Duration, Instant};

use grateful_tests::{Server, Setup, Token, eventually, full_or_short};

use super::post_load::{AcknowledgedPosts, PostLoad};

/// Concurrent users who write.
const USERS: usize = 8;

/// The maximum time until requests succeed again, without intervention.
const MAX_RECOVERY_TIME: Duration = Duration::from_secs(15);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_loses_no_acknowledged_write() {
    let setup = Setup::with_test_database().await;
    let mut server = setup.start().await;
    let users = create_users(&server).await;
    let mut posts = AcknowledgedPosts::default();
    let rounds = full_or_short(20, 5);

    for _ in 0..rounds {
        let load = PostLoad::start(&server, &users);
        load.wait_for_writes(100).await;
        server.kill().await;
        posts.extend(load.stop().await);
        let start = Instant::now();
        server = setup.start().await;
        server.client().get("/readyz").send().await.expect(200);
        assert!(start.elapsed() < MAX_RECOVERY_TIME, "{:?}", start.elapsed());
    }

    posts.assert_stored_in(&server.sql().await).await;
    println!("{rounds} kills of the server, {} acknowledged posts, all consistent", posts.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_whose_postgresql_is_killed_recovers_and_loses_no_acknowledged_write() {
    let setup = Setup::with_private_postgres();
    let server = setup.start().await;
    let users = create_users(&server).await;
    let rounds = full_or_short(5, 2);
    let mut longest = Duration::ZERO;

    let load = PostLoad::start(&server, &users);
    for _ in 0..rounds {
        load.wait_for_writes(100).await;
        setup.working_dir().kill_postgres().await;
        let start = Instant::now();
        load.wait_for_writes(1).await;
        longest = longest.max(start.elapsed());
    }
    load.wait_for_writes(100).await;
    let posts = load.stop().await;

    assert!(longest < MAX_RECOVERY_TIME, "{longest:?}");
    server.client().get("/readyz").send().await.expect(200);
    posts.assert_stored_in(&setup.sql().await).await;
    println!(
        "{rounds} kills of PostgreSQL, unavailable for at most {longest:?}, {} acknowledged posts, all consistent",
        posts.len()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_server_and_postgresql_are_killed_together_the_next_server_has_all_acknowledged_writes()
 {
    let setup = Setup::with_private_postgres();
    let server = setup.start().await;
    let users = create_users(&server).await;

    let load = PostLoad::start(&server, &users);
    load.wait_for_writes(100).await;
    let ((), ()) = tokio::join!(setup.working_dir().kill_postgres(), server.kill());
    let posts = load.stop().await;
    let server = setup.start().await;

    server.client().get_session(&users[0]).send().await.expect(200);
    posts.assert_stored_in(&setup.sql().await).await;
}

#[tokio::test]
async fn the_private_postgresql_stops_after_its_server_is_killed() {
    let setup = Setup::with_private_postgres();
    let server = setup.start().await;
    assert_ne!(setup.working_dir().processes(), []);

    server.kill().await;

    let has_no_processes = || setup.working_dir().processes().is_empty();
    eventually("PostgreSQL stops after the server", has_no_processes).await;
}

pub(crate) async fn create_users(server: &Server) -> Vec<Token> {
    let client = server.client();
    let mut users = Vec::new();
    for number in 0..USERS {
        users.push(client.sign_up(&format!("writer_{number}")).await);
    }
    users
}
