//! Small commands: `migrate`, `openapi`, `password`, `verify`, `completions`, `man`.

use grateful_tests::{PASSWORD, Setup, Value};

#[tokio::test]
async fn migrate_applies_all_migrations_once() {
    let setup = Setup::with_empty_database().await;
    let unmigrated = setup.clone().env("GRATEFUL_NO_MIGRATE", 1).start().await;
    unmigrated.client().get("/livez").send().await.expect(200);
    unmigrated.client().get("/readyz").send().await.expect_problem(503, "unavailable");

    let first = setup.run(&["migrate"]).expect(0).stdout;
    let second = setup.run(&["migrate"]).expect(0).stdout;

    let migrations =
        std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations")).unwrap();
    let count = migrations.filter(|entry| entry.as_ref().unwrap().path().is_dir()).count();
    assert_eq!(first, format!("applied {count} migrations\n"));
    assert_eq!(second, "applied 0 migrations\n");
    unmigrated.client().get("/readyz").send().await.expect(200);
}

#[tokio::test]
async fn migrate_says_what_is_pending_and_what_waits_and_changes_nothing() {
    let setup = Setup::with_empty_database().await;

    let before = setup.run(&["migrate", "--pending"]).expect(0).stdout;
    let again = setup.run(&["migrate", "--pending"]).expect(0).stdout;
    setup.run(&["migrate"]).expect(0);
    let after = setup.run(&["migrate", "--pending"]).expect(0).stdout;

    assert!(before.contains(
        "2026-11-30-100100_mark_deleted_rows\n  users: reads and writes wait (ALTER TABLE)\n"
    ));
    let concurrent =
        "2026-11-30-104000_index_unread_children (outside of a transaction)\n  nothing waits\n";
    assert!(before.contains(concurrent), "{before}");
    assert_eq!(again, before);
    assert_eq!(after, "0 pending migrations\n");
}

#[tokio::test]
async fn migrate_creates_the_private_postgresql_and_stops_it() {
    let setup = Setup::with_private_postgres();

    setup.run(&["migrate"]).expect(0);

    assert_eq!(setup.working_dir().processes(), []);
    let server = setup.env("GRATEFUL_NO_MIGRATE", "true").start().await;
    server.client().get("/readyz").send().await.expect(200);
}

#[tokio::test]
async fn openapi_prints_the_documents_that_the_server_serves() {
    let server = Setup::with_test_database().await.start().await;

    let printed = server.setup().run(&["openapi"]).expect(0);
    let served = server.client().get("/openapi.json").send().await.expect(200);

    let printed: Value = serde_json::from_str(&printed.stdout).unwrap();
    assert_eq!(printed, served.json());
    assert!(printed["openapi"].as_str().unwrap().starts_with("3.1"), "{printed}");

    let printed = server.setup().run(&["openapi", "--version", "3.0"]).expect(0);
    let served = server.client().get("/openapi-3.0.json").send().await.expect(200);

    let printed: Value = serde_json::from_str(&printed.stdout).unwrap();
    assert_eq!(printed, served.json());
    assert!(printed["openapi"].as_str().unwrap().starts_with("3.0"), "{printed}");
}

#[test]
fn openapi_needs_no_database() {
    let setup = Setup::with_database_url("postgresql://ana@127.0.0.1:1/nothing");

    setup.run(&["openapi"]).expect(0);
}

#[test]
fn completions_and_the_manual_name_every_command_and_need_no_valid_settings() {
    let setup = Setup::with_private_postgres().env("GRATEFUL_WORKERS", "many");
    let help = Setup::with_private_postgres().run(&["--help"]).expect(0).stdout;
    let commands = help.split("Commands:\n").nth(1).unwrap().lines();
    let commands = commands.take_while(|line| !line.is_empty());
    let commands: Vec<&str> = commands
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .map(|line| line.split_whitespace().next().unwrap())
        .collect();
    assert!(commands.contains(&"backup") && commands.contains(&"man"), "{commands:?}");

    let manual = setup.run(&["man"]).expect(0).stdout;
    assert!(manual.contains(".TH grateful 1"), "{manual}");
    for shell in ["bash", "zsh", "fish"] {
        let completions = setup.run(&["completions", shell]).expect(0).stdout;
        for command in &commands {
            assert!(completions.contains(command), "{shell}: {command}");
            let section = format!(".SH \"GRATEFUL {}\"", command.to_uppercase());
            assert!(*command == "help" || manual.contains(&section), "{section}");
        }
    }
}

