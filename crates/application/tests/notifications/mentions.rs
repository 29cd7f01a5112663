//! Whom posts and comments name.

mod comments;
mod edits;

use chrono::TimeDelta;
use grateful_application::notifications::mark_read;
use grateful_application::{IdempotencyKey, IdempotentRequest, posts};
use grateful_domain::notification::Priority;
use grateful_domain::{Draft, PostEdit, PostId, UserId, Visibility};
use grateful_testkit::{a_user, block};

use crate::support::{
    Scenario, commit_once_blocking, create_user_named, draft, is_read, try_create_post,
};

const NOBODY: [&str; 0] = [];

#[tokio::test]
async fn a_post_tells_those_whom_it_names_how_it_begins() {
    let scenario = Scenario::create().await;

    let post = publish(
        &scenario,
        scenario.ana,
        "For @ben and @CARO: you waited with me in the rain, an hour long",
    )
    .await;

    for named in [scenario.ben, scenario.caro] {
        let told = scenario.only_notification(named).await;
        let it = &told.notification;
        let said =
            "ana mentioned you in a post: For @ben and @CARO: you waited with me in the rain…";
        assert_eq!(
            (it.text.title.as_str(), it.text.message.as_str()),
            ("You were mentioned", said)
        );
        assert_eq!((it.kind.code(), it.priority), ("mention", Priority::High));
        assert_eq!((it.post, it.comment), (Some(post), None));
        assert_eq!(it.data["author_username"], "ana");
        assert!(!is_read(&told));
    }
    assert_eq!(scenario.messages(scenario.ana).await, NOBODY);
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn a_quote_is_cut_behind_the_fiftieth_character_only() {
    for (length, cut) in [(49, ""), (50, ""), (51, "…")] {
        let scenario = Scenario::create().await;
        let text = format!("@ben {}", "💜".repeat(length - 5));

        publish(&scenario, scenario.ana, &text).await;

        let quoted: String = text.chars().take(50).collect();
        let said = format!("ana mentioned you in a post: {quoted}{cut}");
        assert_eq!(scenario.messages(scenario.ben).await, [said]);
    }
}

#[tokio::test]
async fn nobody_is_told_by_what_is_not_their_name_or_twice_by_what_is() {
    let scenario = Scenario::create().await;

    for text in ["ben@caro.org", "@benn", "@nobody", "@@ben", "@ana", "/@ben", "@bé"] {
        publish(&scenario, scenario.ana, text).await;
    }
    assert_eq!(scenario.database.count("notifications").await, 0);
    publish(&scenario, scenario.ana, "@ben. @Ben, (@BEN) @ben- @nobody").await;

    assert_eq!(scenario.counts(scenario.ben).await, (1, 1));
    assert_eq!(scenario.database.count("notifications").await, 1);
}

#[tokio::test]
async fn an_underscore_in_a_name_stands_for_itself_alone() {
    let scenario = Scenario::create().await;
    let named = create_user_named(&scenario.database, "a_b").await;
    let other = create_user_named(&scenario.database, "axb").await;

    publish(&scenario, scenario.ana, "Thank you @A_B").await;

    assert_eq!(scenario.counts(named).await, (1, 1));
    assert_eq!(scenario.messages(other).await, NOBODY);
}

#[tokio::test]
async fn a_private_post_tells_nobody_whom_it_names() {
    let scenario = Scenario::create().await;

    let secret = Draft { visibility: Visibility::Private, ..draft("For @ben") };
    try_create_post(&scenario.app, scenario.ana, secret, None).await.unwrap();

    assert_eq!(scenario.messages(scenario.ben).await, NOBODY);
}

#[tokio::test]
async fn nobody_is_named_across_a_block_either_way() {
    let scenario = Scenario::create().await;
    block(&scenario.database, scenario.ana, scenario.ben).await;
    block(&scenario.database, scenario.caro, scenario.ana).await;
    let dan = create_user_named(&scenario.database, "dan").await;

    publish(&scenario, scenario.ana, "For @ben, @caro and @dan").await;

    assert_eq!(scenario.messages(scenario.ben).await, NOBODY);
    assert_eq!(scenario.messages(scenario.caro).await, NOBODY);
    assert_eq!(scenario.counts(dan).await, (1, 1));
}

#[tokio::test]
async fn a_block_that_overtakes_a_post_keeps_its_names_from_being_told() {
    let scenario = Scenario::create().await;
    let block = format!(
        "SELECT FROM users WHERE id IN ({ana}, {ben}) ORDER BY id FOR UPDATE;
         INSERT INTO follows (id, follower_id, followed_id, status)
         VALUES (gen_random_uuid(), {ana}, {ben}, 'blocked')",
        ana = scenario.ana,
        ben = scenario.ben,
    );
    let block = scenario.database.begin(&block).await;

    let post = publish(&scenario, scenario.ana, "For @ben and @caro");
    tokio::join!(post, commit_once_blocking(&scenario.database, block));

    assert_eq!(scenario.messages(scenario.ben).await, NOBODY);
    assert_eq!(scenario.counts(scenario.caro).await, (1, 1));
}

#[tokio::test]
async fn whoever_wants_no_such_word_holds_up_nobody_else() {
    let scenario = Scenario::create().await;
    let sql = r#"UPDATE users SET profile_preferences = '{"notifications": {"mention": false}}'"#;
    scenario.database.execute(&format!("{sql} WHERE id = {}", scenario.ben)).await;

    publish(&scenario, scenario.ana, "For @ben and @caro").await;

    assert_eq!(scenario.messages(scenario.ben).await, NOBODY);
    assert_eq!(scenario.counts(scenario.caro).await, (1, 1));
}

#[tokio::test]
async fn a_post_that_is_sent_again_tells_once() {
    let scenario = Scenario::create().await;

    for _ in 0..2 {
        let key = IdempotencyKey::parse("for-ben").unwrap();
        let idempotency = IdempotentRequest { key, fingerprint: [1; 32] };
        try_create_post(&scenario.app, scenario.ana, draft("For @ben"), Some(idempotency))
            .await
            .unwrap();
    }

    assert_eq!(scenario.counts(scenario.ben).await, (1, 1));
    assert_eq!(scenario.database.count("posts WHERE content = 'For @ben'").await, 1);
}

#[tokio::test]
async fn a_post_names_fifty_at_most() {
    let scenario = Scenario::create().await;
    for number in 100..151 {
        a_user().with_username(&format!("p{number}")).insert_into(&scenario.database).await;
    }
    let text = (100..151).map(|number| format!("@p{number}")).collect::<Vec<_>>().join(" ");

    publish(&scenario, scenario.ana, &text).await;

    assert_eq!(scenario.database.count("notifications").await, 50);
    let last = "notifications JOIN users ON users.id = user_id WHERE username = 'p150'";
    assert_eq!(scenario.database.count(last).await, 0);
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn a_post_that_goes_takes_along_that_it_named_somebody() {
    let scenario = Scenario::create().await;
    let post = publish(&scenario, scenario.ana, "For @ben and @caro").await;
    let other = publish(&scenario, scenario.ana, "For @ben, too").await;
    scenario.comment_on(post, scenario.caro, "Like @ben").await;

    posts::delete(&scenario.app, scenario.ana, post).await.unwrap();

    assert_eq!(scenario.only_notification(scenario.ben).await.notification.post, Some(other));
    assert_eq!(scenario.messages(scenario.caro).await, NOBODY);
    assert_eq!(scenario.database.count("notifications").await, 1);
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn whoever_goes_takes_along_whom_they_named() {
    let scenario = Scenario::create().await;
    publish(&scenario, scenario.ana, "For @ben").await;
    scenario.comment(scenario.ana, "Like @caro").await;

    grateful_application::accounts::delete(&scenario.app, scenario.ana).await.unwrap();

    assert_eq!(scenario.database.count("notifications").await, 0);
}

#[tokio::test]
async fn being_named_twenty_one_times_within_an_hour_is_told_twenty_times() {
    let scenario = Scenario::create().await;

    for _ in 0..21 {
        publish(&scenario, scenario.ana, "For @ben and @caro").await;
    }

    for named in [scenario.ben, scenario.caro] {
        assert_eq!(scenario.counts(named).await, (20, 20));
    }
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn two_who_name_each_other_at_once_are_both_told() {
    let scenario = Scenario::create().await;

    for _ in 0..10 {
        tokio::join!(
            publish(&scenario, scenario.ana, "For @ben and @caro"),
            publish(&scenario, scenario.ben, "For @caro and @ana"),
            publish(&scenario, scenario.caro, "For @ana and @ben"),
        );
    }

    for named in [scenario.ana, scenario.ben, scenario.caro] {
        assert_eq!(scenario.counts(named).await, (20, 20));
    }
}

/// Publishes a public post.
async fn publish(scenario: &Scenario, author: UserId, text: &str) -> PostId {
    try_create_post(&scenario.app, author, draft(text), None).await.unwrap()
}
