//! Withdrawing many notifications at once. `inbox_model` compares the rest with the inbox of the domain.

use grateful_domain::ShareId;
use grateful_domain::notification::{Act, BatchCounts, Cause};
use grateful_storage::Repositories;
use grateful_test_database::{a_comment, a_post};
use uuid::Uuid;

use super::scenario::Scenario;

#[tokio::test]
async fn several_causes_are_withdrawn_from_several_batches_at_once() {
    let mut scenario = Scenario::create().await;
    let actors: [_; 3] = scenario.create_users().await;
    let [ben, caro, dan] = actors;
    scenario.notify_ana(&actors, scenario.heart()).await;
    scenario.notify_ana(&[dan], scenario.reaction()).await;
    let follow = Cause { recipient: ben, actor: caro, act: Act::Follow };
    scenario.record(&[follow]).await;

    scenario
        .withdraw(&[
            scenario.cause_for_ana(dan, scenario.heart()),
            scenario.cause_for_ana(ben, scenario.heart()),
            follow,
            scenario.cause_for_ana(dan, scenario.reaction()),
        ])
        .await;

    let batch = scenario.only_notification().await.notification;
    assert_eq!(
        (batch.batch, batch.actor),
        (Some(BatchCounts { child_count: 1, actor_count: 1 }), Some(caro))
    );
    assert_eq!(scenario.messages_for(ben).await, [""; 0]);
}

#[tokio::test]
async fn withdrawing_for_comments_deletes_all_notifications_about_them() {
    let mut scenario = Scenario::create().await;
    let [ben, caro] = scenario.create_users().await;
    let first = scenario.create_comment_by(ben).await;
    let reply = a_comment().by(caro).replying_to(&first).insert_into(&scenario.database).await;
    let other = scenario.create_comment_by(caro).await;
    let post = scenario.post.id;
    let reply_act = Act::Reply { post, comment: reply.id, parent: first.id };
    let mention = Act::Mention { post, comment: Some(reply.id) };
    scenario
        .record(&[
            scenario.cause_for_ana(ben, Act::Comment { post, comment: first.id }),
            Cause { recipient: ben, actor: caro, act: reply_act },
            scenario.cause_for_ana(caro, mention),
            scenario.cause_for_ana(caro, Act::Comment { post, comment: other.id }),
            scenario.cause_for_ana(caro, scenario.heart()),
        ])
        .await;

    let deleted = [first.id, reply.id];
    scenario.conn.notifications().withdraw_for_comments(&deleted, scenario.now).await.unwrap();

    assert_eq!(scenario.messages_for(ben).await, [""; 0]);
    let mut messages = scenario.messages_for(scenario.ana).await;
    messages.sort();
    assert_eq!(messages, ["* N commented on your post: How lovely", "* N liked your post"]);
}

#[tokio::test]
async fn hiding_a_post_withdraws_its_mentions_and_messages() {
    let mut scenario = Scenario::create().await;
    let [ben, caro] = scenario.create_users().await;
    let (post, ana) = (scenario.post.id, scenario.ana);
    let comment = scenario.create_comment_by(caro).await.id;
    let message = Act::MessageShare { post, share: ShareId::from(Uuid::from_u128(1)) };
    scenario
        .record(&[
            Cause { recipient: ben, actor: ana, act: Act::Mention { post, comment: None } },
            Cause {
                recipient: ben,
                actor: caro,
                act: Act::Mention { post, comment: Some(comment) },
            },
            Cause { recipient: ben, actor: caro, act: message },
            Cause { recipient: ben, actor: caro, act: Act::Follow },
            scenario.cause_for_ana(caro, message),
            scenario.cause_for_ana(caro, Act::LinkShare { post }),
            scenario.cause_for_ana(caro, Act::Comment { post, comment }),
            scenario.cause_for_ana(caro, scenario.heart()),
        ])
        .await;

    scenario
        .conn
        .notifications()
        .withdraw_hidden_post_batch(post, ana, 10, scenario.now)
        .await
        .unwrap();

    assert_eq!(scenario.messages_for(ben).await, ["* N started following you"]);
    assert_eq!(scenario.list_for(ana).await.len(), 4);
}

