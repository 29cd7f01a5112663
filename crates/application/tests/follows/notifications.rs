//! Notifications of follows, follow requests and acceptances (docs/rules.md#notifications).

use grateful_application::{Error, follows, notifications};
use grateful_domain::notification::{Priority, RenderedNotification};
use grateful_testkit::Scenario;

#[tokio::test]
async fn a_follow_notifies_the_followed_user() {
    let scenario = Scenario::create().await;

    scenario.follow(scenario.ben, scenario.ana).await;

    let rendered = only_notification(scenario.list(scenario.ana).await);
    assert_unread_notification(&rendered, "follow", "New Follower", "ben started following you");
    assert_eq!(rendered.notification.subject.priority, Priority::Normal);
    assert_eq!(scenario.messages(scenario.ben).await, [""; 0]);
}

#[tokio::test]
async fn a_follow_request_notifies_the_requested_user() {
    let scenario = Scenario::create().await;

    scenario.follow(scenario.ben, scenario.sue).await;

    let rendered = only_notification(scenario.list(scenario.sue).await);
    assert_unread_notification(
        &rendered,
        "follow_request",
        "Follow Request",
        "ben wants to follow you",
    );
    assert_eq!(rendered.notification.subject.priority, Priority::High);
    assert_eq!(scenario.messages(scenario.ben).await, [""; 0]);
}

#[tokio::test]
async fn accepting_a_request_notifies_only_the_follower_and_withdraws_the_request() {
    let scenario = Scenario::create().await;
    scenario.follow(scenario.ben, scenario.sue).await;

    follows::accept_request(&scenario.app, scenario.sue, scenario.ben).await.unwrap();

    let rendered = only_notification(scenario.list(scenario.ben).await);
    let message = "sue accepted your follow request";
    assert_unread_notification(&rendered, "follow_accepted", "Request Accepted", message);
    assert_eq!(scenario.messages(scenario.sue).await, [""; 0]);
    assert_eq!(unread_count(&scenario, scenario.sue).await, 0);
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn declining_a_request_withdraws_it_and_sends_no_notification() {
    let scenario = Scenario::create().await;
    scenario.follow(scenario.ben, scenario.sue).await;

    follows::decline_request(&scenario.app, scenario.sue, scenario.ben).await.unwrap();

    assert_eq!(scenario.messages(scenario.sue).await, [""; 0]);
    assert_eq!(scenario.messages(scenario.ben).await, [""; 0]);
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn unfollowing_withdraws_the_notification() {
    let scenario = Scenario::create().await;
    scenario.follow(scenario.ben, scenario.ana).await;
    scenario.follow(scenario.ben, scenario.sue).await;
    scenario.follow(scenario.caro, scenario.sue).await;
    follows::accept_request(&scenario.app, scenario.sue, scenario.caro).await.unwrap();

    scenario.unfollow(scenario.ben, scenario.ana).await;
    scenario.unfollow(scenario.ben, scenario.sue).await;
    scenario.unfollow(scenario.caro, scenario.sue).await;

    for user in [scenario.ana, scenario.sue, scenario.caro] {
        assert_eq!(scenario.messages(user).await, [""; 0]);
        assert_eq!(unread_count(&scenario, user).await, 0);
    }
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn a_rejected_act_sends_no_notification() {
    let scenario = Scenario::create().await;
    scenario.follow(scenario.ben, scenario.ana).await;
    let before = scenario.list(scenario.ana).await;
    scenario.advance_a_minute();

    let again = follows::follow(&scenario.app, scenario.ben, scenario.ana).await;
    let without_request = follows::accept_request(&scenario.app, scenario.ana, scenario.ben).await;

    assert!(matches!(again, Err(Error::AlreadyExists { .. })), "{again:?}");
    assert!(matches!(without_request, Err(Error::NotFound { .. })), "{without_request:?}");
    assert_eq!(scenario.list(scenario.ana).await, before);
    assert_eq!(scenario.messages(scenario.ben).await, [""; 0]);
}

#[tokio::test]
async fn a_follow_fails_when_its_notification_cannot_be_stored() {
    let scenario = Scenario::create().await;
    scenario.database.execute("ALTER TABLE notifications ADD CONSTRAINT never CHECK (false)").await;

    let result = follows::follow(&scenario.app, scenario.ben, scenario.ana).await;

    assert!(matches!(result, Err(Error::Internal(_))), "{result:?}");
    assert_eq!(scenario.database.count("follows").await, 0);
    assert_eq!(
        scenario.database.count("users WHERE followers_count + following_count > 0").await,
        0
    );
}

async fn unread_count(scenario: &Scenario, user: grateful_domain::UserId) -> i64 {
    notifications::count(&scenario.app, user).await.unwrap().unread
}

#[track_caller]
fn only_notification(list: Vec<RenderedNotification>) -> RenderedNotification {
    let [rendered] = list.try_into().unwrap();
    rendered
}

#[track_caller]
fn assert_unread_notification(
    rendered: &RenderedNotification,
    kind: &str,
    title: &str,
    message: &str,
) {
    let notification = &rendered.notification;
    let text = &rendered.text;
    let actual = (notification.kind.code(), text.title.as_str(), text.message.as_str());
    assert_eq!(actual, (kind, title, message));
    assert_eq!(notification.read_at, None);
}
