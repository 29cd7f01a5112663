//! What is killed, and what was promised before.

use std::time::{Duration, Instant};

use grateful_tests::{Server, Setup, Token, eventually, full_or_short};

use super::writers::{Memory, Writers};

/// How many people write at once.
const WRITERS: usize = 8;

/// Serving again within this, without help.
const SOON: Duration = Duration::from_secs(15);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_has_lost_nothing_that_it_acknowledged() {
    let setup = Setup::with_test_database().await;
    let mut server = setup.start().await;
    let people = people(&server).await;
    let mut memory = Memory::default();
    let rounds = full_or_short(20, 5);

    for _ in 0..rounds {
        let writers = Writers::on(&server, &people);
        writers.hear(100).await;
        server.kill().await;
        memory.add(writers.stop().await);
        let begun = Instant::now();
        server = setup.start().await;
        server.client().get("/readyz").send().await.expect(200);
        assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
    }

    memory.assert_true_in(&server.sql().await).await;
    println!("{rounds} kills of the server, {} acknowledged facts, all true", memory.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_whose_postgresql_is_killed_serves_again_and_has_lost_nothing() {
    let setup = Setup::with_private_postgres();
    let server = setup.start().await;
    let people = people(&server).await;
    let rounds = full_or_short(5, 2);
    let mut longest = Duration::ZERO;

    let writers = Writers::on(&server, &people);
    for _ in 0..rounds {
        writers.hear(100).await;
        setup.working_dir().kill_postgres().await;
        let begun = Instant::now();
        writers.hear(1).await;
        longest = longest.max(begun.elapsed());
    }
    writers.hear(100).await;
    let memory = writers.stop().await;

    assert!(longest < SOON, "{longest:?}");
    server.client().get("/readyz").send().await.expect(200);
    memory.assert_true_in(&setup.sql().await).await;
    println!(
        "{rounds} kills of PostgreSQL, away for at most {longest:?}, {} acknowledged facts, all true",
        memory.len()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_server_and_postgresql_are_killed_together_the_next_server_finds_everything() {
    let setup = Setup::with_private_postgres();
    let server = setup.start().await;
    let people = people(&server).await;

    let writers = Writers::on(&server, &people);
    writers.hear(100).await;
    let ((), ()) = tokio::join!(setup.working_dir().kill_postgres(), server.kill());
    let memory = writers.stop().await;
    let server = setup.start().await;

    server.client().get_session(&people[0]).send().await.expect(200);
    memory.assert_true_in(&setup.sql().await).await;
}

#[tokio::test]
async fn a_killed_server_takes_its_postgresql_along() {
    let setup = Setup::with_private_postgres();
    let server = setup.start().await;
    assert_ne!(setup.working_dir().processes(), []);

    server.kill().await;

    let is_empty = || setup.working_dir().processes().is_empty();
    eventually("PostgreSQL stops behind the server", is_empty).await;
}

async fn people(server: &Server) -> Vec<Token> {
    let client = server.client();
    let mut people = Vec::new();
    for number in 0..WRITERS {
        people.push(client.sign_up(&format!("writer_{number}")).await);
    }
    people
}