#[tokio::test]
async fn a_block_withdraws_only_notifications_between_the_two_users() {
    let mut scenario = Scenario::create().await;
    let [ben, caro] = scenario.create_users().await;
    let ana = scenario.ana;
    scenario.notify_ana(&[ben, caro], scenario.heart()).await;
    scenario
        .record(&[
            Cause { recipient: ben, actor: ana, act: Act::Follow },
            Cause { recipient: ben, actor: caro, act: Act::Follow },
            Cause { recipient: caro, actor: ben, act: Act::Follow },
            scenario.cause_for_ana(ben, Act::FollowRequest),
        ])
        .await;

    scenario.conn.notifications().withdraw_batch_between(ana, ben, 10, scenario.now).await.unwrap();

    assert_eq!(scenario.messages_for(ana).await, ["* N liked your post"]);
    let [remaining] = &scenario.list_for(ben).await[..] else { panic!("expected one") };
    assert_eq!(remaining.notification.actor, Some(caro));
    assert_eq!(scenario.list_for(caro).await.len(), 1);
}

#[tokio::test]
async fn notifications_caused_by_a_user_are_withdrawn_in_batches() {
    let mut scenario = Scenario::create().await;
    let [ben, caro] = scenario.create_users().await;
    scenario.notify_ana(&[ben, caro], scenario.heart()).await;
    scenario.notify_ana(&[ben], scenario.reaction()).await;
    let follow_of_caro = Cause { recipient: caro, actor: ben, act: Act::Follow };
    scenario.record(&[follow_of_caro, scenario.cause_for_ana(ben, Act::Follow)]).await;
    let mut batch_sizes = Vec::new();

    while batch_sizes.last() != Some(&0) {
        let batch_size =
            scenario.conn.notifications().withdraw_batch_by(ben, 3, scenario.now).await.unwrap();
        batch_sizes.push(batch_size);
    }

    assert_eq!(batch_sizes, [3, 1, 0]);
    assert_eq!(scenario.messages_for(scenario.ana).await, ["* N liked your post"]);
    assert_eq!(scenario.messages_for(caro).await, [""; 0]);
}

#[tokio::test]
async fn withdrawing_for_a_post_deletes_all_notifications_about_it() {
    let mut scenario = Scenario::create().await;
    let actors: [_; 3] = scenario.create_users().await;
    let [ben, caro, _] = actors;
    let other = a_post().by(scenario.ana).insert_into(&scenario.database).await.id;
    scenario.notify_ana(&actors, scenario.heart()).await;
    let mention = Act::Mention { post: scenario.post.id, comment: None };
    scenario
        .record(&[
            Cause { recipient: ben, actor: scenario.ana, act: mention },
            Cause { recipient: ben, actor: caro, act: Act::Follow },
            scenario.cause_for_ana(caro, Act::Heart { post: other }),
        ])
        .await;

    scenario
        .conn
        .notifications()
        .withdraw_post_batch(scenario.post.id, 10, scenario.now)
        .await
        .unwrap();

    assert_eq!(scenario.messages_for(scenario.ana).await, ["* N liked your post"]);
    assert_eq!(scenario.messages_for(ben).await, ["* N started following you"]);
    assert_eq!(scenario.count_notifications().await, 2);
    // Repeating it has no effect.
    scenario
        .conn
        .notifications()
        .withdraw_post_batch(scenario.post.id, 10, scenario.now)
        .await
        .unwrap();
    assert_eq!(scenario.count_notifications().await, 2);
}

#[tokio::test]
async fn a_list_is_deleted_in_batches_and_children_are_deleted_with_their_parent() {
    let mut scenario = Scenario::create().await;
    let [ben, caro] = scenario.create_users().await;
    scenario.notify_ana(&[ben, caro], scenario.heart()).await;
    scenario.notify_ana(&[ben, caro], Act::FollowRequest).await;
    let mut batch_sizes = Vec::new();

    while batch_sizes.last() != Some(&0) {
        batch_sizes
            .push(scenario.conn.notifications().delete_batch_of(scenario.ana, 2).await.unwrap());
        let orphans = "notifications AS it WHERE parent_id IS NOT NULL
            AND NOT EXISTS (SELECT FROM notifications WHERE id = it.parent_id)";
        assert_eq!(scenario.database.count(orphans).await, 0);
    }

    assert_eq!(batch_sizes, [2, 1, 0]);
    assert_eq!(scenario.count_notifications().await, 0);
}
