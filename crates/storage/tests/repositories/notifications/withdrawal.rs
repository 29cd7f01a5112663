use chrono::TimeDelta;
use grateful_domain::notification::{Act, BatchCounts, Cause};
use grateful_domain::{Emoji, ShareId};
use grateful_storage::Repositories;
use grateful_testkit::{a_comment, a_post};
use serde_json::json;
use uuid::Uuid;

use super::scenario::World;

#[tokio::test]
async fn a_single_goes_with_its_act() {
    let mut world = World::create().await;
    let [ben] = world.people().await;
    world.tell_ana(&[ben], world.heart()).await;

    world.withdraw(&[world.to_ana(ben, world.heart())]).await;

    assert_eq!(world.rows().await, 0);
}

#[tokio::test]
async fn a_batch_shows_what_is_left_and_goes_with_its_last_entry() {
    let mut world = World::create().await;
    let people: [_; 3] = world.people().await;
    let [ben, caro, dan] = people;
    world.tell_ana(&people, world.heart()).await;
    let batch = world.only().await.notification;
    world.conn.notifications().mark_read(world.ana, batch.id, world.now).await.unwrap();
    world.wait(TimeDelta::minutes(1));

    world.withdraw(&[world.to_ana(dan, world.heart())]).await;

    let seen = world.only().await;
    assert_eq!(seen.notification.batch, Some(BatchCounts { child_count: 2, actor_count: 2 }));
    assert_eq!((seen.notification.actor, seen.actor.map(|it| it.id)), (Some(caro), Some(caro)));
    assert_eq!(seen.notification.last_updated_at, batch.last_updated_at);
    assert!(seen.notification.read_at.is_some());

    world.withdraw(&[world.to_ana(caro, world.heart())]).await;
    assert_eq!(world.told(world.ana).await, ["N liked your post"]);
    world.withdraw(&[world.to_ana(ben, world.heart())]).await;
    assert_eq!(world.rows().await, 0);
}

#[tokio::test]
async fn several_are_taken_back_at_once_from_one_batch_and_from_others() {
    let mut world = World::create().await;
    let people: [_; 3] = world.people().await;
    let [ben, caro, dan] = people;
    world.tell_ana(&people, world.heart()).await;
    world.tell_ana(&[dan], world.reaction()).await;
    let followed = Cause { recipient: ben, actor: caro, act: Act::Follow };
    world.record(&[followed]).await;

    world
        .withdraw(&[
            world.to_ana(dan, world.heart()),
            world.to_ana(ben, world.heart()),
            followed,
            world.to_ana(dan, world.reaction()),
        ])
        .await;

    let batch = world.only().await.notification;
    assert_eq!(
        (batch.batch, batch.actor),
        (Some(BatchCounts { child_count: 1, actor_count: 1 }), Some(caro))
    );
    assert_eq!(world.told(ben).await, [""; 0]);
}

/// One person is counted as long as anything of them is left.
#[tokio::test]
async fn whoever_has_something_left_in_a_batch_is_still_counted() {
    let mut world = World::create().await;
    let [ben, caro] = world.people().await;
    world.tell_ana(&[ben, caro], world.heart()).await;
    world.tell_ana(&[ben], world.reaction()).await;

    world.withdraw(&[world.to_ana(ben, world.heart())]).await;
    assert_eq!(
        world.only().await.notification.batch,
        Some(BatchCounts { child_count: 2, actor_count: 2 })
    );
    world.withdraw(&[world.to_ana(caro, world.heart())]).await;

    assert_eq!(
        world.only().await.notification.batch,
        Some(BatchCounts { child_count: 1, actor_count: 1 })
    );
    assert_eq!(world.told(world.ana).await, ["* N reacted to your post with 🤗"]);
}

#[tokio::test]
async fn what_was_not_told_is_not_taken_back() {
    let mut world = World::create().await;
    let [ben, caro] = world.people().await;
    world.tell_ana(&[ben], world.heart()).await;
    let before = world.only().await;

    world.withdraw(&[]).await;
    world.withdraw(&[world.to_ana(caro, world.heart()), world.to_ana(ben, world.reaction())]).await;
    world.withdraw(&[Cause { recipient: caro, actor: ben, act: world.heart() }]).await;

    assert_eq!(world.only().await, before);
    assert_eq!(world.database.count("withdrawn_notifications").await, 0);
}

