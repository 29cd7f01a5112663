//! `grateful user`.

use grateful_testkit::a_png;
use grateful_tests::{PASSWORD, Setup, json};

use super::backups::all_files;

#[tokio::test]
async fn accounts_are_listed_by_id_and_shown() {
    let server = Setup::with_test_database().await.start().await;
    let client = server.client();
    for name in ["Ana", "ben", "caro"] {
        client.sign_up(name).await;
    }
    let ben = client.log_in("ben", PASSWORD).send().await.expect(200).token();
    client.create_post(&ben, "For rain.").send().await.expect(201);

    let list = server.setup().run(&["user", "list", "--after", "1", "--count", "1"]).expect(0);
    let show = server.setup().run(&["user", "show", "BEN"]).expect(0);
    let unknown = server.setup().run(&["user", "show", "dora"]).expect(1);

    let fields: Vec<&str> = list.stdout.trim_end().split('\t').collect();
    assert_eq!(fields[..3], ["2", "ben", "ben@example.org"], "{}", list.stdout);
    for line in [
        "id: 2",
        "username: ben",
        "email: ben@example.org",
        "posts: 1",
        "followers: 0",
        "sessions: 2",
    ] {
        assert!(show.stdout.lines().any(|shown| shown == line), "{line}: {}", show.stdout);
    }
    assert_eq!(unknown.stderr, "grateful: User not found\n");
}

#[tokio::test]
async fn a_renamed_user_keeps_the_old_name_reserved() {
    let server = Setup::with_test_database().await.start().await;
    let (client, setup) = (server.client(), server.setup());
    let ana = client.sign_up("ana").await;
    client.sign_up("ben").await;

    let renamed = setup.run(&["user", "rename", "ana", "anna"]).expect(0);

    assert_eq!(renamed.stdout, "ana is anna now\n");
    assert_eq!(client.get_session(&ana).send().await.expect(200).data()["username"], "anna");
    let other = json!({"username": "ana", "email": "other@example.org", "password": PASSWORD});
    client.post("/api/v1/auth/signup").json(&other).send().await.expect(409);
    for (arguments, message) in [
        (["anna", "BEN"], "Username already taken"),
        (["anna", "a"], "the new username "),
        (["ana", "dora"], "User not found"),
    ] {
        let refused = setup.run(&["user", "rename", arguments[0], arguments[1]]).expect(1);
        assert!(refused.stderr.contains(message), "{message}: {}", refused.stderr);
    }
    setup.run(&["user", "rename", "anna", "ana"]).expect(0);
}

#[tokio::test]
async fn a_deleted_account_takes_its_notifications_and_files_with_it() {
    let server = Setup::with_test_database().await.start().await;
    let (client, setup) = (server.client(), server.setup());
    let [ana, ben] = [client.sign_up("ana").await, client.sign_up("ben").await];
    client.upload_photo(&ben, &a_png(50, 50)).send().await.expect(200);
    client.create_post_with_image(&ben, "Look!", &a_png(50, 50)).send().await.expect(201);
    let post = client.create_post(&ana, "For rain.").send().await.expect(201).id();
    client.post(&format!("/api/v1/posts/{post}/heart")).by(&ben).send().await.expect(201);
    assert_eq!(all_files(&setup.working_dir().uploads_dir()).len(), 5);
    let unread = async || {
        let summary = client.get("/api/v1/notifications/summary").by(&ana).send().await;
        summary.expect(200).json().to_string()
    };
    let before = unread().await;

    let unconfirmed = setup.run(&["user", "delete", "ben"]).expect(1);
    assert!(unconfirmed.stderr.contains("needs --yes"), "{}", unconfirmed.stderr);
    client.get_session(&ben).send().await.expect(200);
    let deleted = setup.run(&["user", "delete", "ben", "--yes"]).expect(0);

    assert_eq!(deleted.stdout, "ben is deleted\n");
    client.get_session(&ben).send().await.expect(401);
    assert_eq!(all_files(&setup.working_dir().uploads_dir()).len(), 0);
    assert_ne!(unread().await, before, "the notification of the heart is withdrawn");
    let sql = setup.sql().await;
    assert_eq!(sql.run("SELECT count(*) FROM background_jobs").await, "0", "nothing is left to do");
    assert_eq!(sql.run("SELECT count(*) FROM notifications").await, "0");
    setup.run(&["verify"]).expect(0);
}

#[tokio::test]
async fn user_password_reads_the_password_from_standard_input() {
    let server = Setup::with_test_database().await.start().await;
    server.client().sign_up("ana").await;

    server.setup().run_with_input(&["user", "password", "ana"], "a new password\n").expect(0);
    server.setup().run(&["user", "password", "ana", "as an argument"]).expect(2);

    server.client().log_in("ana", "a new password").send().await.expect(200);
}
