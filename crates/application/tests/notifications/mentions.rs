//! Mentions in posts and comments (docs/rules.md#mentions).

/// Mentions in comments.
mod comments;
/// Mentions that an edit of a post adds or removes.
mod edits;

use chrono::TimeDelta;
use grateful_application::posts;
use grateful_domain::notification::Priority;
use grateful_domain::{Draft, PostId, UserId, Visibility};
use grateful_testkit::{
    Scenario, a_user, block, commit_once_blocking, create_post, create_user_named, draft,
};

use crate::support::is_read;

const NO_MESSAGES: [&str; 0] = [];

#[tokio::test]
async fn a_post_notifies_mentioned_users_with_a_preview() {
    let scenario = Scenario::create().await;

    let post = create_public_post(
        &scenario,
        scenario.ana,
        "For @ben and @CARO: you waited with me in the rain, an hour long",
    )
    .await;

    for mentioned in [scenario.ben, scenario.caro] {
        let rendered = scenario.only_notification(mentioned).await;
        let notification = &rendered.notification;
        let expected =
            "ana mentioned you in a post: For @ben and @CARO: you waited with me in the rain…";
        assert_eq!(
            (rendered.text.title.as_str(), rendered.text.message.as_str()),
            ("You were mentioned", expected)
        );
        assert_eq!(
            (notification.kind.code(), notification.subject.priority),
            ("mention", Priority::High)
        );
        assert_eq!((notification.subject.post, notification.subject.comment), (Some(post), None));
        assert!(!is_read(&rendered));
    }
    assert_eq!(scenario.messages(scenario.ana).await, NO_MESSAGES);
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn text_that_is_no_mention_notifies_no_user_and_repeated_mentions_notify_once() {
    let scenario = Scenario::create().await;

    for text in ["ben@caro.org", "@benn", "@unknown", "@@ben", "@ana", "/@ben", "@bé"] {
        create_public_post(&scenario, scenario.ana, text).await;
    }
    assert_eq!(scenario.database.count("notifications").await, 0);
    create_public_post(&scenario, scenario.ana, "@ben. @Ben, (@BEN) @ben- @unknown").await;

    assert_eq!(scenario.counts(scenario.ben).await, (1, 1));
    assert_eq!(scenario.database.count("notifications").await, 1);
}

#[tokio::test]
async fn an_underscore_in_a_mention_is_no_wildcard() {
    let scenario = Scenario::create().await;
    let mentioned = create_user_named(&scenario.database, "a_b").await;
    let other = create_user_named(&scenario.database, "axb").await;

    create_public_post(&scenario, scenario.ana, "Thank you @A_B").await;

    assert_eq!(scenario.counts(mentioned).await, (1, 1));
    assert_eq!(scenario.messages(other).await, NO_MESSAGES);
}

#[tokio::test]
async fn a_private_post_notifies_no_mentioned_user() {
    let scenario = Scenario::create().await;

    let private = Draft { visibility: Visibility::Private, ..draft("For @ben") };
    create_post(&scenario.app, scenario.ana, private, None).await.unwrap();

    assert_eq!(scenario.messages(scenario.ben).await, NO_MESSAGES);
}

#[tokio::test]
async fn mentions_across_a_block_in_either_direction_notify_no_user() {
    let scenario = Scenario::create().await;
    block(&scenario.database, scenario.ana, scenario.ben).await;
    block(&scenario.database, scenario.caro, scenario.ana).await;
    let dan = create_user_named(&scenario.database, "dan").await;

    create_public_post(&scenario, scenario.ana, "For @ben, @caro and @dan").await;

    assert_eq!(scenario.messages(scenario.ben).await, NO_MESSAGES);
    assert_eq!(scenario.messages(scenario.caro).await, NO_MESSAGES);
    assert_eq!(scenario.counts(dan).await, (1, 1));
}

#[tokio::test]
async fn a_mention_across_a_block_in_flight_notifies_no_user() {
    let scenario = Scenario::create().await;
    let block = format!(
        "SELECT FROM users WHERE id IN ({ana}, {ben}) ORDER BY id FOR UPDATE;
         INSERT INTO follows (id, follower_id, followed_id, status)
         VALUES (gen_random_uuid(), {ana}, {ben}, 'blocked')",
        ana = scenario.ana,
        ben = scenario.ben,
    );
    let block = scenario.database.begin(&block).await;

    let post = create_public_post(&scenario, scenario.ana, "For @ben and @caro");
    tokio::join!(post, commit_once_blocking(&scenario.database, block, 1));

    assert_eq!(scenario.messages(scenario.ben).await, NO_MESSAGES);
    assert_eq!(scenario.counts(scenario.caro).await, (1, 1));
}

#[tokio::test]
async fn a_user_who_muted_mentions_is_skipped_and_the_other_is_notified() {
    let scenario = Scenario::create().await;
    let sql = r#"UPDATE users SET profile_preferences = '{"notifications": {"mention": false}}'"#;
    scenario.database.execute(&format!("{sql} WHERE id = {}", scenario.ben)).await;

    create_public_post(&scenario, scenario.ana, "For @ben and @caro").await;

    assert_eq!(scenario.messages(scenario.ben).await, NO_MESSAGES);
    assert_eq!(scenario.counts(scenario.caro).await, (1, 1));
}

#[tokio::test]
async fn a_post_mentions_at_most_50_users() {
    let scenario = Scenario::create().await;
    for number in 100..151 {
        a_user().with_username(&format!("p{number}")).insert_into(&scenario.database).await;
    }
    let text = (100..151).map(|number| format!("@p{number}")).collect::<Vec<_>>().join(" ");

    create_public_post(&scenario, scenario.ana, &text).await;

    assert_eq!(scenario.database.count("notifications").await, 50);
    let last = "notifications JOIN users ON users.id = user_id WHERE username = 'p150'";
    assert_eq!(scenario.database.count(last).await, 0);
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn deleting_a_post_withdraws_its_mentions() {
    let scenario = Scenario::create().await;
    let post = create_public_post(&scenario, scenario.ana, "For @ben and @caro").await;
    let other = create_public_post(&scenario, scenario.ana, "For @ben, too").await;
    scenario.comment_on(post, scenario.caro, "Like @ben").await;

    posts::delete(&scenario.app, scenario.ana, post, |_| true).await.unwrap();

    assert_eq!(
        scenario.only_notification(scenario.ben).await.notification.subject.post,
        Some(other)
    );
    assert_eq!(scenario.messages(scenario.caro).await, NO_MESSAGES);
    assert_eq!(scenario.database.count("notifications").await, 1);
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn deleting_an_account_withdraws_its_mentions() {
    let scenario = Scenario::create().await;
    create_public_post(&scenario, scenario.ana, "For @ben").await;
    scenario.comment(scenario.ana, "Like @caro").await;

    grateful_application::accounts::delete(&scenario.app, scenario.ana).await.unwrap();

    assert_eq!(scenario.database.count("notifications").await, 0);
}

#[tokio::test]
async fn users_who_mention_each_other_concurrently_are_all_notified() {
    let scenario = Scenario::create().await;

    for _ in 0..10 {
        tokio::join!(
            create_public_post(&scenario, scenario.ana, "For @ben and @caro"),
            create_public_post(&scenario, scenario.ben, "For @caro and @ana"),
            create_public_post(&scenario, scenario.caro, "For @ana and @ben"),
        );
        // Each pair is below the hourly limit of mentions by one user.
        scenario.clock.advance(TimeDelta::hours(1));
    }

    for mentioned in [scenario.ana, scenario.ben, scenario.caro] {
        assert_eq!(scenario.counts(mentioned).await, (20, 20));
    }
}

/// Creates a public post.
async fn create_public_post(scenario: &Scenario, author: UserId, text: &str) -> PostId {
    create_post(&scenario.app, author, draft(text), None).await.unwrap()
}
