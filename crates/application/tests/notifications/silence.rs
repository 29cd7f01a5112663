//! Of what nobody is told.

use chrono::TimeDelta;
use grateful_application::{Error, accounts, hearts, posts, reactions};
use grateful_domain::{Emoji, PostEdit, UserId, Visibility};
use grateful_testkit::{NOON, a_post, block};

use crate::support::{Stage, commit_when_waited_for, post_by};

#[tokio::test]
async fn nobody_is_told_of_what_they_do_themselves() {
    let stage = Stage::set().await;

    stage.heart(stage.ana).await;
    stage.react(stage.ana, Emoji::Hug).await;
    stage.react(stage.ana, Emoji::Joy).await;
    stage.link(stage.ana).await;
    let comment = stage.say(stage.ana, "Thank you").await;
    stage.reply(stage.ana, comment, "All of you").await;
    assert!(stage.list(stage.ana).await.is_empty());
    stage.unheart(stage.ana).await;
    stage.unreact(stage.ana).await;

    assert!(stage.list(stage.ana).await.is_empty());
    assert_eq!(stage.database.count("notifications").await, 0);
}

#[tokio::test]
async fn whoever_answers_themselves_on_the_post_of_another_tells_only_its_author() {
    let stage = Stage::set().await;
    let comment = stage.say(stage.ben, "So kind").await;
    stage.clock.advance(TimeDelta::seconds(1));

    stage.reply(stage.ben, comment, "So very kind").await;

    assert!(stage.list(stage.ben).await.is_empty());
    let said = "ben commented on your post: So very kind (2 times)";
    assert_eq!(stage.told(stage.ana).await, [said]);
}

#[tokio::test]
async fn nobody_is_told_anything_across_a_block() {
    for blocked_by_author in [true, false] {
        let stage = Stage::set().await;
        let before = stage.say(stage.ben, "So kind").await;
        stage.read_everything(stage.ana).await;
        let list = stage.list(stage.ana).await;
        let (who, whom) =
            if blocked_by_author { (stage.ana, stage.ben) } else { (stage.ben, stage.ana) };
        block(&stage.database, who, whom).await;

        let heart = hearts::add(&stage.app, stage.ben, stage.post.id).await;
        let reaction = reactions::set(&stage.app, stage.ben, stage.post.id, Emoji::Hug).await;
        let comment = stage.try_say(stage.ben, "Hello?", None).await;
        let answer = stage.try_say(stage.ana, "Indeed", Some(before)).await;

        assert!(matches!(heart, Err(Error::NotFound { .. })), "{heart:?}");
        assert!(matches!(reaction, Err(Error::NotFound { .. })), "{reaction:?}");
        assert!(matches!(comment, Err(Error::NotFound { .. })), "{comment:?}");
        assert!(matches!(answer, Err(Error::NotFound { .. })), "{answer:?}");
        assert_eq!(stage.list(stage.ana).await, list);
        assert!(stage.list(stage.ben).await.is_empty());
    }
}

#[tokio::test]
async fn nobody_is_told_of_an_answer_that_a_block_overtakes() {
    let stage = Stage::set().await;
    let comment = stage.say(stage.ben, "So kind").await;
    let block = format!(
        "SELECT FROM users WHERE id IN ({ben}, {caro}) ORDER BY id FOR UPDATE;
         INSERT INTO follows (id, follower_id, followed_id, status)
         VALUES (gen_random_uuid(), {caro}, {ben}, 'blocked')",
        ben = stage.ben,
        caro = stage.caro,
    );
    let block = stage.database.begin(&block).await;

    let answer = stage.try_say(stage.caro, "Indeed", Some(comment));
    let (answer, ()) = tokio::join!(answer, commit_when_waited_for(&stage.database, block));

    assert!(matches!(answer, Err(Error::NotFound { .. })), "{answer:?}");
    assert!(stage.list(stage.ben).await.is_empty());
    assert_eq!(stage.told(stage.ana).await, ["ben commented on your post: So kind"]);
}

