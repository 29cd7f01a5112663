//! The generated data of `grateful seed`.

use grateful_tests::{Setup, SqlConnection, Value, json};

const SMALL_DATASET: [&str; 11] = [
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

/// All generated rows, without the password hashes, whose salts are random.
async fn all_rows(sql: &SqlConnection) -> Vec<String> {
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
    for table in ["share_recipients", "inboxes", "notification_quotas", "suppressed_notifications"]
    {
        rows.extend(
            sql.query_column(&format!("SELECT it::text FROM {table} AS it ORDER BY it")).await,
        );
    }
    rows
}

#[tokio::test]
async fn seed_creates_consistent_data_and_users_who_can_log_in() {
    let server = Setup::with_test_database().await.start().await;
    let setup = server.setup();

    let output = setup.run(&SMALL_DATASET).expect(0);

    let verified = setup.run(&["verify"]).expect(0).stdout;
    assert!(
        verified.starts_with("30 users, 120 posts, ")
            && verified.ends_with(" verified: 0 mismatches\n"),
        "{verified}"
    );
    let notification_count = "SELECT count(*) FROM notifications WHERE act IS NOT NULL";
    let notification_count: u32 = setup.sql().await.run(notification_count).await.parse().unwrap();
    assert!((350..=400).contains(&notification_count), "{notification_count} notifications");
    let body = output.stdout.rsplit_once("/login ").expect("the login request").1;
    let credentials = serde_json::from_str(body).unwrap();
    let client = server.client();
    let response = client.post("/api/v1/auth/login").json(&credentials).send().await;
    let token = response.expect(200).token();
    let posts = client.get("/api/v1/posts/feed?limit=50").by(&token).send().await.expect(200);
    assert_eq!(posts.json().as_array().unwrap().len(), 50);
    let email = credentials["email"].as_str().unwrap();
    let session = client.get_session(&token).send().await.expect(200).data();
    assert_eq!(session["email"], json!(email));
}

#[tokio::test]
async fn the_same_arguments_create_the_same_data_and_another_seed_different_data() {
    let mut datasets = Vec::new();
    for seed in ["--seed=7", "--seed=7", "--seed=8"] {
        let setup = Setup::with_test_database().await;
        let mut arguments = SMALL_DATASET;
        arguments[6] = seed;
        setup.run(&arguments).expect(0);
        datasets.push(all_rows(&setup.sql().await).await);
    }

    let [first, same, different] = &datasets[..] else { unreachable!("there are three datasets") };
    assert!(first.len() > 1_200, "{} rows", first.len());
    assert_eq!(first, same);
    assert_eq!(first.iter().filter(|row| different.contains(row)).count(), 0);
}

#[tokio::test]
async fn seed_rejects_a_dataset_that_exists_and_adds_a_different_one() {
    let setup = Setup::with_test_database().await;
    setup.run(&SMALL_DATASET).expect(0);
    let before = all_rows(&setup.sql().await).await;

    let repeated = setup.run(&SMALL_DATASET).expect(1);

    let message = repeated.stderr.lines().last().unwrap();
    assert!(message.contains(" exists already: this dataset or a part of it"), "{message}");
    assert_eq!(repeated.stdout, "");
    assert_eq!(all_rows(&setup.sql().await).await, before);
    let mut different = SMALL_DATASET;
    different[6] = "--seed=8";
    setup.run(&different).expect(0);
    let verified = setup.run(&["verify"]).expect(0).stdout;
    assert!(verified.starts_with("60 users, 240 posts, "), "{verified}");
}

#[test]
fn seed_reports_invalid_arguments_without_a_database() {
    let setup = Setup::with_database_url("postgresql://ana@127.0.0.1:1/nothing");

    for (arguments, code, expected) in [
        (&["seed", "--users=0"][..], 1, "users must be 1 to 1000000, not 0"),
        (&["seed", "--users=10", "--follows=46"], 1, "10 users allow at most 45 follows, not 46"),
        (&["seed", "--posts=0"], 1, "engagements need at least one post"),
        (&["seed", "--now=2999-01-01T00:00:00Z"], 1, "--now must not be in the future"),
        (&["seed", "--now=noon"], 2, "must be a time such as 2026-11-23T12:00:00Z"),
        (&["seed", "--acts=5"], 2, "the following required arguments were not provided"),
        (&["seed", "--live", "--rate=0/s"], 2, "must be a number from 1 to 1000000 and a period"),
        (&["seed", "--posts=many"], 2, "invalid value 'many' for '--posts <N>'"),
    ] {
        let output = setup.run(arguments).expect(code);
        assert!(output.stderr.contains(expected), "{arguments:?}: {}", output.stderr);
        assert_eq!(output.stdout, "");
    }
}

#[tokio::test]
async fn a_seed_that_is_killed_leaves_no_rows() {
    let setup = Setup::with_test_database().await;
    let sql = setup.sql().await;
    let is_loading = "SELECT count(*) FROM pg_stat_progress_copy
                      WHERE datname = current_database() AND relid = 'likes'::regclass";

    let large_dataset = ["seed", "--users=500", "--posts=5000", "--engagements=100000"];
    setup.run_and_kill_when(&large_dataset, async || sql.run(is_loading).await != "0").await;

    // The lock is free when PostgreSQL has rolled back.
    sql.run("BEGIN; LOCK TABLE users; COMMIT").await;
    assert_eq!(sql.run("SELECT count(*) FROM users").await, "0");
    setup.run(&SMALL_DATASET).expect(0);
    setup.run(&["verify"]).expect(0);
}

/// The arguments of [`SMALL_DATASET`] with those of a live run.
fn live(arguments: &[&'static str]) -> Vec<&'static str> {
    [&SMALL_DATASET[..], &["--live"], arguments].concat()
}

/// Texts that are newer than the dataset, oldest first.
async fn live_texts(sql: &SqlConnection) -> Vec<String> {
    let since = "created_at > '2026-11-20T12:00:00Z'";
    let posts = format!("SELECT content FROM posts WHERE {since} ORDER BY created_at");
    let comments = format!("SELECT content FROM comments WHERE {since} ORDER BY created_at");
    [sql.query_column(&posts).await, sql.query_column(&comments).await].concat()
}

#[tokio::test]
async fn live_users_engage_with_the_posts_of_others_who_are_notified_in_batches() {
    let server = Setup::with_test_database().await.start().await;
    let setup = server.setup();
    setup.run(&SMALL_DATASET).expect(0);
    let client = server.client();
    let ana = client.sign_up("ana").await;
    for text in ["For the first snow.", "For the last apple.", "For the tram."] {
        client.create_post(&ana, text).send().await.expect(201);
    }

    let output = setup.run(&live(&["--acts=150", "--rate=1000/s"])).expect(0).stdout;

    assert!(output.starts_with("live users: 30, one act every 1ms\n"), "{output}");
    assert!(output.ends_with(", 0 failed\n"), "{output}");
    let inbox = client.get("/api/v1/notifications").by(&ana).send().await.expect(200).json();
    let entries = inbox.as_array().unwrap();
    let is_batch = |entry: &Value| entry["batch_count"].as_i64().is_some_and(|count| 2 < count);
    assert!(entries.iter().any(is_batch), "{inbox}");
    setup.run(&["verify"]).expect(0);
}

#[tokio::test]
async fn the_same_data_leads_to_the_same_live_acts_and_a_second_run_to_other_ones() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let setup = Setup::with_test_database().await;
        setup.run(&live(&["--acts=60", "--rate=1000/s"])).expect(0);
        runs.push(live_texts(&setup.sql().await).await);
        if runs.len() == 2 {
            setup.run(&live(&["--acts=60", "--rate=1000/s"])).expect(0);
            let sql = setup.sql().await;
            assert_eq!(sql.run("SELECT count(*) FROM users").await, "30");
            runs.push(live_texts(&sql).await);
        }
    }

    let [first, same, both] = &runs[..] else { unreachable!("there are three runs") };
    assert!(5 < first.len(), "{first:?}");
    assert_eq!(first, same);
    let repeated = first.iter().filter(|text| 1 < both.iter().filter(|of| of == text).count());
    assert!(repeated.count() < first.len() / 2, "{both:?}");
}

#[tokio::test]
async fn live_users_act_until_the_command_is_stopped() {
    let setup = Setup::with_test_database().await;
    let sql = setup.sql().await;
    let posts = "SELECT count(*) FROM posts WHERE created_at > '2026-11-20T12:00:00Z'";

    let has_posted = async || sql.run(posts).await != "0";
    let output = setup.run_and_terminate_when(&live(&["--rate=100/s"]), has_posted).await;

    let output = output.expect(0).stdout;
    assert!(!output.lines().last().unwrap().starts_with("0 posts, "), "{output}");
    assert!(output.ends_with(", 0 failed\n"), "{output}");
    setup.run(&["verify"]).expect(0);
}

#[tokio::test]
async fn an_account_that_only_has_the_name_of_a_generated_user_does_not_act() {
    let setup = Setup::with_test_database().await;
    setup.run(&SMALL_DATASET).expect(0);
    setup.sql().await.run("UPDATE users SET email = 'real.' || email WHERE id > 1").await;

    let few = ["seed", "--users=5", "--seed=7", "--live", "--acts=20", "--rate=1000/s"];
    let output = setup.run(&few).expect(0).stdout;

    assert!(output.starts_with("live users: 1, "), "{output}");
}
