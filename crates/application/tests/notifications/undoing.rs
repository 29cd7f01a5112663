//! What undoing an act takes back.

use grateful_application::{accounts, comments, hearts, posts, shares};
use grateful_domain::notification::Act;
use grateful_domain::{Emoji, PostEdit, Visibility};
use grateful_storage::Repositories;
use grateful_testkit::a_post;

use crate::support::{Stage, event, is_read, person, post_by};

#[tokio::test]
async fn whatever_is_undone_is_told_no_more() {
    let stage = Stage::set().await;
    let nothing = Vec::<String>::new();

    stage.heart(stage.ben).await;
    stage.unheart(stage.ben).await;
    assert_eq!(stage.told(stage.ana).await, nothing);
    stage.react(stage.ben, Emoji::Joy).await;
    stage.unreact(stage.ben).await;
    assert_eq!(stage.told(stage.ana).await, nothing);
    stage.link(stage.ben).await;
    shares::delete(&stage.app, stage.ben, stage.post.id).await.unwrap();
    assert_eq!(stage.told(stage.ana).await, nothing);
    let comment = stage.say(stage.ben, "So kind").await;
    comments::delete(&stage.app, stage.ben, comment).await.unwrap();

    assert_eq!(stage.told(stage.ana).await, nothing);
    assert_eq!(stage.counts(stage.ana).await, (0, 0));
    stage.assert_sound().await;
}

#[tokio::test]
async fn a_batch_loses_who_undoes_until_nothing_is_left_of_it() {
    let stage = Stage::set().await;
    stage.heart(stage.ben).await;
    stage.heart(stage.caro).await;
    stage.react(stage.caro, Emoji::Fire).await;
    let batch = stage.only(stage.ana).await.notification.id;

    stage.unheart(stage.caro).await;
    assert_eq!(stage.told(stage.ana).await, ["2 people engaged with your post"]);
    stage.unreact(stage.caro).await;
    let left = stage.only(stage.ana).await;
    assert_eq!(left.notification.id, batch);
    assert_eq!(left.notification.batch_counts().child_count, 1);
    assert_eq!(left.notification.text.message, "ben liked your post");
    assert_eq!(left.actor.unwrap().id, stage.ben);
    stage.unheart(stage.ben).await;

    assert_eq!(stage.counts(stage.ana).await, (0, 0));
    assert_eq!(stage.database.count("notifications").await, 0);
    stage.assert_sound().await;
}

#[tokio::test]
async fn undoing_makes_nothing_unread_and_moves_nothing_up() {
    let stage = Stage::set().await;
    stage.heart(stage.ben).await;
    stage.heart(stage.caro).await;
    stage.read_everything(stage.ana).await;
    let before = stage.only(stage.ana).await.notification;
    stage.clock.advance(chrono::TimeDelta::minutes(1));

    stage.unheart(stage.caro).await;

    let after = stage.only(stage.ana).await;
    assert!(is_read(&after));
    assert_eq!(after.notification.last_updated_at, before.last_updated_at);
    assert_eq!(after.notification.text.message, "ben liked your post");
}

#[tokio::test]
async fn a_comment_takes_all_that_was_told_of_answers_to_it_along() {
    let stage = Stage::set().await;
    let dora = person(&stage.database, "dora").await;
    let bens = stage.say(stage.ben, "So kind").await;
    let caros = stage.reply(stage.caro, bens, "Indeed").await;
    stage.reply(dora, caros, "Very").await;
    stage.say(dora, "Lovely").await;
    assert_eq!(stage.told(stage.ana).await, ["3 people commented on your post"]);

    comments::delete(&stage.app, stage.ana, bens).await.unwrap();

    assert_eq!(stage.told(stage.ana).await, ["dora commented on your post: Lovely"]);
    assert!(stage.list(stage.ben).await.is_empty());
    assert!(stage.list(stage.caro).await.is_empty());
    stage.assert_sound().await;
}

#[tokio::test]
async fn a_post_takes_all_along_that_anybody_was_told_of_it() {
    let stage = Stage::set().await;
    let other = post_by(&stage.database, stage.ana).await;
    hearts::add(&stage.app, stage.ben, other).await.unwrap();
    stage.heart(stage.ben).await;
    stage.heart(stage.caro).await;
    stage.link(stage.ben).await;
    stage.send(stage.ben, &[stage.caro]).await;
    let comment = stage.say(stage.ben, "So kind").await;
    stage.reply(stage.caro, comment, "Indeed").await;

    posts::delete(&stage.app, stage.ana, stage.post.id).await.unwrap();

    assert_eq!(stage.told(stage.ana).await, ["ben liked your post"]);
    assert!(stage.list(stage.ben).await.is_empty());
    assert!(stage.list(stage.caro).await.is_empty());
    assert_eq!(stage.database.count("notifications").await, 1);
    stage.assert_sound().await;
}