#[tokio::test]
async fn what_is_done_again_comes_back_as_it_was() {
    let mut world = World::create().await;
    let [ben, caro] = world.people().await;
    world.tell_ana(&[ben, caro], world.heart()).await;
    let batch = world.only().await;
    world
        .conn
        .notifications()
        .mark_read(world.ana, batch.notification.id, world.now)
        .await
        .unwrap();
    let (before, entries) = (world.only().await, world.entries(batch.notification.id).await);

    for _ in 0..10 {
        world.wait(TimeDelta::hours(24));
        world.withdraw(&[world.to_ana(ben, world.heart())]).await;
        world.record(&[world.to_ana(ben, world.heart())]).await;
    }

    assert_eq!(world.only().await, before);
    assert_eq!(world.entries(batch.notification.id).await, entries);
    assert_eq!(world.database.count("withdrawn_notifications").await, 0);
}

#[tokio::test]
async fn another_emoji_is_shown_without_being_news() {
    let mut world = World::create().await;
    let [ben, caro] = world.people().await;
    world.tell_ana(&[caro], world.heart()).await;
    world.tell_ana(&[ben], world.reaction()).await;
    let before = world.only().await.notification;
    world.conn.notifications().mark_read(world.ana, before.id, world.now).await.unwrap();
    let cause = world.to_ana(ben, world.reaction());

    world.conn.notifications().update_reaction(cause, Emoji::Fire, world.now).await.unwrap();

    let after = world.only().await.notification;
    assert_eq!(after.data["emoji_code"], json!("fire"));
    assert_eq!((after.last_updated_at, after.text), (before.last_updated_at, before.text));
    assert!(after.read_at.is_some());
    let newest = &world.entries(after.id).await[0];
    assert!(newest.notification.text.message.ends_with("reacted to your post with 🔥"));
}

#[tokio::test]
async fn another_emoji_of_somebody_whose_reaction_was_not_told_changes_nothing() {
    let mut world = World::create().await;
    let [ben] = world.people().await;
    world.tell_ana(&[ben], world.heart()).await;
    let before = world.only().await;
    let cause = world.to_ana(ben, world.reaction());

    world.conn.notifications().update_reaction(cause, Emoji::Fire, world.now).await.unwrap();

    assert_eq!(world.only().await, before);
}

#[tokio::test]
async fn what_was_told_of_comments_goes_with_them() {
    let mut world = World::create().await;
    let [ben, caro] = world.people().await;
    let first = world.comment_by(ben).await;
    let reply = a_comment().by(caro).replying_to(&first).insert_into(&world.database).await;
    let other = world.comment_by(caro).await;
    let post = world.post.id;
    let answered = Act::Reply { post, comment: reply.id, parent: first.id };
    let named = Act::Mention { post, comment: Some(reply.id) };
    world
        .record(&[
            world.to_ana(ben, Act::Comment { post, comment: first.id }),
            Cause { recipient: ben, actor: caro, act: answered },
            world.to_ana(caro, named),
            world.to_ana(caro, Act::Comment { post, comment: other.id }),
            world.to_ana(caro, world.heart()),
        ])
        .await;

    let gone = [first.id, reply.id];
    world.conn.notifications().withdraw_for_comments(&gone, world.now).await.unwrap();

    assert_eq!(world.told(ben).await, [""; 0]);
    let mut told = world.told(world.ana).await;
    told.sort();
    assert_eq!(told, ["* N commented on your post: How lovely", "* N liked your post"]);
}

#[tokio::test]
async fn a_post_that_is_hidden_takes_back_whom_it_names_and_to_whom_it_was_sent() {
    let mut world = World::create().await;
    let [ben, caro] = world.people().await;
    let (post, ana) = (world.post.id, world.ana);
    let comment = world.comment_by(caro).await.id;
    let sent = Act::MessageShare { post, share: ShareId::from(Uuid::from_u128(1)) };
    world
        .record(&[
            Cause { recipient: ben, actor: ana, act: Act::Mention { post, comment: None } },
            Cause {
                recipient: ben,
                actor: caro,
                act: Act::Mention { post, comment: Some(comment) },
            },
            Cause { recipient: ben, actor: caro, act: sent },
            Cause { recipient: ben, actor: caro, act: Act::Follow },
            world.to_ana(caro, sent),
            world.to_ana(caro, Act::LinkShare { post }),
            world.to_ana(caro, Act::Comment { post, comment }),
            world.to_ana(caro, world.heart()),
        ])
        .await;

    world.conn.notifications().withdraw_for_hidden_post(post, ana, world.now).await.unwrap();

    assert_eq!(world.told(ben).await, ["* N started following you"]);
    assert_eq!(world.list_of(ana).await.len(), 4);
}

