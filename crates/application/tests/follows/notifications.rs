//! What people are told of who follows them, asks them, and accepts them.

use grateful_application::{Error, follows, notifications};
use grateful_domain::notification::{Priority, RenderedNotification};
use grateful_testkit::create_user;
use serde_json::{Value, json};

use crate::support::Stage;

#[tokio::test]
async fn a_follow_tells_the_followed() {
    let stage = Stage::set().await;

    stage.follow(stage.ben, stage.ana).await;

    let told = only(stage.list(stage.ana).await);
    assert_says(&told, "follow", "New Follower", "ben started following you");
    let expected = json!({
        "actor_user_id": stage.ben.to_string(),
        "actor_username": "ben",
        "follower_id": i64::from(stage.ben),
        "follower_username": "ben",
    });
    assert_eq!(data(&told), expected);
    assert_eq!(told.notification.priority, Priority::Normal);
    assert_eq!(stage.told(stage.ben).await, [""; 0]);
}

#[tokio::test]
async fn a_request_tells_whoever_is_asked() {
    let stage = Stage::set().await;

    stage.follow(stage.ben, stage.sue).await;

    let told = only(stage.list(stage.sue).await);
    assert_says(&told, "follow_request", "Follow Request", "ben wants to follow you");
    assert_eq!(told.notification.priority, Priority::High);
    assert_eq!(stage.told(stage.ben).await, [""; 0]);
}

#[tokio::test]
async fn an_acceptance_tells_the_follower_only_and_takes_the_request_back() {
    let stage = Stage::set().await;
    stage.follow(stage.ben, stage.sue).await;

    follows::accept_request(&stage.app, stage.sue, stage.ben).await.unwrap();

    let told = only(stage.list(stage.ben).await);
    let message = "sue accepted your follow request";
    assert_says(&told, "follow_accepted", "Request Accepted", message);
    assert_eq!(stage.told(stage.sue).await, [""; 0]);
    assert_eq!(unread(&stage, stage.sue).await, 0);
    stage.assert_sound().await;
}

#[tokio::test]
async fn a_refusal_takes_the_request_back_and_tells_nobody() {
    let stage = Stage::set().await;
    stage.follow(stage.ben, stage.sue).await;

    follows::decline_request(&stage.app, stage.sue, stage.ben).await.unwrap();

    assert_eq!(stage.told(stage.sue).await, [""; 0]);
    assert_eq!(stage.told(stage.ben).await, [""; 0]);
    stage.assert_sound().await;
}

#[tokio::test]
async fn an_unfollow_takes_back_what_was_told() {
    let stage = Stage::set().await;
    stage.follow(stage.ben, stage.ana).await;
    stage.follow(stage.ben, stage.sue).await;
    stage.follow(stage.caro, stage.sue).await;
    follows::accept_request(&stage.app, stage.sue, stage.caro).await.unwrap();

    stage.unfollow(stage.ben, stage.ana).await;
    stage.unfollow(stage.ben, stage.sue).await;
    stage.unfollow(stage.caro, stage.sue).await;

    for person in [stage.ana, stage.sue, stage.caro] {
        assert_eq!(stage.told(person).await, [""; 0]);
        assert_eq!(unread(&stage, person).await, 0);
    }
    stage.assert_sound().await;
}

#[tokio::test]
async fn a_follow_that_is_undone_and_repeated_within_a_day_is_no_news() {
    let stage = Stage::set().await;
    stage.follow(stage.ben, stage.ana).await;
    let told = stage.list(stage.ana).await;
    notifications::mark_all_read(&stage.app, stage.ana).await.unwrap();

    for _ in 0..3 {
        stage.a_minute_later();
        stage.unfollow(stage.ben, stage.ana).await;
        stage.a_minute_later();
        stage.follow(stage.ben, stage.ana).await;
    }

    let again = only(stage.list(stage.ana).await);
    assert_eq!(again.notification.created_at, told[0].notification.created_at);
    assert_eq!(unread(&stage, stage.ana).await, 0);
    stage.assert_sound().await;
}

