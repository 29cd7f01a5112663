//! A made-up world, and that it is one.

use grateful_tests::{Setup, SqlConnection, json};

const SMALL: [&str; 11] = [
    "seed",
    "--users=30",
    "--posts=120",
    "--engagements=900",
    "--follows=200",
    "--notifications=400",
    "--seed=7",
    "--now=2026-11-20T12:00:00Z",
    "--log-format=json",
    "--log=info",
    "--connections-per-worker=1",
];

/// Everything that was made, but for the hash of the password, whose salt is new every time.
async fn all_of(sql: &SqlConnection) -> Vec<String> {
    let mut rows = sql
        .query_column("SELECT (to_jsonb(users) - 'hashed_password')::text FROM users ORDER BY id")
        .await;
    for table in
        ["posts", "likes", "emoji_reactions", "shares", "comments", "follows", "notifications"]
    {
        rows.extend(
            sql.query_column(&format!("SELECT {table}::text FROM {table} ORDER BY id")).await,
        );
    }
    for table in ["share_recipients", "inboxes", "notification_quotas"] {
        rows.extend(
            sql.query_column(&format!("SELECT it::text FROM {table} AS it ORDER BY it")).await,
        );
    }
    rows
}

#[tokio::test]
async fn seed_makes_a_world_whose_numbers_are_right_and_whose_people_can_sign_in() {
    let server = Setup::with_test_database().await.start().await;
    let setup = server.setup();

    let done = setup.run(&SMALL).expect(0);

    let verified = setup.run(&["verify"]).expect(0).stdout;
    assert!(
        verified.starts_with("30 users, 120 posts and ")
            && verified.ends_with(" verified: 0 mismatches\n"),
        "{verified}"
    );
    let told = "SELECT count(*) FROM notifications WHERE act IS NOT NULL";
    let told: u32 = setup.sql().await.run(told).await.parse().unwrap();
    assert!((350..=400).contains(&told), "{told} told");
    let said = done.stdout.rsplit_once("/login ").expect("how to sign in").1;
    let credentials = serde_json::from_str(said).unwrap();
    let client = server.client();
    let response = client.post("/api/v1/auth/login").json(&credentials).send().await;
    let somebody = response.expect(200).token();
    let posts = client.get("/api/v1/posts/feed?limit=50").by(&somebody).send().await.expect(200);
    assert_eq!(posts.json().as_array().unwrap().len(), 50);
    let email = credentials["email"].as_str().unwrap();
    let session = client.get_session(&somebody).send().await.expect(200).data();
    assert_eq!(session["email"], json!(email));
}

#[tokio::test]
async fn the_same_arguments_make_the_same_world_and_another_seed_another() {
    let mut worlds = Vec::new();
    for seed in ["--seed=7", "--seed=7", "--seed=8"] {
        let setup = Setup::with_test_database().await;
        let mut arguments = SMALL;
        arguments[6] = seed;
        setup.run(&arguments).expect(0);
        worlds.push(all_of(&setup.sql().await).await);
    }

    let [one, same, other] = &worlds[..] else { unreachable!("three were made") };
    assert!(one.len() > 1_200, "{} rows", one.len());
    assert_eq!(one, same);
    assert_eq!(one.iter().filter(|row| other.contains(row)).count(), 0);
}

#[tokio::test]
async fn seed_refuses_a_world_that_is_there_and_adds_another_beside_it() {
    let setup = Setup::with_test_database().await;
    setup.run(&SMALL).expect(0);
    let before = all_of(&setup.sql().await).await;

    let again = setup.run(&SMALL).expect(1);

    let said = again.stderr.lines().last().unwrap();
    assert!(said.contains(" exists already: this dataset or a part of it"), "{said}");
    assert_eq!(again.stdout, "");
    assert_eq!(all_of(&setup.sql().await).await, before);
    let mut other = SMALL;
    other[6] = "--seed=8";
    setup.run(&other).expect(0);
    let verified = setup.run(&["verify"]).expect(0).stdout;
    assert!(verified.starts_with("60 users, 240 posts and "), "{verified}");
}

#[test]
fn seed_says_what_is_wrong_before_it_asks_for_a_database() {
    let setup = Setup::with_database_url("postgresql://nobody@127.0.0.1:1/nothing");

    for (arguments, code, expected) in [
        (&["seed", "--users=0"][..], 1, "users must be 1 to 1000000, not 0"),
        (&["seed", "--users=10", "--follows=46"], 1, "10 users allow at most 45 follows, not 46"),
        (&["seed", "--posts=0"], 1, "engagements need at least one post"),
        (&["seed", "--now=2999-01-01T00:00:00Z"], 1, "--now must not be in the future"),
        (&["seed", "--now=noon"], 2, "must be a time such as 2026-11-23T12:00:00Z"),
        (&["seed", "--posts=many"], 2, "invalid value 'many' for '--posts <N>'"),
    ] {
        let ended = setup.run(arguments).expect(code);
        assert!(ended.stderr.contains(expected), "{arguments:?}: {}", ended.stderr);
        assert_eq!(ended.stdout, "");
    }
}

#[tokio::test]
async fn a_seed_that_is_killed_leaves_nothing() {
    let setup = Setup::with_test_database().await;
    let sql = setup.sql().await;
    let is_loading = "SELECT count(*) FROM pg_stat_progress_copy
                      WHERE datname = current_database() AND relid = 'likes'::regclass";

    let large = ["seed", "--users=500", "--posts=5000", "--engagements=100000"];
    setup.run_and_kill_when(&large, async || sql.run(is_loading).await != "0").await;

    // PostgreSQL has noticed when the lock is free.
    sql.run("BEGIN; LOCK TABLE users; COMMIT").await;
    assert_eq!(sql.run("SELECT count(*) FROM users").await, "0");
    setup.run(&SMALL).expect(0);
    setup.run(&["verify"]).expect(0);
}
