//! Whom comments name, and other words of them.

use grateful_application::comments;
use grateful_application::comments::CommentDraft;
use grateful_domain::{CommentId, CommentText};

use super::*;

#[tokio::test]
async fn a_comment_tells_those_whom_it_names_how_it_begins() {
    let stage = Stage::set().await;

    let comment =
        stage.say(stage.ben, "Look at that, @caro, and think of the whole of last year").await;

    let told = stage.only(stage.caro).await;
    let it = &told.notification;
    let said = "ben mentioned you in a post: Look at that, @caro, and think of the whole of las…";
    assert_eq!((it.text.title.as_str(), it.text.message.as_str()), ("You were mentioned", said));
    assert_eq!((it.post, it.comment), (Some(stage.post.id), Some(comment)));
    assert_eq!(it.priority, Priority::High);
    assert_eq!(stage.counts(stage.ana).await, (1, 1));
    stage.assert_sound().await;
}

#[tokio::test]
async fn one_comment_tells_one_person_one_thing() {
    let stage = Stage::set().await;
    let comment = stage.say(stage.ben, "So kind").await;
    stage.read_everything(stage.ana).await;
    stage.clock.advance(TimeDelta::seconds(1));

    stage.reply(stage.caro, comment, "@ben @ana @caro, indeed").await;

    assert_eq!(
        stage.told(stage.ben).await,
        ["caro replied to your comment: @ben @ana @caro, indeed"]
    );
    assert_eq!(
        stage.told(stage.ana).await,
        [
            "caro mentioned you in a post: @ben @ana @caro, indeed",
            "ben commented on your post: So kind"
        ]
    );
    assert_eq!(stage.told(stage.caro).await, NOBODY);
    stage.assert_sound().await;
}

#[tokio::test]
async fn mentions_in_one_post_and_its_comments_are_gathered() {
    let stage = Stage::set().await;
    let post = publish(&stage, stage.ana, "For @ben").await;
    stage.say_on(post, stage.caro, "Yes, @ben").await;
    assert_eq!(stage.told(stage.ben).await, ["You were mentioned 2 times"]);

    stage.say_on(post, stage.ana, "Ah, @ben").await;

    let batch = stage.only(stage.ben).await;
    assert_eq!(batch.notification.text.title, "You were mentioned");
    assert_eq!(batch.notification.text.message, "You were mentioned 3 times");
    assert_eq!(batch.notification.batch_counts().actor_count, 2);
    stage.assert_sound().await;
}

#[tokio::test]
async fn several_mentions_by_one_person_read_as_the_newest_of_them() {
    let stage = Stage::set().await;
    let post = publish(&stage, stage.ana, "For @ben").await;
    stage.clock.advance(TimeDelta::seconds(1));

    stage.say_on(post, stage.ana, "Ah, @ben").await;

    let said = "ana mentioned you in a post: Ah, @ben (2 times)";
    assert_eq!(stage.told(stage.ben).await, [said]);
}

#[tokio::test]
async fn a_comment_that_goes_takes_along_that_it_and_the_answers_to_it_named_somebody() {
    let stage = Stage::set().await;
    let comment = stage.say(stage.ben, "Like @caro").await;
    stage.reply(stage.ana, comment, "And like @caro's friends").await;
    stage.say(stage.ana, "Thank you, @caro").await;

    comments::delete(&stage.app, stage.ben, comment).await.unwrap();

    assert_eq!(stage.told(stage.caro).await, ["ana mentioned you in a post: Thank you, @caro"]);
    stage.assert_sound().await;
}

#[tokio::test]
async fn nobody_is_named_across_a_block_with_whoever_says_it_or_with_the_author_of_the_post() {
    let stage = Stage::set().await;
    let dan = person(&stage.database, "dan").await;
    let eve = person(&stage.database, "eve").await;
    let fay = person(&stage.database, "fay").await;
    for (who, whom) in
        [(stage.ben, stage.caro), (dan, stage.ben), (stage.ana, eve), (fay, stage.ana)]
    {
        block(&stage.database, who, whom).await;
    }
    let named = "@caro @dan @eve @fay";

    let comment = stage.say(stage.ben, named).await;
    stage.say(stage.ana, "Not @eve or @fay").await;
    reword(&stage, stage.ben, comment, "rain").await;
    reword(&stage, stage.ben, comment, &format!("So @ana: {named}")).await;

    for untold in [stage.caro, dan, eve, fay] {
        assert_eq!(stage.told(untold).await, NOBODY);
    }
    let said = "ben mentioned you in a post: So @ana: @caro @dan @eve @fay";
    assert!(stage.told(stage.ana).await.contains(&said.to_owned()));
}

/// Who blocked the author of the post, or was blocked by them, does not see the answer.
#[tokio::test]
async fn nobody_is_told_of_an_answer_on_a_post_that_they_cannot_see() {
    let stage = Stage::set().await;
    let comment = stage.say(stage.ben, "So kind").await;
    block(&stage.database, stage.ana, stage.ben).await;

    stage.reply(stage.caro, comment, "Indeed, @ben").await;

    assert_eq!(stage.told(stage.ben).await, NOBODY);
}

