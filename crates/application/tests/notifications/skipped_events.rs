//! Events that create no notification (docs/rules.md#notifications).

use chrono::TimeDelta;
use grateful_application::{Error, accounts, hearts, posts};
use grateful_domain::{Emoji, PostEdit, UserId, Visibility};
use grateful_testkit::{NOON, Scenario, a_post};

use crate::support::insert_post;

#[tokio::test]
async fn own_acts_create_no_notification() {
    let scenario = Scenario::create().await;

    scenario.add_heart(scenario.ana).await;
    scenario.set_reaction(scenario.ana, Emoji::Hug).await;
    scenario.set_reaction(scenario.ana, Emoji::Joy).await;
    scenario.share_link(scenario.ana).await;
    let comment = scenario.comment(scenario.ana, "Thank you").await;
    scenario.reply(scenario.ana, comment, "All of you").await;
    assert!(scenario.list(scenario.ana).await.is_empty());
    scenario.remove_heart(scenario.ana).await;
    scenario.remove_reaction(scenario.ana).await;

    assert!(scenario.list(scenario.ana).await.is_empty());
    assert_eq!(scenario.database.count("notifications").await, 0);
}

#[tokio::test]
async fn a_reply_to_oneself_notifies_only_the_author_of_the_post() {
    let scenario = Scenario::create().await;
    let comment = scenario.comment(scenario.ben, "So kind").await;
    scenario.clock.advance(TimeDelta::seconds(1));

    scenario.reply(scenario.ben, comment, "So very kind").await;

    assert!(scenario.list(scenario.ben).await.is_empty());
    let expected = "ben commented on your post: So very kind (2 times)";
    assert_eq!(scenario.messages(scenario.ana).await, [expected]);
}

#[tokio::test]
async fn muted_types_create_no_notification() {
    let muting = |types: &str| format!(r#"{{"notifications": {{{types}}}}}"#);
    for (preferences, expected) in [
        (muting(r#""like": false"#), ["comment", "emoji_reaction", "post_shared"].as_slice()),
        (muting(r#""emoji_reaction": false"#), &["comment", "like", "post_shared"]),
        (muting(r#""post_shared": false"#), &["comment", "post_interaction"]),
        (muting(r#""comment": false, "like": true"#), &["post_interaction", "post_shared"]),
        (muting(r#""like": false, "emoji_reaction": false, "comment": false"#), &["post_shared"]),
        // Only the value `false` mutes a type.
        (
            muting(r#""like": "false", "comment": null"#),
            &["comment", "post_interaction", "post_shared"],
        ),
        (r#"{"notifications": []}"#.to_owned(), &["comment", "post_interaction", "post_shared"]),
        (r#"{"notifications": false}"#.to_owned(), &["comment", "post_interaction", "post_shared"]),
        ("{}".to_owned(), &["comment", "post_interaction", "post_shared"]),
    ] {
        let scenario = Scenario::create().await;
        set_preferences(&scenario, scenario.ana, &preferences).await;

        scenario.add_heart(scenario.ben).await;
        scenario.set_reaction(scenario.ben, Emoji::Hug).await;
        scenario.share_link(scenario.ben).await;
        scenario.comment(scenario.ben, "So kind").await;

        let list = scenario.list(scenario.ana).await;
        let mut kinds: Vec<_> = list.iter().map(|item| item.notification.kind.code()).collect();
        kinds.sort_unstable();
        assert_eq!(kinds, expected, "{preferences}");
        // Undoing an act that has no notification also succeeds.
        scenario.set_reaction(scenario.ben, Emoji::Joy).await;
        scenario.remove_heart(scenario.ben).await;
        scenario.remove_reaction(scenario.ben).await;
        scenario.assert_consistent().await;
    }
}

#[tokio::test]
async fn a_recipient_who_muted_shares_is_skipped_and_the_other_is_notified() {
    let scenario = Scenario::create().await;
    set_preferences(&scenario, scenario.ana, r#"{"notifications": {"post_shared": false}}"#).await;

    scenario.send_message(scenario.ben, &[scenario.ana, scenario.caro]).await;

    assert!(scenario.list(scenario.ana).await.is_empty());
    assert_eq!(scenario.messages(scenario.caro).await, ["ben sent you a post"]);
}

#[tokio::test]
async fn undoing_an_act_withdraws_its_notification_even_if_the_type_is_muted_now() {
    let scenario = Scenario::create().await;
    scenario.add_heart(scenario.ben).await;
    scenario.add_heart(scenario.caro).await;
    set_preferences(&scenario, scenario.ana, r#"{"notifications": {"like": false}}"#).await;

    scenario.remove_heart(scenario.ben).await;
    assert_eq!(scenario.messages(scenario.ana).await, ["caro liked your post"]);
    scenario.add_heart(scenario.ben).await;

    assert_eq!(scenario.messages(scenario.ana).await, ["caro liked your post"]);
}

#[tokio::test]
async fn replies_on_a_hidden_post_create_no_notification() {
    let scenario = Scenario::create().await;
    let comment = scenario.comment(scenario.ben, "So kind").await;
    let edit = PostEdit { visibility: Some(Visibility::Private), ..PostEdit::default() };
    posts::update(&scenario.app, scenario.ana, scenario.post.id, edit, |_| true).await.unwrap();

    scenario.reply(scenario.ana, comment, "I know").await;

    assert!(scenario.list(scenario.ben).await.is_empty());
}

#[tokio::test]
async fn acts_on_a_private_post_create_no_notification() {
    let scenario = Scenario::create().await;
    let private = a_post().by(scenario.ana).private().insert_into(&scenario.database).await.id;

    hearts::add(&scenario.app, scenario.ana, private).await.unwrap();
    let by_stranger = hearts::add(&scenario.app, scenario.ben, private).await;

    assert!(matches!(by_stranger, Err(Error::NotFound { .. })), "{by_stranger:?}");
    assert_eq!(scenario.database.count("notifications").await, 0);
}

#[tokio::test]
async fn a_deleted_account_neither_gets_nor_causes_notifications() {
    let scenario = Scenario::create().await;
    scenario.add_heart(scenario.ben).await;
    accounts::delete(&scenario.app, scenario.ben).await.unwrap();
    scenario.clock.advance(TimeDelta::minutes(1));

    let result = hearts::add(
        &scenario.app,
        scenario.ben,
        insert_post(&scenario.database, scenario.ana).await,
    )
    .await;

    assert!(matches!(result, Err(Error::Unauthenticated(_))), "{result:?}");
    assert!(scenario.list(scenario.ana).await.is_empty());
    assert_eq!(
        scenario.database.count(&format!("notifications WHERE created_at > '{NOON}'")).await,
        0
    );
}

async fn set_preferences(scenario: &Scenario, user: UserId, preferences: &str) {
    let sql = format!("UPDATE users SET profile_preferences = '{preferences}' WHERE id = {user}");
    scenario.database.execute(&sql).await;
}