#[tokio::test]
async fn ten_followers_are_told_at_once_and_the_next_ones_anew() {
    let stage = Stage::set().await;
    for _ in 0..10 {
        stage.follow(create_user(&stage.database).await, stage.ana).await;
        stage.a_minute_later();
    }

    assert_eq!(stage.told(stage.ana).await, ["10 people started following you"]);

    stage.follow(stage.ben, stage.ana).await;
    stage.a_minute_later();
    let expected = ["ben started following you", "10 people started following you"];
    assert_eq!(stage.told(stage.ana).await, expected);

    stage.follow(stage.caro, stage.ana).await;
    let expected = ["2 people started following you", "10 people started following you"];
    assert_eq!(stage.told(stage.ana).await, expected);
    assert_eq!(unread(&stage, stage.ana).await, 2);
    stage.assert_sound().await;
}

#[tokio::test]
async fn a_follower_who_leaves_leaves_the_batch() {
    let stage = Stage::set().await;
    stage.follow(stage.ben, stage.ana).await;
    stage.follow(stage.caro, stage.ana).await;
    assert_eq!(stage.told(stage.ana).await, ["2 people started following you"]);

    stage.unfollow(stage.caro, stage.ana).await;

    assert_eq!(stage.told(stage.ana).await, ["ben started following you"]);
    stage.unfollow(stage.ben, stage.ana).await;
    assert_eq!(stage.told(stage.ana).await, [""; 0]);
    stage.assert_sound().await;
}

#[tokio::test]
async fn requests_are_told_one_by_one() {
    let stage = Stage::set().await;

    stage.follow(stage.ben, stage.sue).await;
    stage.a_minute_later();
    stage.follow(stage.caro, stage.sue).await;

    let expected = ["caro wants to follow you", "ben wants to follow you"];
    assert_eq!(stage.told(stage.sue).await, expected);
}

#[tokio::test]
async fn who_does_not_want_to_know_of_followers_is_not_told() {
    let stage = Stage::set().await;
    let off = r#"'{"notifications": {"follow": false}}'"#;
    let sql = format!("UPDATE users SET profile_preferences = {off} WHERE id = {}", stage.ana);
    stage.database.execute(&sql).await;

    stage.follow(stage.ben, stage.ana).await;

    assert_eq!(stage.told(stage.ana).await, [""; 0]);
    stage.assert_sound().await;
}

#[tokio::test]
async fn an_act_that_is_refused_tells_nobody_anew() {
    let stage = Stage::set().await;
    stage.follow(stage.ben, stage.ana).await;
    let before = stage.list(stage.ana).await;
    stage.a_minute_later();

    let again = follows::follow(&stage.app, stage.ben, stage.ana).await;
    let unasked = follows::accept_request(&stage.app, stage.ana, stage.ben).await;

    assert!(matches!(again, Err(Error::AlreadyExists { .. })), "{again:?}");
    assert!(matches!(unasked, Err(Error::NotFound { .. })), "{unasked:?}");
    assert_eq!(stage.list(stage.ana).await, before);
    assert_eq!(stage.told(stage.ben).await, [""; 0]);
}

#[tokio::test]
async fn a_follow_does_not_happen_where_nobody_can_be_told() {
    let stage = Stage::set().await;
    stage.database.execute("ALTER TABLE notifications ADD CONSTRAINT never CHECK (false)").await;

    let refused = follows::follow(&stage.app, stage.ben, stage.ana).await;

    assert!(matches!(refused, Err(Error::Internal(_))), "{refused:?}");
    assert_eq!(stage.database.count("follows").await, 0);
    assert_eq!(stage.database.count("users WHERE followers_count + following_count > 0").await, 0);
}

async fn unread(stage: &Stage, user: grateful_domain::UserId) -> i64 {
    notifications::count(&stage.app, user).await.unwrap().unread
}

#[track_caller]
fn only(list: Vec<RenderedNotification>) -> RenderedNotification {
    let [only] = list.try_into().unwrap();
    only
}

#[track_caller]
fn assert_says(told: &RenderedNotification, kind: &str, title: &str, message: &str) {
    let it = &told.notification;
    let said = (it.kind.code(), it.text.title.as_str(), it.text.message.as_str());
    assert_eq!(said, (kind, title, message));
    assert_eq!(it.read_at, None);
}

fn data(told: &RenderedNotification) -> Value {
    Value::Object(told.notification.data.clone())
}
