//! How long notifications and related rows are kept.

use chrono::TimeDelta;
use grateful_application::housekeeping::{SweepReport, sweep};
use grateful_application::{QueryLog, notifications};
use grateful_domain::Emoji;
use grateful_testkit::{Scenario, TestApp};

use crate::support::{insert_post, is_read};

/// The report of a sweep that deletes nothing.
const NOTHING: SweepReport = SweepReport {
    sessions: 0,
    idempotency_keys: 0,
    stream_tickets: 0,
    failed_logins: 0,
    locations: 0,
    usernames: 0,
    withdrawn: 0,
    suppressed: 0,
    removals: 0,
    notifications: 0,
    unread_notifications: 0,
    requests: 0,
};

#[tokio::test]
async fn read_notifications_are_deleted_after_90_days_with_their_children() {
    let scenario = Scenario::create().await;
    scenario.add_heart(scenario.ben).await;
    scenario.add_heart(scenario.caro).await;
    scenario.share_link(scenario.ben).await;
    scenario.mark_all_read(scenario.ana).await;
    scenario.comment(scenario.ben, "So kind").await;

    scenario.clock.advance(TimeDelta::days(90));
    let too_early = sweep(&scenario.app).await.unwrap().notifications;
    scenario.clock.advance(TimeDelta::seconds(1));
    let swept = sweep(&scenario.app).await.unwrap().notifications;

    assert_eq!((too_early, swept), (0, 2));
    assert_eq!(scenario.messages(scenario.ana).await, ["ben commented on your post: So kind"]);
    assert_eq!(scenario.database.count("notifications").await, 1);
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn unread_notifications_are_deleted_after_365_days_with_their_children() {
    let scenario = Scenario::create().await;
    scenario.add_heart(scenario.ben).await;
    scenario.add_heart(scenario.caro).await;
    scenario.advance_a_minute();
    scenario.comment(scenario.ben, "So kind").await;

    scenario.clock.advance(TimeDelta::days(365) - TimeDelta::minutes(1));
    let too_early = sweep(&scenario.app).await.unwrap().unread_notifications;
    scenario.clock.advance(TimeDelta::seconds(1));
    let swept = sweep(&scenario.app).await.unwrap().unread_notifications;

    assert_eq!((too_early, swept), (0, 1));
    assert_eq!(scenario.messages(scenario.ana).await, ["ben commented on your post: So kind"]);
    assert_eq!(scenario.database.count("notifications").await, 1);
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn many_unread_notifications_of_many_users_are_deleted_in_batches() {
    let mut scenario = Scenario::create().await;
    scenario.app.unread_retention = TimeDelta::days(2);
    let post = insert_post(&scenario.database, scenario.ana).await;
    scenario
        .database
        .execute(&format!(
            "INSERT INTO users (email, username, hashed_password)
             SELECT 'p' || n || '@example.org', 'p' || n, 'x' FROM generate_series(1, 1201) n;
             INSERT INTO notifications (id, user_id, actor_id, type, post_id, created_at, last_updated_at)
             SELECT gen_random_uuid(), id, {ben}, 'like', '{post}', at, at
             FROM users, (VALUES (timestamptz '2025-01-01'), ('2025-01-02'), ('2999-01-01')) AS times (at)
             WHERE hashed_password = 'x'",
            ben = scenario.ben,
        ))
        .await;
    scenario.database.recount_inboxes().await;

    assert_eq!(sweep(&scenario.app).await.unwrap().unread_notifications, 2_402);

    assert_eq!(scenario.database.count("notifications").await, 1_201);
    let counted = "inboxes WHERE unread_count = 1 AND total_count = 1";
    assert_eq!(scenario.database.count(counted).await, 1_201);
}

#[tokio::test]
async fn retention_starts_at_the_last_update() {
    let scenario = Scenario::create().await;
    scenario.add_heart(scenario.ben).await;
    scenario.clock.advance(TimeDelta::minutes(30));
    scenario.add_heart(scenario.caro).await;
    scenario.mark_all_read(scenario.ana).await;

    scenario.clock.advance(TimeDelta::days(90) - TimeDelta::minutes(10));
    let swept = sweep(&scenario.app).await.unwrap();

    assert_eq!(swept.notifications, 0);
    assert_eq!(scenario.messages(scenario.ana).await, ["2 people engaged with your post"]);
}

#[tokio::test]
async fn retention_is_configurable() {
    let mut scenario = Scenario::create().await;
    scenario.app.notification_retention = TimeDelta::hours(1);
    scenario.add_heart(scenario.ben).await;
    scenario.mark_all_read(scenario.ana).await;
    scenario.clock.advance(TimeDelta::hours(2));

    let swept = sweep(&scenario.app).await.unwrap();

    assert_eq!(swept, SweepReport { notifications: 1, ..NOTHING });
    assert!(scenario.list(scenario.ana).await.is_empty());
}

#[tokio::test]
async fn an_act_can_be_undone_after_its_notification_was_deleted() {
    let scenario = Scenario::create().await;
    scenario.add_heart(scenario.ben).await;
    scenario.set_reaction(scenario.caro, Emoji::Hug).await;
    scenario.mark_all_read(scenario.ana).await;
    scenario.clock.advance(TimeDelta::days(91));
    sweep(&scenario.app).await.unwrap();

    scenario.set_reaction(scenario.caro, Emoji::Joy).await;
    scenario.remove_reaction(scenario.caro).await;
    scenario.remove_heart(scenario.ben).await;
    assert!(scenario.list(scenario.ana).await.is_empty());
    scenario.add_heart(scenario.ben).await;

    assert!(!is_read(&scenario.only_notification(scenario.ana).await));
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn many_notifications_are_deleted_in_batches() {
    let scenario = Scenario::create().await;
    let post = insert_post(&scenario.database, scenario.ana).await;
    scenario
        .database
        .execute(&format!(
            "INSERT INTO users (email, username, hashed_password)
             SELECT 'p' || n || '@example.org', 'p' || n, 'x' FROM generate_series(1, 1201) n;
             INSERT INTO inboxes (user_id) SELECT id FROM users;
             INSERT INTO notifications
                 (id, user_id, actor_id, type, title, message, post_id, read, read_at, created_at, last_updated_at)
             SELECT gen_random_uuid(), id, {ben}, 'like', 'x', 'x', '{post}', true, at, at, at
             FROM users, (VALUES (timestamptz '2025-01-01')) AS long_ago (at) WHERE hashed_password = 'x'",
            ben = scenario.ben,
        ))
        .await;

    let (swept, queries) = QueryLog::record(sweep(&scenario.app)).await;

    assert_eq!(swept.unwrap().notifications, 1201);
    assert_eq!(scenario.database.count("notifications").await, 0);
    // Each step is its lock, BEGIN, COMMIT and a statement: an empty one for each of ten other kinds, four of notifications (the
    // last one is empty), and one to find that no inbox has unread ones. And one statement looks for waiting follow requests.
    assert_eq!(queries.total(), 10 * 4 + 4 * 4 + 4 + 1, "{queries:#?}");
}

#[tokio::test]
async fn withdrawals_and_removals_are_deleted_after_a_day() {
    let scenario = Scenario::create().await;
    scenario.add_heart(scenario.ben).await;
    scenario.remove_heart(scenario.ben).await;

    scenario.clock.advance(TimeDelta::hours(24));
    let too_early = sweep(&scenario.app).await.unwrap();
    scenario.clock.advance(TimeDelta::seconds(1));
    let swept = sweep(&scenario.app).await.unwrap();

    assert_eq!(too_early, NOTHING);
    assert_eq!(swept, SweepReport { withdrawn: 1, removals: 1, ..NOTHING });
    for table in ["withdrawn_notifications", "notification_removals"] {
        assert_eq!(scenario.database.count(table).await, 0);
    }
}

#[tokio::test]
async fn several_nodes_can_sweep_at_the_same_time() {
    let scenario = Scenario::create().await;
    scenario.add_heart(scenario.ben).await;
    scenario.share_link(scenario.ben).await;
    scenario.remove_heart(scenario.ben).await;
    scenario.mark_all_read(scenario.ana).await;
    scenario.clock.advance(TimeDelta::days(91));

    let (one, other) = tokio::join!(sweep(&scenario.app), sweep(&scenario.app));

    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!(one.notifications + other.notifications, 1);
    assert_eq!(one.removals + other.removals, 1);
}

#[tokio::test]
async fn an_unused_ticket_is_deleted_after_a_minute() {
    let scenario = Scenario::create().await;
    let (_, session) = crate::stream::log_in_ana(&scenario).await;
    notifications::issue_ticket(&scenario.app, &session).await.unwrap();
    scenario.clock.advance(TimeDelta::seconds(59));
    let too_early = sweep(&scenario.app).await.unwrap();
    scenario.clock.advance(TimeDelta::seconds(1));

    let swept = sweep(&scenario.app).await.unwrap();

    assert_eq!((too_early.stream_tickets, swept.stream_tickets), (0, 1));
}

#[tokio::test]
async fn sweeping_an_empty_database_deletes_nothing() {
    let TestApp { app, .. } = TestApp::create().await;

    assert_eq!(sweep(&app).await.unwrap(), NOTHING);
}
