//! Mentions in comments, and edits of comments.

use grateful_application::comments;
use grateful_domain::{CommentId, CommentText};

use super::*;

#[tokio::test]
async fn a_comment_notifies_mentioned_users_with_a_preview() {
    let scenario = Scenario::create().await;

    let comment = scenario
        .comment(scenario.ben, "Look at that, @caro, and think of the whole of last year")
        .await;

    let rendered = scenario.only_notification(scenario.caro).await;
    let notification = &rendered.notification;
    let expected =
        "ben mentioned you in a post: Look at that, @caro, and think of the whole of las…";
    assert_eq!(
        (rendered.text.title.as_str(), rendered.text.message.as_str()),
        ("You were mentioned", expected)
    );
    assert_eq!(
        (notification.subject.post, notification.subject.comment),
        (Some(scenario.post.id), Some(comment))
    );
    assert_eq!(notification.subject.priority, Priority::High);
    assert_eq!(scenario.counts(scenario.ana).await, (1, 1));
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn a_comment_notifies_each_user_once() {
    let scenario = Scenario::create().await;
    let comment = scenario.comment(scenario.ben, "So kind").await;
    scenario.mark_all_read(scenario.ana).await;
    scenario.clock.advance(TimeDelta::seconds(1));

    scenario.reply(scenario.caro, comment, "@ben @ana @caro, indeed").await;

    assert_eq!(
        scenario.messages(scenario.ben).await,
        ["caro replied to your comment: @ben @ana @caro, indeed"]
    );
    assert_eq!(
        scenario.messages(scenario.ana).await,
        [
            "caro mentioned you in a post: @ben @ana @caro, indeed",
            "ben commented on your post: So kind"
        ]
    );
    assert_eq!(scenario.messages(scenario.caro).await, NO_MESSAGES);
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn mentions_in_a_post_and_its_comments_are_batched() {
    let scenario = Scenario::create().await;
    let post = create_public_post(&scenario, scenario.ana, "For @ben").await;
    scenario.comment_on(post, scenario.caro, "Yes, @ben").await;
    assert_eq!(scenario.messages(scenario.ben).await, ["You were mentioned 2 times"]);

    scenario.comment_on(post, scenario.ana, "Ah, @ben").await;

    let batch = scenario.only_notification(scenario.ben).await;
    assert_eq!(batch.text.title, "You were mentioned");
    assert_eq!(batch.text.message, "You were mentioned 3 times");
    assert_eq!(batch.notification.batch_counts().actor_count, 2);
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn deleting_a_comment_withdraws_the_mentions_in_it_and_its_replies() {
    let scenario = Scenario::create().await;
    let comment = scenario.comment(scenario.ben, "Like @caro").await;
    scenario.reply(scenario.ana, comment, "And like @caro's friends").await;
    scenario.comment(scenario.ana, "Thank you, @caro").await;

    comments::delete(&scenario.app, scenario.ben, comment).await.unwrap();

    assert_eq!(
        scenario.messages(scenario.caro).await,
        ["ana mentioned you in a post: Thank you, @caro"]
    );
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn mentions_across_a_block_with_the_commenter_or_the_post_author_notify_no_user() {
    let scenario = Scenario::create().await;
    let dan = create_user_named(&scenario.database, "dan").await;
    let eve = create_user_named(&scenario.database, "eve").await;
    let fay = create_user_named(&scenario.database, "fay").await;
    for (blocker, blocked) in [
        (scenario.ben, scenario.caro),
        (dan, scenario.ben),
        (scenario.ana, eve),
        (fay, scenario.ana),
    ] {
        block(&scenario.database, blocker, blocked).await;
    }
    let mentioned = "@caro @dan @eve @fay";

    let comment = scenario.comment(scenario.ben, mentioned).await;
    scenario.comment(scenario.ana, "Not @eve or @fay").await;
    edit_comment(&scenario, scenario.ben, comment, "rain").await;
    edit_comment(&scenario, scenario.ben, comment, &format!("So @ana: {mentioned}")).await;

    for user in [scenario.caro, dan, eve, fay] {
        assert_eq!(scenario.messages(user).await, NO_MESSAGES);
    }
    let expected = "ben mentioned you in a post: So @ana: @caro @dan @eve @fay";
    assert!(scenario.messages(scenario.ana).await.contains(&expected.to_owned()));
}

/// A block between the recipient and the author of the post hides the reply from the recipient.
#[tokio::test]
async fn a_reply_on_an_invisible_post_notifies_no_user() {
    let scenario = Scenario::create().await;
    let comment = scenario.comment(scenario.ben, "So kind").await;
    block(&scenario.database, scenario.ana, scenario.ben).await;

    scenario.reply(scenario.caro, comment, "Indeed, @ben").await;

    assert_eq!(scenario.messages(scenario.ben).await, NO_MESSAGES);
}

#[tokio::test]
async fn a_mention_across_a_block_in_flight_with_the_post_author_notifies_no_user() {
    let scenario = Scenario::create().await;
    let block = format!(
        "SELECT FROM users WHERE id IN ({ana}, {caro}) ORDER BY id FOR UPDATE;
         INSERT INTO follows (id, follower_id, followed_id, status)
         VALUES (gen_random_uuid(), {ana}, {caro}, 'blocked')",
        ana = scenario.ana,
        caro = scenario.caro,
    );
    let block = scenario.database.begin(&block).await;

    let comment = scenario.comment(scenario.ben, "Look, @caro");
    tokio::join!(comment, commit_once_blocking(&scenario.database, block, 1));

    assert_eq!(scenario.messages(scenario.caro).await, NO_MESSAGES);
}

#[tokio::test]
async fn a_comment_on_a_private_post_notifies_no_mentioned_user() {
    let scenario = Scenario::create().await;
    let private = grateful_testkit::a_post()
        .by(scenario.ana)
        .private()
        .insert_into(&scenario.database)
        .await
        .id;

    let comment = scenario.comment_on(private, scenario.ana, "For @ben and @ana").await;
    edit_comment(&scenario, scenario.ana, comment, "For @caro").await;

    assert_eq!(scenario.database.count("notifications").await, 0);
}

/// The author hides the post in one transaction and comments on it in another. The comment waits, and then finds a
/// private post.
#[tokio::test]
async fn a_mention_on_a_post_while_it_is_hidden_notifies_no_user() {
    let scenario = Scenario::create().await;
    let hide = format!(
        "UPDATE users SET public_posts_count = public_posts_count - 1 WHERE id = {};
         UPDATE posts SET is_public = false WHERE id = '{}'",
        scenario.ana, scenario.post.id
    );
    let hide = scenario.database.begin(&hide).await;

    let comment = scenario.comment(scenario.ana, "For @ben");
    tokio::join!(comment, commit_once_blocking(&scenario.database, hide, 1));

    assert_eq!(scenario.messages(scenario.ben).await, NO_MESSAGES);
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn an_edit_notifies_newly_mentioned_users_and_withdraws_removed_mentions() {
    let scenario = Scenario::create().await;
    let dan = create_user_named(&scenario.database, "dan").await;
    let comment = scenario.comment(scenario.ben, "Like @caro and @dan").await;
    let other = scenario.comment(scenario.ben, "Like @dan").await;
    scenario.mark_all_read(scenario.caro).await;
    scenario.mark_all_read(scenario.ana).await;
    let (to_caro, to_ana) =
        (scenario.list_stored(scenario.caro).await, scenario.list_stored(scenario.ana).await);
    let eve = create_user_named(&scenario.database, "eve").await;

    edit_comment(&scenario, scenario.ben, comment, "Like @CARO and @eve").await;

    assert_eq!(scenario.list_stored(scenario.caro).await, to_caro);
    assert_eq!(scenario.list_stored(scenario.ana).await, to_ana);
    assert_eq!(scenario.messages(eve).await, ["ben mentioned you in a post: Like @CARO and @eve"]);
    assert_eq!(scenario.only_notification(dan).await.notification.subject.comment, Some(other));
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn mentions_in_the_post_stay_if_a_comment_removes_its_mention() {
    let scenario = Scenario::create().await;
    let post = create_public_post(&scenario, scenario.ana, "For @ben").await;
    let comment = scenario.comment_on(post, scenario.ana, "Thanks, @ben").await;

    edit_comment(&scenario, scenario.ana, comment, "Thanks").await;

    assert_eq!(scenario.messages(scenario.ben).await, ["ana mentioned you in a post: For @ben"]);
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn after_concurrent_edits_the_notifications_match_the_last_one() {
    let scenario = Scenario::create().await;
    let dan = create_user_named(&scenario.database, "dan").await;
    let comment = scenario.comment(scenario.ben, "Like @dan").await;

    for _ in 0..10 {
        tokio::join!(
            edit_comment(&scenario, scenario.ben, comment, "Like @caro and @dan"),
            edit_comment(&scenario, scenario.ben, comment, "Like @caro"),
            edit_comment(&scenario, scenario.ben, comment, "Like @dan"),
            edit_comment(&scenario, scenario.ben, comment, "Like rain"),
        );

        let stored = |name| format!("comments WHERE id = '{comment}' AND content LIKE '%@{name}%'");
        for (name, mentioned) in [("caro", scenario.caro), ("dan", dan)] {
            let is_mentioned = scenario.database.count(&stored(name)).await;
            assert_eq!(scenario.counts(mentioned).await.1, is_mentioned, "{name}");
        }
        scenario.assert_consistent().await;
        // Mentions that were removed and added again count toward the hourly limit.
        scenario.clock.advance(TimeDelta::hours(1));
    }
}

async fn edit_comment(scenario: &Scenario, author: UserId, comment: CommentId, text: &str) {
    let text = CommentText::parse(text).unwrap();
    comments::update(&scenario.app, author, comment, text).await.unwrap();
}