#[tokio::test]
async fn a_post_that_is_made_private_stays_with_its_author_and_leaves_whom_it_names_and_went_to() {
    let stage = Stage::set().await;
    let dora = person(&stage.database, "dora").await;
    stage.heart(stage.ben).await;
    stage.link(stage.ben).await;
    stage.send(stage.ben, &[stage.caro, stage.ana]).await;
    let mention = Act::Mention { post: stage.post.id, comment: None };
    let named = event(dora, stage.ana, mention, stage.post.created_at);
    stage.database.connect().await.notifications().record(&[named]).await.unwrap();
    assert_eq!(stage.counts(stage.caro).await, (1, 1));
    assert_eq!(stage.counts(dora).await, (1, 1));
    let before = stage.list(stage.ana).await;

    hide(&stage).await;

    assert_eq!(stage.list(stage.ana).await, before);
    assert_eq!(before.len(), 3);
    assert!(stage.list(stage.caro).await.is_empty());
    assert!(stage.list(dora).await.is_empty());
    stage.assert_sound().await;
}

#[tokio::test]
async fn a_batch_of_posts_sent_goes_whole_when_its_post_is_made_private() {
    let stage = Stage::set().await;
    let dora = person(&stage.database, "dora").await;
    stage.send(stage.ben, &[stage.caro]).await;
    stage.send(dora, &[stage.caro]).await;
    assert_eq!(stage.told(stage.caro).await, ["2 people sent you a post"]);

    hide(&stage).await;

    assert!(stage.list(stage.caro).await.is_empty());
    assert_eq!(stage.database.count("notifications").await, 0);
}

#[tokio::test]
async fn an_account_that_goes_leaves_the_batches_of_others_with_the_others() {
    let stage = Stage::set().await;
    let dora = person(&stage.database, "dora").await;
    for user in [stage.ben, stage.caro, dora] {
        stage.heart(user).await;
    }
    stage.react(dora, Emoji::Star).await;
    stage.link(dora).await;
    stage.send(dora, &[stage.ben]).await;
    stage.say(stage.ben, "So kind").await;
    let comment = stage.say(dora, "Lovely").await;
    stage.reply(stage.ben, comment, "Indeed").await;
    stage.read_everything(stage.ana).await;
    let bens = a_post().by(dora).insert_into(&stage.database).await.id;
    hearts::add(&stage.app, stage.ben, bens).await.unwrap();

    accounts::delete(&stage.app, dora).await.unwrap();

    let said = ["ben commented on your post: So kind", "2 people engaged with your post"];
    let list = stage.list(stage.ana).await;
    let mut told: Vec<String> = list.iter().map(crate::support::message).collect();
    told.sort_unstable_by_key(|message| message.starts_with('2'));
    assert_eq!(told, said);
    assert!(list.iter().all(is_read));
    let engaged = list.iter().find(|it| 1 < it.notification.batch_counts().actor_count).unwrap();
    assert_eq!(engaged.notification.batch_counts().child_count, 2);
    assert!(stage.list(stage.ben).await.is_empty());
    assert_eq!(stage.database.count(&format!("notifications WHERE actor_id = {dora}")).await, 0);
    stage.assert_sound().await;
}

#[tokio::test]
async fn an_account_with_more_than_one_step_of_notifications_goes_and_leaves_numbers_right() {
    let stage = Stage::set().await;
    stage
        .database
        .execute(&format!(
            "INSERT INTO posts (id, author_id, content, is_public)
             SELECT gen_random_uuid(), {ana}, 'x', true FROM generate_series(1, 450);
             UPDATE users SET posts_count = 451, public_posts_count = 451 WHERE id = {ana};
             UPDATE posts SET hearts_count = 1;
             INSERT INTO likes (id, user_id, post_id)
             SELECT gen_random_uuid(), {ben}, id FROM posts;
             INSERT INTO inboxes (user_id, last_seq) VALUES ({ana}, 451);
             INSERT INTO notifications
                 (id, user_id, actor_id, type, title, message, act, post_id, batch_key, batch_count, actor_count, seq)
             SELECT gen_random_uuid(), {ana}, {ben}, 'like', 'New Like', 'x', 'like:post:' || id, id,
                 'post_interaction:post:' || id, 1, 1, row_number() OVER ()
             FROM posts",
            ana = stage.ana,
            ben = stage.ben,
        ))
        .await;
    stage.assert_sound().await;
    stage.heart(stage.caro).await;

    accounts::delete(&stage.app, stage.ben).await.unwrap();

    assert_eq!(stage.told(stage.ana).await, ["caro liked your post"]);
    stage.assert_sound().await;
}

async fn hide(stage: &Stage) {
    let edit = PostEdit { visibility: Some(Visibility::Private), ..PostEdit::default() };
    posts::update(&stage.app, stage.ana, stage.post.id, edit, |_| true).await.unwrap();
}
