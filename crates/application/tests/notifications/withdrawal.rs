//! Notifications that undoing an act withdraws (docs/rules.md#notification-invariants).

use grateful_application::{accounts, comments, hearts, posts, shares};
use grateful_domain::notification::Act;
use grateful_domain::{Emoji, PostEdit, Visibility};
use grateful_storage::Repositories;
use grateful_testkit::{Scenario, a_post, create_user_named};

use crate::support::{event, insert_post, is_read};

#[tokio::test]
async fn undoing_an_act_withdraws_its_notification() {
    let scenario = Scenario::create().await;
    let none = Vec::<String>::new();

    scenario.add_heart(scenario.ben).await;
    scenario.remove_heart(scenario.ben).await;
    assert_eq!(scenario.messages(scenario.ana).await, none);
    scenario.set_reaction(scenario.ben, Emoji::Joy).await;
    scenario.remove_reaction(scenario.ben).await;
    assert_eq!(scenario.messages(scenario.ana).await, none);
    scenario.share_link(scenario.ben).await;
    shares::delete(&scenario.app, scenario.ben, scenario.post.id).await.unwrap();
    assert_eq!(scenario.messages(scenario.ana).await, none);
    let comment = scenario.comment(scenario.ben, "So kind").await;
    comments::delete(&scenario.app, scenario.ben, comment).await.unwrap();

    assert_eq!(scenario.messages(scenario.ana).await, none);
    assert_eq!(scenario.counts(scenario.ana).await, (0, 0));
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn deleting_a_comment_withdraws_the_notifications_of_its_replies() {
    let scenario = Scenario::create().await;
    let dora = create_user_named(&scenario.database, "dora").await;
    let by_ben = scenario.comment(scenario.ben, "So kind").await;
    let by_caro = scenario.reply(scenario.caro, by_ben, "Indeed").await;
    scenario.reply(dora, by_caro, "Very").await;
    scenario.comment(dora, "Lovely").await;
    assert_eq!(scenario.messages(scenario.ana).await, ["3 people commented on your post"]);

    comments::delete(&scenario.app, scenario.ana, by_ben).await.unwrap();

    assert_eq!(scenario.messages(scenario.ana).await, ["dora commented on your post: Lovely"]);
    assert!(scenario.list(scenario.ben).await.is_empty());
    assert!(scenario.list(scenario.caro).await.is_empty());
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn deleting_a_post_withdraws_all_notifications_about_it() {
    let scenario = Scenario::create().await;
    let other = insert_post(&scenario.database, scenario.ana).await;
    hearts::add(&scenario.app, scenario.ben, other).await.unwrap();
    scenario.add_heart(scenario.ben).await;
    scenario.add_heart(scenario.caro).await;
    scenario.share_link(scenario.ben).await;
    scenario.send_message(scenario.ben, &[scenario.caro]).await;
    let comment = scenario.comment(scenario.ben, "So kind").await;
    scenario.reply(scenario.caro, comment, "Indeed").await;

    posts::delete(&scenario.app, scenario.ana, scenario.post.id, |_| true).await.unwrap();

    assert_eq!(scenario.messages(scenario.ana).await, ["ben liked your post"]);
    assert!(scenario.list(scenario.ben).await.is_empty());
    assert!(scenario.list(scenario.caro).await.is_empty());
    assert_eq!(scenario.database.count("notifications").await, 1);
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn hiding_a_post_withdraws_mentions_and_shares_but_not_the_notifications_of_its_author() {
    let scenario = Scenario::create().await;
    let dora = create_user_named(&scenario.database, "dora").await;
    scenario.add_heart(scenario.ben).await;
    scenario.share_link(scenario.ben).await;
    scenario.send_message(scenario.ben, &[scenario.caro, scenario.ana]).await;
    let mention = Act::Mention { post: scenario.post.id, comment: None };
    let mention = event(dora, scenario.ana, mention, scenario.post.created_at);
    scenario.database.connect().await.notifications().record(&[mention]).await.unwrap();
    assert_eq!(scenario.counts(scenario.caro).await, (1, 1));
    assert_eq!(scenario.counts(dora).await, (1, 1));
    let before = scenario.list(scenario.ana).await;

    hide_post(&scenario).await;

    assert_eq!(scenario.list(scenario.ana).await, before);
    assert_eq!(before.len(), 3);
    assert!(scenario.list(scenario.caro).await.is_empty());
    assert!(scenario.list(dora).await.is_empty());
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn deleting_an_account_removes_its_acts_from_batches() {
    let scenario = Scenario::create().await;
    let dora = create_user_named(&scenario.database, "dora").await;
    for user in [scenario.ben, scenario.caro, dora] {
        scenario.add_heart(user).await;
    }
    scenario.set_reaction(dora, Emoji::Star).await;
    scenario.share_link(dora).await;
    scenario.send_message(dora, &[scenario.ben]).await;
    scenario.comment(scenario.ben, "So kind").await;
    let comment = scenario.comment(dora, "Lovely").await;
    scenario.reply(scenario.ben, comment, "Indeed").await;
    scenario.mark_all_read(scenario.ana).await;
    let by_dora = a_post().by(dora).insert_into(&scenario.database).await.id;
    hearts::add(&scenario.app, scenario.ben, by_dora).await.unwrap();

    accounts::delete(&scenario.app, dora).await.unwrap();

    let expected = ["ben commented on your post: So kind", "2 people engaged with your post"];
    let list = scenario.list(scenario.ana).await;
    let mut messages: Vec<String> = list.iter().map(crate::support::message_of).collect();
    messages.sort_unstable_by_key(|message| message.starts_with('2'));
    assert_eq!(messages, expected);
    assert!(list.iter().all(is_read));
    let engaged =
        list.iter().find(|item| 1 < item.notification.batch_counts().actor_count).unwrap();
    assert_eq!(engaged.notification.batch_counts().child_count, 2);
    assert!(scenario.list(scenario.ben).await.is_empty());
    assert_eq!(scenario.database.count(&format!("notifications WHERE actor_id = {dora}")).await, 0);
    scenario.assert_consistent().await;
}

#[tokio::test]
async fn deleting_an_account_with_several_batches_of_notifications_keeps_counts_consistent() {
    let scenario = Scenario::create().await;
    scenario
        .database
        .execute(&format!(
            "INSERT INTO posts (id, author_id, content, is_public)
             SELECT gen_random_uuid(), {ana}, 'x', true FROM generate_series(1, 450);
             UPDATE users SET posts_count = 451, public_posts_count = 451 WHERE id = {ana};
             UPDATE posts SET hearts_count = 1;
             INSERT INTO likes (id, user_id, post_id)
             SELECT gen_random_uuid(), {ben}, id FROM posts;
             INSERT INTO inboxes (user_id, last_seq, unread_count, total_count) VALUES ({ana}, 451, 451, 451);
             INSERT INTO notifications
                 (id, user_id, actor_id, type, title, message, act, post_id, batch_key, batch_count, actor_count, seq)
             SELECT gen_random_uuid(), {ana}, {ben}, 'like', 'New Like', 'x', 'like:post:' || id, id,
                 'post_interaction:post:' || id, 1, 1, row_number() OVER ()
             FROM posts",
            ana = scenario.ana,
            ben = scenario.ben,
        ))
        .await;
    scenario.assert_consistent().await;
    scenario.add_heart(scenario.caro).await;

    accounts::delete(&scenario.app, scenario.ben).await.unwrap();

    assert_eq!(scenario.messages(scenario.ana).await, ["caro liked your post"]);
    scenario.assert_consistent().await;
}

async fn hide_post(scenario: &Scenario) {
    let edit = PostEdit { visibility: Some(Visibility::Private), ..PostEdit::default() };
    posts::update(&scenario.app, scenario.ana, scenario.post.id, edit, |_| true).await.unwrap();
}
