//! Whom posts and comments name.

mod comments;
mod edits;

use chrono::TimeDelta;
use grateful_application::notifications::mark_read;
use grateful_application::{IdempotencyKey, IdempotentRequest, posts};
use grateful_domain::notification::Priority;
use grateful_domain::{Draft, PostEdit, PostId, UserId, Visibility};
use grateful_testkit::{a_user, block};

use crate::support::{Stage, commit_when_waited_for, draft, is_read, person, try_publish};

const NOBODY: [&str; 0] = [];

#[tokio::test]
async fn a_post_tells_those_whom_it_names_how_it_begins() {
    let stage = Stage::set().await;

    let post = publish(
        &stage,
        stage.ana,
        "For @ben and @CARO: you waited with me in the rain, an hour long",
    )
    .await;

    for named in [stage.ben, stage.caro] {
        let told = stage.only(named).await;
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
    assert_eq!(stage.told(stage.ana).await, NOBODY);
    stage.assert_sound().await;
}

#[tokio::test]
async fn a_quote_is_cut_behind_the_fiftieth_character_only() {
    for (length, cut) in [(49, ""), (50, ""), (51, "…")] {
        let stage = Stage::set().await;
        let text = format!("@ben {}", "💜".repeat(length - 5));

        publish(&stage, stage.ana, &text).await;

        let quoted: String = text.chars().take(50).collect();
        let said = format!("ana mentioned you in a post: {quoted}{cut}");
        assert_eq!(stage.told(stage.ben).await, [said]);
    }
}

#[tokio::test]
async fn nobody_is_told_by_what_is_not_their_name_or_twice_by_what_is() {
    let stage = Stage::set().await;

    for text in ["ben@caro.org", "@benn", "@nobody", "@@ben", "@ana", "/@ben", "@bé"] {
        publish(&stage, stage.ana, text).await;
    }
    assert_eq!(stage.database.count("notifications").await, 0);
    publish(&stage, stage.ana, "@ben. @Ben, (@BEN) @ben- @nobody").await;

    assert_eq!(stage.counts(stage.ben).await, (1, 1));
    assert_eq!(stage.database.count("notifications").await, 1);
}

#[tokio::test]
async fn an_underscore_in_a_name_stands_for_itself_alone() {
    let stage = Stage::set().await;
    let named = person(&stage.database, "a_b").await;
    let other = person(&stage.database, "axb").await;

    publish(&stage, stage.ana, "Thank you @A_B").await;

    assert_eq!(stage.counts(named).await, (1, 1));
    assert_eq!(stage.told(other).await, NOBODY);
}

#[tokio::test]
async fn a_private_post_tells_nobody_whom_it_names() {
    let stage = Stage::set().await;

    let secret = Draft { visibility: Visibility::Private, ..draft("For @ben") };
    try_publish(&stage.app, stage.ana, secret, None).await.unwrap();

    assert_eq!(stage.told(stage.ben).await, NOBODY);
}

#[tokio::test]
async fn nobody_is_named_across_a_block_either_way() {
    let stage = Stage::set().await;
    block(&stage.database, stage.ana, stage.ben).await;
    block(&stage.database, stage.caro, stage.ana).await;
    let dan = person(&stage.database, "dan").await;

    publish(&stage, stage.ana, "For @ben, @caro and @dan").await;

    assert_eq!(stage.told(stage.ben).await, NOBODY);
    assert_eq!(stage.told(stage.caro).await, NOBODY);
    assert_eq!(stage.counts(dan).await, (1, 1));
}

#[tokio::test]
async fn a_block_that_overtakes_a_post_keeps_its_names_from_being_told() {
    let stage = Stage::set().await;
    let block = format!(
        "SELECT FROM users WHERE id IN ({ana}, {ben}) ORDER BY id FOR UPDATE;
         INSERT INTO follows (id, follower_id, followed_id, status)
         VALUES (gen_random_uuid(), {ana}, {ben}, 'blocked')",
        ana = stage.ana,
        ben = stage.ben,
    );
    let block = stage.database.begin(&block).await;

    let post = publish(&stage, stage.ana, "For @ben and @caro");
    tokio::join!(post, commit_when_waited_for(&stage.database, block));

    assert_eq!(stage.told(stage.ben).await, NOBODY);
    assert_eq!(stage.counts(stage.caro).await, (1, 1));
}

#[tokio::test]
async fn whoever_wants_no_such_word_holds_up_nobody_else() {
    let stage = Stage::set().await;
    let sql = r#"UPDATE users SET profile_preferences = '{"notifications": {"mention": false}}'"#;
    stage.database.execute(&format!("{sql} WHERE id = {}", stage.ben)).await;

    publish(&stage, stage.ana, "For @ben and @caro").await;

    assert_eq!(stage.told(stage.ben).await, NOBODY);
    assert_eq!(stage.counts(stage.caro).await, (1, 1));
}

#[tokio::test]
async fn a_post_that_is_sent_again_tells_once() {
    let stage = Stage::set().await;

    for _ in 0..2 {
        let key = IdempotencyKey::parse("for-ben").unwrap();
        let idempotency = IdempotentRequest { key, fingerprint: [1; 32] };
        try_publish(&stage.app, stage.ana, draft("For @ben"), Some(idempotency)).await.unwrap();
    }

    assert_eq!(stage.counts(stage.ben).await, (1, 1));
    assert_eq!(stage.database.count("posts WHERE content = 'For @ben'").await, 1);
}

#[tokio::test]
async fn a_post_names_fifty_at_most() {
    let stage = Stage::set().await;
    for number in 100..151 {
        a_user().with_username(&format!("p{number}")).insert_into(&stage.database).await;
    }
    let text = (100..151).map(|number| format!("@p{number}")).collect::<Vec<_>>().join(" ");

    publish(&stage, stage.ana, &text).await;

    assert_eq!(stage.database.count("notifications").await, 50);
    let last = "notifications JOIN users ON users.id = user_id WHERE username = 'p150'";
    assert_eq!(stage.database.count(last).await, 0);
    stage.assert_sound().await;
}

#[tokio::test]
async fn a_post_that_goes_takes_along_that_it_named_somebody() {
    let stage = Stage::set().await;
    let post = publish(&stage, stage.ana, "For @ben and @caro").await;
    let other = publish(&stage, stage.ana, "For @ben, too").await;
    stage.say_on(post, stage.caro, "Like @ben").await;

    posts::delete(&stage.app, stage.ana, post).await.unwrap();

    assert_eq!(stage.only(stage.ben).await.notification.post, Some(other));
    assert_eq!(stage.told(stage.caro).await, NOBODY);
    assert_eq!(stage.database.count("notifications").await, 1);
    stage.assert_sound().await;
}

#[tokio::test]
async fn whoever_goes_takes_along_whom_they_named() {
    let stage = Stage::set().await;
    publish(&stage, stage.ana, "For @ben").await;
    stage.say(stage.ana, "Like @caro").await;

    grateful_application::accounts::delete(&stage.app, stage.ana).await.unwrap();

    assert_eq!(stage.database.count("notifications").await, 0);
}

#[tokio::test]
async fn being_named_twenty_one_times_within_an_hour_is_told_twenty_times() {
    let stage = Stage::set().await;

    for _ in 0..21 {
        publish(&stage, stage.ana, "For @ben and @caro").await;
    }

    for named in [stage.ben, stage.caro] {
        assert_eq!(stage.counts(named).await, (20, 20));
    }
    stage.assert_sound().await;
}

#[tokio::test]
async fn two_who_name_each_other_at_once_are_both_told() {
    let stage = Stage::set().await;

    for _ in 0..10 {
        tokio::join!(
            publish(&stage, stage.ana, "For @ben and @caro"),
            publish(&stage, stage.ben, "For @caro and @ana"),
            publish(&stage, stage.caro, "For @ana and @ben"),
        );
    }

    for named in [stage.ana, stage.ben, stage.caro] {
        assert_eq!(stage.counts(named).await, (20, 20));
    }
}

/// Publishes a public post.
async fn publish(stage: &Stage, author: UserId, text: &str) -> PostId {
    try_publish(&stage.app, author, draft(text), None).await.unwrap()
}
