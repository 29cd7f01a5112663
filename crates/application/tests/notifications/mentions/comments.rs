//! Whom comments name, and other words of them.

use grateful_application::comments;
use grateful_application::comments::CommentDraft;
use grateful_domain::{CommentId, CommentText};

use super::*;

#[tokio::test]
async fn a_comment_tells_those_whom_it_names_how_it_begins() {
    let scenario = Scenario::create().await;

    let comment = scenario
        .comment(scenario.ben, "Look at that, @caro, and think of the whole of last year")
        .await;

    let told = scenario.only_notification(scenario.caro).await;
    let it = &told.notification;
    let said = "ben mentioned you in a post: Look at that, @caro, and think of the whole of las…";
    assert_eq!((it.text.title.as_str(), it.text.message.as_str()), ("You were mentioned", said));
    assert_eq!((it.post, it.comment), (Some(scenario.post.id), Some(comment)));
    assert_eq!(it.priority, Priority::High);
    assert_eq!(scenario.counts(scenario.ana).await, (1, 1));
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn one_comment_tells_one_person_one_thing() {
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
    assert_eq!(scenario.messages(scenario.caro).await, NOBODY);
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn mentions_in_one_post_and_its_comments_are_gathered() {
    let scenario = Scenario::create().await;
    let post = publish(&scenario, scenario.ana, "For @ben").await;
    scenario.comment_on(post, scenario.caro, "Yes, @ben").await;
    assert_eq!(scenario.messages(scenario.ben).await, ["You were mentioned 2 times"]);

    scenario.comment_on(post, scenario.ana, "Ah, @ben").await;

    let batch = scenario.only_notification(scenario.ben).await;
    assert_eq!(batch.notification.text.title, "You were mentioned");
    assert_eq!(batch.notification.text.message, "You were mentioned 3 times");
    assert_eq!(batch.notification.batch_counts().actor_count, 2);
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn several_mentions_by_one_person_read_as_the_newest_of_them() {
    let scenario = Scenario::create().await;
    let post = publish(&scenario, scenario.ana, "For @ben").await;
    scenario.clock.advance(TimeDelta::seconds(1));

    scenario.comment_on(post, scenario.ana, "Ah, @ben").await;

    let said = "ana mentioned you in a post: Ah, @ben (2 times)";
    assert_eq!(scenario.messages(scenario.ben).await, [said]);
}

#[tokio::test]
async fn a_comment_that_goes_takes_along_that_it_and_the_answers_to_it_named_somebody() {
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
async fn nobody_is_named_across_a_block_with_whoever_says_it_or_with_the_author_of_the_post() {
    let scenario = Scenario::create().await;
    let dan = create_user_named(&scenario.database, "dan").await;
    let eve = create_user_named(&scenario.database, "eve").await;
    let fay = create_user_named(&scenario.database, "fay").await;
    for (who, whom) in [
        (scenario.ben, scenario.caro),
        (dan, scenario.ben),
        (scenario.ana, eve),
        (fay, scenario.ana),
    ] {
        block(&scenario.database, who, whom).await;
    }
    let named = "@caro @dan @eve @fay";

    let comment = scenario.comment(scenario.ben, named).await;
    scenario.comment(scenario.ana, "Not @eve or @fay").await;
    reword(&scenario, scenario.ben, comment, "rain").await;
    reword(&scenario, scenario.ben, comment, &format!("So @ana: {named}")).await;

    for untold in [scenario.caro, dan, eve, fay] {
        assert_eq!(scenario.messages(untold).await, NOBODY);
    }
    let said = "ben mentioned you in a post: So @ana: @caro @dan @eve @fay";
    assert!(scenario.messages(scenario.ana).await.contains(&said.to_owned()));
}

/// Who blocked the author of the post, or was blocked by them, does not see the answer.
#[tokio::test]
async fn nobody_is_told_of_an_answer_on_a_post_that_they_cannot_see() {
    let scenario = Scenario::create().await;
    let comment = scenario.comment(scenario.ben, "So kind").await;
    block(&scenario.database, scenario.ana, scenario.ben).await;

    scenario.reply(scenario.caro, comment, "Indeed, @ben").await;

    assert_eq!(scenario.messages(scenario.ben).await, NOBODY);
}

#[tokio::test]
async fn a_block_between_author_and_named_that_overtakes_a_comment_keeps_it_from_being_told() {
    let scenario = Scenario::create().await;
    let block = format!(
        "SELECT FROM users WHERE id IN ({ana}, {caro}) ORDER BY id FOR UPDATE;
         INSERT INTO follows (id, follower_id, followed_id, status)
         VALUES (gen_random_uuid(), {ana}, {caro}, 'blocked')",
        ana = scenario.ana,
        caro = scenario.caro,
    );
    let block = scenario.database.begin(&block).await;

    let said = scenario.comment(scenario.ben, "Look, @caro");
    tokio::join!(said, commit_once_blocking(&scenario.database, block));

    assert_eq!(scenario.messages(scenario.caro).await, NOBODY);
}

#[tokio::test]
async fn a_comment_on_a_private_post_tells_nobody_whom_it_names() {
    let scenario = Scenario::create().await;
    let secret = grateful_testkit::a_post()
        .by(scenario.ana)
        .private()
        .insert_into(&scenario.database)
        .await
        .id;

    let comment = scenario.comment_on(secret, scenario.ana, "For @ben and @ana").await;
    reword(&scenario, scenario.ana, comment, "For @caro").await;

    assert_eq!(scenario.database.count("notifications").await, 0);
}

/// The author hides the post while they comment on it: whoever comes last finds what the other did.
#[tokio::test]
async fn nobody_is_named_on_a_post_that_is_hidden_meanwhile() {
    let scenario = Scenario::create().await;
    let hide = format!(
        "UPDATE users SET public_posts_count = public_posts_count - 1 WHERE id = {};
         UPDATE posts SET is_public = false WHERE id = '{}'",
        scenario.ana, scenario.post.id
    );
    let hide = scenario.database.begin(&hide).await;

    let said = scenario.comment(scenario.ana, "For @ben");
    tokio::join!(said, commit_once_blocking(&scenario.database, hide));

    assert_eq!(scenario.messages(scenario.ben).await, NOBODY);
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn other_words_tell_only_those_whom_the_comment_did_not_name_and_take_back_the_rest() {
    let scenario = Scenario::create().await;
    let dan = create_user_named(&scenario.database, "dan").await;
    let comment = scenario.comment(scenario.ben, "Like @caro and @dan").await;
    let other = scenario.comment(scenario.ben, "Like @dan").await;
    scenario.mark_all_read(scenario.caro).await;
    scenario.mark_all_read(scenario.ana).await;
    let (to_caro, to_ana) = (scenario.list(scenario.caro).await, scenario.list(scenario.ana).await);
    let eve = create_user_named(&scenario.database, "eve").await;

    reword(&scenario, scenario.ben, comment, "Like @CARO and @eve").await;

    assert_eq!(scenario.list(scenario.caro).await, to_caro);
    assert_eq!(scenario.list(scenario.ana).await, to_ana);
    assert_eq!(scenario.messages(eve).await, ["ben mentioned you in a post: Like @CARO and @eve"]);
    assert_eq!(scenario.only_notification(dan).await.notification.comment, Some(other));
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn what_a_post_tells_stays_where_a_comment_names_somebody_no_longer() {
    let scenario = Scenario::create().await;
    let post = publish(&scenario, scenario.ana, "For @ben").await;
    let comment = scenario.comment_on(post, scenario.ana, "Thanks, @ben").await;

    reword(&scenario, scenario.ana, comment, "Thanks").await;

    assert_eq!(scenario.messages(scenario.ben).await, ["ana mentioned you in a post: For @ben"]);
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn of_other_words_at_once_the_last_ones_say_who_is_told() {
    let scenario = Scenario::create().await;
    let dan = create_user_named(&scenario.database, "dan").await;
    let comment = scenario.comment(scenario.ben, "Like @dan").await;

    for _ in 0..10 {
        tokio::join!(
            reword(&scenario, scenario.ben, comment, "Like @caro and @dan"),
            reword(&scenario, scenario.ben, comment, "Like @caro"),
            reword(&scenario, scenario.ben, comment, "Like @dan"),
            reword(&scenario, scenario.ben, comment, "Like rain"),
        );

        let kept = |name| format!("comments WHERE id = '{comment}' AND content LIKE '%@{name}%'");
        for (name, named) in [("caro", scenario.caro), ("dan", dan)] {
            let is_named = scenario.database.count(&kept(name)).await;
            assert_eq!(scenario.counts(named).await.1, is_named, "{name}");
        }
        scenario.assert_consistent().await;
    }
}

#[tokio::test]
async fn a_comment_that_is_sent_again_tells_once() {
    let scenario = Scenario::create().await;

    for _ in 0..2 {
        let key = IdempotencyKey::parse("like-caro").unwrap();
        let idempotency = IdempotentRequest { key, fingerprint: [1; 32] };
        let text = CommentText::parse("Like @caro").unwrap();
        let say = CommentDraft { post: scenario.post.id, parent: None, text };
        comments::create(&scenario.app, scenario.ben, say, Some(idempotency), |_| Vec::new())
            .await
            .unwrap();
    }

    assert_eq!(scenario.counts(scenario.caro).await, (1, 1));
}

async fn reword(scenario: &Scenario, author: UserId, comment: CommentId, text: &str) {
    let text = CommentText::parse(text).unwrap();
    comments::update(&scenario.app, author, comment, text).await.unwrap();
}