#[tokio::test]
async fn password_sets_a_new_password_and_revokes_the_sessions_of_the_user() {
    // With a private PostgreSQL, which the command shares with the running server.
    let server = Setup::with_private_postgres().start().await;
    let client = server.client();
    let (ana, ben) = (client.sign_up("Ana").await, client.sign_up("ben").await);

    let output = server.setup().run_with_input(&["password", "ana"], "a new password\n").expect(0);

    assert_eq!(output.stdout, "ana has a new password; sessions ended: 1\n");
    client.get_session(&ana).send().await.expect(401);
    client.get_session(&ben).send().await.expect(200);
    client.log_in("ana", PASSWORD).send().await.expect(401);
    client.log_in("ana", "a new password").send().await.expect(200);
}

#[tokio::test]
async fn password_reads_one_line_and_keeps_its_spaces() {
    let server = Setup::with_test_database().await.start().await;
    server.client().sign_up("ana").await;

    let line = "  with spaces  \r\nand a second line";
    server.setup().run_with_input(&["password", "ana"], line).expect(0);

    server.client().log_in("ana", "  with spaces  ").send().await.expect(200);
}

#[tokio::test]
async fn password_reports_errors_and_changes_nothing() {
    let server = Setup::with_test_database().await.start().await;
    let ana = server.client().sign_up("ana").await;

    for (name, input, expected) in [
        ("ana", "short\n", "grateful: the password must be 8 to 128 characters long"),
        ("ana", "", "grateful: the password must be 8 to 128 characters long"),
        ("unknown", "a new password\n", "grateful: User not found"),
    ] {
        let output = server.setup().run_with_input(&["password", name], input).expect(1);
        assert_eq!(output.stderr.lines().last(), Some(expected));
        assert_eq!(output.stdout, "");
        assert!(!output.stderr.contains("short"), "{}", output.stderr);
    }

    server.client().get_session(&ana).send().await.expect(200);
    server.client().log_in("ana", PASSWORD).send().await.expect(200);
}

#[tokio::test]
async fn verify_reports_and_repairs_every_mismatch() {
    let server = Setup::with_test_database().await.start().await;
    let client = server.client();
    let ana = client.sign_up("ana").await;
    let post = client.create_post(&ana, "For rain.").send().await.expect(201).id();
    client.post(&format!("/api/v1/posts/{post}/heart")).by(&ana).send().await.expect(201);
    let setup = server.setup();
    let without_mismatches = setup.run(&["verify"]).expect(0).stdout;
    let sql = setup.sql().await;
    sql.run("UPDATE posts SET hearts_count = 7; UPDATE users SET followers_count = 3").await;

    let with_mismatches = setup.run(&["verify"]).expect(1);
    let repaired = setup.run(&["verify", "--repair"]).expect(0);
    let after_repair = setup.run(&["verify"]).expect(0).stdout;

    let verified = "1 users, 1 posts, 0 notifications, 1 inboxes and 2 acts verified";
    assert_eq!(without_mismatches, format!("{verified}: 0 mismatches\n"));
    assert!(
        with_mismatches.stdout.contains(&format!("posts {post}: hearts_count is 7, expected 1\n"))
    );
    assert!(with_mismatches.stdout.contains("users 1: followers_count is 3, expected 0\n"));
    assert!(with_mismatches.stdout.ends_with(&format!("{verified}: 2 mismatches\n")));
    assert!(repaired.stdout.ends_with("all mismatches repaired\n"), "{}", repaired.stdout);
    assert_eq!(after_repair, without_mismatches);
}

/// Each notification was one row less to check, and the acts were not asked.
#[tokio::test]
async fn verify_reports_notifications_that_were_deleted_by_hand() {
    let server = Setup::with_test_database().await.start().await;
    let client = server.client();
    let [ana, ben] = [client.sign_up("ana").await, client.sign_up("ben").await];
    let post = client.create_post(&ana, "For rain.").send().await.expect(201).id();
    client.post(&format!("/api/v1/posts/{post}/heart")).by(&ben).send().await.expect(201);
    let setup = server.setup();
    setup.run(&["verify"]).expect(0);
    setup.sql().await.run("DELETE FROM notifications WHERE user_id = 1").await;

    let missing = setup.run(&["verify"]).expect(1).stdout;
    let repaired = setup.run(&["verify", "--repair"]).expect(0).stdout;
    let after_repair = setup.run(&["verify"]).expect(0).stdout;

    let counts = ["unread_count", "total_count"];
    let counts = counts.map(|column| format!("inboxes 1: {column} is 1, expected 0\n")).concat();
    let act = format!("likes: like:post:{post} by user 2 has no notification for user 1\n");
    let verified = "2 users, 1 posts, 0 notifications, 2 inboxes and 2 acts verified";
    assert_eq!(missing, format!("{counts}{act}{verified}: 3 mismatches\n"));
    assert!(repaired.starts_with(&format!("{counts}{act}")), "{repaired}");
    assert_eq!(after_repair, format!("{verified}: 0 mismatches\n"));
}