#[tokio::test]
async fn a_block_between_author_and_named_that_overtakes_a_comment_keeps_it_from_being_told() {
    let stage = Stage::set().await;
    let block = format!(
        "SELECT FROM users WHERE id IN ({ana}, {caro}) ORDER BY id FOR UPDATE;
         INSERT INTO follows (id, follower_id, followed_id, status)
         VALUES (gen_random_uuid(), {ana}, {caro}, 'blocked')",
        ana = stage.ana,
        caro = stage.caro,
    );
    let block = stage.database.begin(&block).await;

    let said = stage.say(stage.ben, "Look, @caro");
    tokio::join!(said, commit_when_waited_for(&stage.database, block));

    assert_eq!(stage.told(stage.caro).await, NOBODY);
}

#[tokio::test]
async fn a_comment_on_a_private_post_tells_nobody_whom_it_names() {
    let stage = Stage::set().await;
    let secret =
        grateful_testkit::a_post().by(stage.ana).private().insert_into(&stage.database).await.id;

    let comment = stage.say_on(secret, stage.ana, "For @ben and @ana").await;
    reword(&stage, stage.ana, comment, "For @caro").await;

    assert_eq!(stage.database.count("notifications").await, 0);
}

/// The author hides the post while they comment on it: whoever comes last finds what the other did.
#[tokio::test]
async fn nobody_is_named_on_a_post_that_is_hidden_meanwhile() {
    let stage = Stage::set().await;
    let hide = format!(
        "UPDATE users SET public_posts_count = public_posts_count - 1 WHERE id = {};
         UPDATE posts SET is_public = false WHERE id = '{}'",
        stage.ana, stage.post.id
    );
    let hide = stage.database.begin(&hide).await;

    let said = stage.say(stage.ana, "For @ben");
    tokio::join!(said, commit_when_waited_for(&stage.database, hide));

    assert_eq!(stage.told(stage.ben).await, NOBODY);
    stage.assert_sound().await;
}

#[tokio::test]
async fn other_words_tell_only_those_whom_the_comment_did_not_name_and_take_back_the_rest() {
    let stage = Stage::set().await;
    let dan = person(&stage.database, "dan").await;
    let comment = stage.say(stage.ben, "Like @caro and @dan").await;
    let other = stage.say(stage.ben, "Like @dan").await;
    stage.read_everything(stage.caro).await;
    stage.read_everything(stage.ana).await;
    let (to_caro, to_ana) = (stage.list(stage.caro).await, stage.list(stage.ana).await);
    let eve = person(&stage.database, "eve").await;

    reword(&stage, stage.ben, comment, "Like @CARO and @eve").await;

    assert_eq!(stage.list(stage.caro).await, to_caro);
    assert_eq!(stage.list(stage.ana).await, to_ana);
    assert_eq!(stage.told(eve).await, ["ben mentioned you in a post: Like @CARO and @eve"]);
    assert_eq!(stage.only(dan).await.notification.comment, Some(other));
    stage.assert_sound().await;
}

#[tokio::test]
async fn what_a_post_tells_stays_where_a_comment_names_somebody_no_longer() {
    let stage = Stage::set().await;
    let post = publish(&stage, stage.ana, "For @ben").await;
    let comment = stage.say_on(post, stage.ana, "Thanks, @ben").await;

    reword(&stage, stage.ana, comment, "Thanks").await;

    assert_eq!(stage.told(stage.ben).await, ["ana mentioned you in a post: For @ben"]);
    stage.assert_sound().await;
}

#[tokio::test]
async fn of_other_words_at_once_the_last_ones_say_who_is_told() {
    let stage = Stage::set().await;
    let dan = person(&stage.database, "dan").await;
    let comment = stage.say(stage.ben, "Like @dan").await;

    for _ in 0..10 {
        tokio::join!(
            reword(&stage, stage.ben, comment, "Like @caro and @dan"),
            reword(&stage, stage.ben, comment, "Like @caro"),
            reword(&stage, stage.ben, comment, "Like @dan"),
            reword(&stage, stage.ben, comment, "Like rain"),
        );

        let kept = |name| format!("comments WHERE id = '{comment}' AND content LIKE '%@{name}%'");
        for (name, named) in [("caro", stage.caro), ("dan", dan)] {
            let is_named = stage.database.count(&kept(name)).await;
            assert_eq!(stage.counts(named).await.1, is_named, "{name}");
        }
        stage.assert_sound().await;
    }
}

#[tokio::test]
async fn a_comment_that_is_sent_again_tells_once() {
    let stage = Stage::set().await;

    for _ in 0..2 {
        let key = IdempotencyKey::parse("like-caro").unwrap();
        let idempotency = IdempotentRequest { key, fingerprint: [1; 32] };
        let text = CommentText::parse("Like @caro").unwrap();
        let say = CommentDraft { post: stage.post.id, parent: None, text };
        comments::create(&stage.app, stage.ben, say, Some(idempotency), |_| Vec::new())
            .await
            .unwrap();
    }

    assert_eq!(stage.counts(stage.caro).await, (1, 1));
}

async fn reword(stage: &Stage, author: UserId, comment: CommentId, text: &str) {
    let text = CommentText::parse(text).unwrap();
    comments::update(&stage.app, author, comment, text).await.unwrap();
}