#[tokio::test]
async fn nobody_is_told_of_what_they_have_switched_off() {
    let off = |types: &str| format!(r#"{{"notifications": {{{types}}}}}"#);
    for (preferences, expected) in [
        (off(r#""like": false"#), ["comment", "emoji_reaction", "post_shared"].as_slice()),
        (off(r#""emoji_reaction": false"#), &["comment", "like", "post_shared"]),
        (off(r#""post_shared": false"#), &["comment", "post_interaction"]),
        (off(r#""comment": false, "like": true"#), &["post_interaction", "post_shared"]),
        (off(r#""like": false, "emoji_reaction": false, "comment": false"#), &["post_shared"]),
        // What is not said in so many words switches nothing off.
        (
            off(r#""like": "false", "comment": null"#),
            &["comment", "post_interaction", "post_shared"],
        ),
        (r#"{"notifications": []}"#.to_owned(), &["comment", "post_interaction", "post_shared"]),
        (r#"{"notifications": false}"#.to_owned(), &["comment", "post_interaction", "post_shared"]),
        ("{}".to_owned(), &["comment", "post_interaction", "post_shared"]),
    ] {
        let stage = Stage::set().await;
        prefer(&stage, stage.ana, &preferences).await;

        stage.heart(stage.ben).await;
        stage.react(stage.ben, Emoji::Hug).await;
        stage.link(stage.ben).await;
        stage.say(stage.ben, "So kind").await;

        let list = stage.list(stage.ana).await;
        let mut kinds: Vec<_> = list.iter().map(|it| it.notification.kind.code()).collect();
        kinds.sort_unstable();
        assert_eq!(kinds, expected, "{preferences}");
        // Nobody misses what was never told.
        stage.react(stage.ben, Emoji::Joy).await;
        stage.unheart(stage.ben).await;
        stage.unreact(stage.ben).await;
        stage.assert_sound().await;
    }
}

#[tokio::test]
async fn whoever_is_sent_a_post_and_wants_no_such_word_holds_up_nobody_else() {
    let stage = Stage::set().await;
    prefer(&stage, stage.ana, r#"{"notifications": {"post_shared": false}}"#).await;

    stage.send(stage.ben, &[stage.ana, stage.caro]).await;

    assert!(stage.list(stage.ana).await.is_empty());
    assert_eq!(stage.told(stage.caro).await, ["ben sent you a post"]);
}

#[tokio::test]
async fn what_was_told_goes_with_its_act_also_where_it_would_not_be_told_any_more() {
    let stage = Stage::set().await;
    stage.heart(stage.ben).await;
    stage.heart(stage.caro).await;
    prefer(&stage, stage.ana, r#"{"notifications": {"like": false}}"#).await;

    stage.unheart(stage.ben).await;
    assert_eq!(stage.told(stage.ana).await, ["caro liked your post"]);
    stage.heart(stage.ben).await;

    assert_eq!(stage.told(stage.ana).await, ["caro liked your post"]);
}

#[tokio::test]
async fn whoever_can_no_longer_see_a_post_is_not_told_of_answers_there() {
    let stage = Stage::set().await;
    let comment = stage.say(stage.ben, "So kind").await;
    let edit = PostEdit { visibility: Some(Visibility::Private), ..PostEdit::default() };
    posts::update(&stage.app, stage.ana, stage.post.id, edit, |_| true).await.unwrap();

    stage.reply(stage.ana, comment, "I know").await;

    assert!(stage.list(stage.ben).await.is_empty());
}

#[tokio::test]
async fn what_happens_on_a_private_post_tells_nobody() {
    let stage = Stage::set().await;
    let secret = a_post().by(stage.ana).private().insert_into(&stage.database).await.id;

    hearts::add(&stage.app, stage.ana, secret).await.unwrap();
    let strangers = hearts::add(&stage.app, stage.ben, secret).await;

    assert!(matches!(strangers, Err(Error::NotFound { .. })), "{strangers:?}");
    assert_eq!(stage.database.count("notifications").await, 0);
}

#[tokio::test]
async fn an_account_that_is_gone_is_told_nothing_and_tells_nothing() {
    let stage = Stage::set().await;
    stage.heart(stage.ben).await;
    accounts::delete(&stage.app, stage.ben).await.unwrap();
    stage.clock.advance(TimeDelta::minutes(1));

    let acted = hearts::add(&stage.app, stage.ben, post_by(&stage.database, stage.ana).await).await;

    assert!(matches!(acted, Err(Error::Unauthenticated(_))), "{acted:?}");
    assert!(stage.list(stage.ana).await.is_empty());
    assert_eq!(
        stage.database.count(&format!("notifications WHERE created_at > '{NOON}'")).await,
        0
    );
}

async fn prefer(stage: &Stage, user: UserId, preferences: &str) {
    let sql = format!("UPDATE users SET profile_preferences = '{preferences}' WHERE id = {user}");
    stage.database.execute(&sql).await;
}