#[tokio::test]
async fn a_block_takes_back_what_two_were_told_of_each_other_and_nothing_else() {
    let mut world = World::create().await;
    let [ben, caro] = world.people().await;
    let ana = world.ana;
    world.tell_ana(&[ben, caro], world.heart()).await;
    world
        .record(&[
            Cause { recipient: ben, actor: ana, act: Act::Follow },
            Cause { recipient: ben, actor: caro, act: Act::Follow },
            Cause { recipient: caro, actor: ben, act: Act::Follow },
            world.to_ana(ben, Act::FollowRequest),
        ])
        .await;

    world.conn.notifications().withdraw_between(ana, ben, world.now).await.unwrap();

    assert_eq!(world.told(ana).await, ["* N liked your post"]);
    let [left] = &world.list_of(ben).await[..] else { panic!("not one") };
    assert_eq!(left.notification.actor, Some(caro));
    assert_eq!(world.list_of(caro).await.len(), 1);
}

#[tokio::test]
async fn what_others_were_told_of_somebody_is_taken_back_in_steps() {
    let mut world = World::create().await;
    let [ben, caro] = world.people().await;
    world.tell_ana(&[ben, caro], world.heart()).await;
    world.tell_ana(&[ben], world.reaction()).await;
    let to_caro = Cause { recipient: caro, actor: ben, act: Act::Follow };
    world.record(&[to_caro, world.to_ana(ben, Act::Follow)]).await;
    let mut steps = Vec::new();

    while steps.last() != Some(&0) {
        let step = world.conn.notifications().withdraw_batch_by(ben, 3, world.now).await.unwrap();
        steps.push(step);
    }

    assert_eq!(steps, [3, 1, 0]);
    assert_eq!(world.told(world.ana).await, ["* N liked your post"]);
    assert_eq!(world.told(caro).await, [""; 0]);
}

#[tokio::test]
async fn what_anybody_was_told_of_a_post_goes_with_it_at_once() {
    let mut world = World::create().await;
    let people: [_; 3] = world.people().await;
    let [ben, caro, _] = people;
    let other = a_post().by(world.ana).insert_into(&world.database).await.id;
    world.tell_ana(&people, world.heart()).await;
    let named = Act::Mention { post: world.post.id, comment: None };
    world
        .record(&[
            Cause { recipient: ben, actor: world.ana, act: named },
            Cause { recipient: ben, actor: caro, act: Act::Follow },
            world.to_ana(caro, Act::Heart { post: other }),
        ])
        .await;

    world.conn.notifications().withdraw_for_post(world.post.id, world.now).await.unwrap();

    assert_eq!(world.told(world.ana).await, ["* N liked your post"]);
    assert_eq!(world.told(ben).await, ["* N started following you"]);
    assert_eq!(world.rows().await, 2);
    // Again there is nothing to do.
    world.conn.notifications().withdraw_for_post(world.post.id, world.now).await.unwrap();
    assert_eq!(world.rows().await, 2);
}

#[tokio::test]
async fn ones_own_list_is_emptied_in_steps_and_never_an_entry_before_its_batch() {
    let mut world = World::create().await;
    let [ben, caro] = world.people().await;
    world.tell_ana(&[ben, caro], world.heart()).await;
    world.tell_ana(&[ben, caro], Act::FollowRequest).await;
    let mut steps = Vec::new();

    while steps.last() != Some(&0) {
        steps.push(world.conn.notifications().delete_batch_of(world.ana, 2).await.unwrap());
        let orphans = "notifications AS it WHERE parent_id IS NOT NULL
            AND NOT EXISTS (SELECT FROM notifications WHERE id = it.parent_id)";
        assert_eq!(world.database.count(orphans).await, 0);
    }

    assert_eq!(steps, [2, 1, 0]);
    assert_eq!(world.rows().await, 0);
}
