//! Of what nobody is told.

use chrono::TimeDelta;
use grateful_application::{Error, accounts, hearts, posts, reactions};
use grateful_domain::{Emoji, PostEdit, UserId, Visibility};
use grateful_testkit::{NOON, a_post, block};

use crate::support::{Scenario, commit_once_blocking, create_post};

#[tokio::test]
async fn nobody_is_told_of_what_they_do_themselves() {
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
async fn whoever_answers_themselves_on_the_post_of_another_tells_only_its_author() {
    let scenario = Scenario::create().await;
    let comment = scenario.comment(scenario.ben, "So kind").await;
    scenario.clock.advance(TimeDelta::seconds(1));

    scenario.reply(scenario.ben, comment, "So very kind").await;

    assert!(scenario.list(scenario.ben).await.is_empty());
    let said = "ben commented on your post: So very kind (2 times)";
    assert_eq!(scenario.messages(scenario.ana).await, [said]);
}

#[tokio::test]
async fn nobody_is_told_anything_across_a_block() {
    for blocked_by_author in [true, false] {
        let scenario = Scenario::create().await;
        let before = scenario.comment(scenario.ben, "So kind").await;
        scenario.mark_all_read(scenario.ana).await;
        let list = scenario.list(scenario.ana).await;
        let (who, whom) = if blocked_by_author {
            (scenario.ana, scenario.ben)
        } else {
            (scenario.ben, scenario.ana)
        };
        block(&scenario.database, who, whom).await;

        let heart = hearts::add(&scenario.app, scenario.ben, scenario.post.id).await;
        let reaction =
            reactions::set(&scenario.app, scenario.ben, scenario.post.id, Emoji::Hug).await;
        let comment = scenario.try_comment(scenario.ben, "Hello?", None).await;
        let answer = scenario.try_comment(scenario.ana, "Indeed", Some(before)).await;

        assert!(matches!(heart, Err(Error::NotFound { .. })), "{heart:?}");
        assert!(matches!(reaction, Err(Error::NotFound { .. })), "{reaction:?}");
        assert!(matches!(comment, Err(Error::NotFound { .. })), "{comment:?}");
        assert!(matches!(answer, Err(Error::NotFound { .. })), "{answer:?}");
        assert_eq!(scenario.list(scenario.ana).await, list);
        assert!(scenario.list(scenario.ben).await.is_empty());
    }
}

#[tokio::test]
async fn nobody_is_told_of_an_answer_that_a_block_overtakes() {
    let scenario = Scenario::create().await;
    let comment = scenario.comment(scenario.ben, "So kind").await;
    let block = format!(
        "SELECT FROM users WHERE id IN ({ben}, {caro}) ORDER BY id FOR UPDATE;
         INSERT INTO follows (id, follower_id, followed_id, status)
         VALUES (gen_random_uuid(), {caro}, {ben}, 'blocked')",
        ben = scenario.ben,
        caro = scenario.caro,
    );
    let block = scenario.database.begin(&block).await;

    let answer = scenario.try_comment(scenario.caro, "Indeed", Some(comment));
    let (answer, ()) = tokio::join!(answer, commit_once_blocking(&scenario.database, block));

    assert!(matches!(answer, Err(Error::NotFound { .. })), "{answer:?}");
    assert!(scenario.list(scenario.ben).await.is_empty());
    assert_eq!(scenario.messages(scenario.ana).await, ["ben commented on your post: So kind"]);
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
        let scenario = Scenario::create().await;
        prefer(&scenario, scenario.ana, &preferences).await;

        scenario.add_heart(scenario.ben).await;
        scenario.set_reaction(scenario.ben, Emoji::Hug).await;
        scenario.share_link(scenario.ben).await;
        scenario.comment(scenario.ben, "So kind").await;

        let list = scenario.list(scenario.ana).await;
        let mut kinds: Vec<_> = list.iter().map(|it| it.notification.kind.code()).collect();
        kinds.sort_unstable();
        assert_eq!(kinds, expected, "{preferences}");
        // Nobody misses what was never told.
        scenario.set_reaction(scenario.ben, Emoji::Joy).await;
        scenario.remove_heart(scenario.ben).await;
        scenario.remove_reaction(scenario.ben).await;
        scenario.assert_consistent().await;
    }
}

#[tokio::test]
async fn whoever_is_sent_a_post_and_wants_no_such_word_holds_up_nobody_else() {
    let scenario = Scenario::create().await;
    prefer(&scenario, scenario.ana, r#"{"notifications": {"post_shared": false}}"#).await;

    scenario.send_message(scenario.ben, &[scenario.ana, scenario.caro]).await;

    assert!(scenario.list(scenario.ana).await.is_empty());
    assert_eq!(scenario.messages(scenario.caro).await, ["ben sent you a post"]);
}

#[tokio::test]
async fn what_was_told_goes_with_its_act_also_where_it_would_not_be_told_any_more() {
    let scenario = Scenario::create().await;
    scenario.add_heart(scenario.ben).await;
    scenario.add_heart(scenario.caro).await;
    prefer(&scenario, scenario.ana, r#"{"notifications": {"like": false}}"#).await;

    scenario.remove_heart(scenario.ben).await;
    assert_eq!(scenario.messages(scenario.ana).await, ["caro liked your post"]);
    scenario.add_heart(scenario.ben).await;

    assert_eq!(scenario.messages(scenario.ana).await, ["caro liked your post"]);
}

#[tokio::test]
async fn whoever_can_no_longer_see_a_post_is_not_told_of_answers_there() {
    let scenario = Scenario::create().await;
    let comment = scenario.comment(scenario.ben, "So kind").await;
    let edit = PostEdit { visibility: Some(Visibility::Private), ..PostEdit::default() };
    posts::update(&scenario.app, scenario.ana, scenario.post.id, edit, |_| true).await.unwrap();

    scenario.reply(scenario.ana, comment, "I know").await;

    assert!(scenario.list(scenario.ben).await.is_empty());
}

#[tokio::test]
async fn what_happens_on_a_private_post_tells_nobody() {
    let scenario = Scenario::create().await;
    let secret = a_post().by(scenario.ana).private().insert_into(&scenario.database).await.id;

    hearts::add(&scenario.app, scenario.ana, secret).await.unwrap();
    let strangers = hearts::add(&scenario.app, scenario.ben, secret).await;

    assert!(matches!(strangers, Err(Error::NotFound { .. })), "{strangers:?}");
    assert_eq!(scenario.database.count("notifications").await, 0);
}

#[tokio::test]
async fn an_account_that_is_gone_is_told_nothing_and_tells_nothing() {
    let scenario = Scenario::create().await;
    scenario.add_heart(scenario.ben).await;
    accounts::delete(&scenario.app, scenario.ben).await.unwrap();
    scenario.clock.advance(TimeDelta::minutes(1));

    let acted = hearts::add(
        &scenario.app,
        scenario.ben,
        create_post(&scenario.database, scenario.ana).await,
    )
    .await;

    assert!(matches!(acted, Err(Error::Unauthenticated(_))), "{acted:?}");
    assert!(scenario.list(scenario.ana).await.is_empty());
    assert_eq!(
        scenario.database.count(&format!("notifications WHERE created_at > '{NOON}'")).await,
        0
    );
}

async fn prefer(scenario: &Scenario, user: UserId, preferences: &str) {
    let sql = format!("UPDATE users SET profile_preferences = '{preferences}' WHERE id = {user}");
    scenario.database.execute(&sql).await;
}
