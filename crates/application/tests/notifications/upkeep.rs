//! How long things are kept.

use chrono::TimeDelta;
use grateful_application::housekeeping::{SweepReport, sweep};
use grateful_application::{QueryLog, notifications};
use grateful_domain::Emoji;
use grateful_testkit::TestApp;

use crate::support::{Stage, is_read, post_by};

/// What is swept where nothing is.
const NOTHING: SweepReport = SweepReport {
    sessions: 0,
    idempotency_keys: 0,
    stream_tickets: 0,
    withdrawn: 0,
    removals: 0,
    notifications: 0,
    requests: 0,
};

#[tokio::test]
async fn what_was_read_goes_after_ninety_days_with_all_that_it_gathers() {
    let stage = Stage::set().await;
    stage.heart(stage.ben).await;
    stage.heart(stage.caro).await;
    stage.link(stage.ben).await;
    stage.read_everything(stage.ana).await;
    stage.say(stage.ben, "So kind").await;

    stage.clock.advance(TimeDelta::days(90));
    let too_early = sweep(&stage.app).await.unwrap().notifications;
    stage.clock.advance(TimeDelta::seconds(1));
    let swept = sweep(&stage.app).await.unwrap().notifications;

    assert_eq!((too_early, swept), (0, 2));
    assert_eq!(stage.told(stage.ana).await, ["ben commented on your post: So kind"]);
    assert_eq!(stage.database.count("notifications").await, 1);
    stage.assert_sound().await;
}

#[tokio::test]
async fn what_has_changed_lately_stays_however_long_ago_it_began() {
    let stage = Stage::set().await;
    stage.heart(stage.ben).await;
    stage.clock.advance(TimeDelta::minutes(30));
    stage.heart(stage.caro).await;
    stage.read_everything(stage.ana).await;

    stage.clock.advance(TimeDelta::days(90) - TimeDelta::minutes(10));
    let swept = sweep(&stage.app).await.unwrap();

    assert_eq!(swept.notifications, 0);
    assert_eq!(stage.told(stage.ana).await, ["2 people engaged with your post"]);
}

#[tokio::test]
async fn how_long_is_a_matter_of_configuration() {
    let mut stage = Stage::set().await;
    stage.app.notification_retention = TimeDelta::hours(1);
    stage.heart(stage.ben).await;
    stage.read_everything(stage.ana).await;
    stage.clock.advance(TimeDelta::hours(2));

    let swept = sweep(&stage.app).await.unwrap();

    assert_eq!(swept, SweepReport { notifications: 1, ..NOTHING });
    assert!(stage.list(stage.ana).await.is_empty());
}

#[tokio::test]
async fn an_act_is_undone_in_peace_after_what_was_told_of_it_has_gone() {
    let stage = Stage::set().await;
    stage.heart(stage.ben).await;
    stage.react(stage.caro, Emoji::Hug).await;
    stage.read_everything(stage.ana).await;
    stage.clock.advance(TimeDelta::days(91));
    sweep(&stage.app).await.unwrap();

    stage.react(stage.caro, Emoji::Joy).await;
    stage.unreact(stage.caro).await;
    stage.unheart(stage.ben).await;
    assert!(stage.list(stage.ana).await.is_empty());
    stage.heart(stage.ben).await;

    assert!(!is_read(&stage.only(stage.ana).await));
    stage.assert_sound().await;
}

#[tokio::test]
async fn a_great_deal_goes_in_small_steps() {
    let stage = Stage::set().await;
    let post = post_by(&stage.database, stage.ana).await;
    stage
        .database
        .execute(&format!(
            "INSERT INTO users (email, username, hashed_password)
             SELECT 'p' || n || '@example.org', 'p' || n, 'x' FROM generate_series(1, 1201) n;
             INSERT INTO inboxes (user_id) SELECT id FROM users;
             INSERT INTO notifications
                 (id, user_id, actor_id, type, title, message, post_id, read, read_at, created_at, last_updated_at)
             SELECT gen_random_uuid(), id, {ben}, 'like', 'x', 'x', '{post}', true, at, at, at
             FROM users, (VALUES (timestamptz '2025-01-01')) AS long_ago (at) WHERE hashed_password = 'x'",
            ben = stage.ben,
        ))
        .await;

    let (swept, queries) = QueryLog::record(sweep(&stage.app)).await;

    assert_eq!(swept.unwrap().notifications, 1201);
    assert_eq!(stage.database.count("notifications").await, 0);
    // Five for the rest, three for a look at the removals, and as many for each step, of which the last finds nothing.
    assert_eq!(queries.total(), 5 + 3 + 4 * 3, "{queries:#?}");
}

#[tokio::test]
async fn what_was_withdrawn_or_left_a_list_is_forgotten_after_a_day() {
    let stage = Stage::set().await;
    stage.heart(stage.ben).await;
    stage.unheart(stage.ben).await;

    stage.clock.advance(TimeDelta::hours(24));
    let too_early = sweep(&stage.app).await.unwrap();
    stage.clock.advance(TimeDelta::seconds(1));
    let swept = sweep(&stage.app).await.unwrap();

    assert_eq!(too_early, NOTHING);
    assert_eq!(swept, SweepReport { withdrawn: 1, removals: 1, ..NOTHING });
    for table in ["withdrawn_notifications", "notification_removals"] {
        assert_eq!(stage.database.count(table).await, 0);
    }
}

#[tokio::test]
async fn several_nodes_sweep_at_once() {
    let stage = Stage::set().await;
    stage.heart(stage.ben).await;
    stage.link(stage.ben).await;
    stage.unheart(stage.ben).await;
    stage.read_everything(stage.ana).await;
    stage.clock.advance(TimeDelta::days(91));

    let (one, other) = tokio::join!(sweep(&stage.app), sweep(&stage.app));

    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!(one.notifications + other.notifications, 1);
    assert_eq!(one.removals + other.removals, 1);
}

#[tokio::test]
async fn a_ticket_that_nobody_used_is_swept_after_its_minute() {
    let stage = Stage::set().await;
    let (_, session) = crate::stream::signed_in(&stage).await;
    notifications::issue_ticket(&stage.app, &session).await.unwrap();
    stage.clock.advance(TimeDelta::seconds(59));
    let too_early = sweep(&stage.app).await.unwrap();
    stage.clock.advance(TimeDelta::seconds(1));

    let swept = sweep(&stage.app).await.unwrap();

    assert_eq!((too_early.stream_tickets, swept.stream_tickets), (0, 1));
}

#[tokio::test]
async fn sweeping_finds_nothing_where_there_is_nothing() {
    let TestApp { app, database: _test, .. } = TestApp::create().await;

    assert_eq!(sweep(&app).await.unwrap(), NOTHING);
}
