use chrono::TimeDelta;
use grateful_domain::notification::{Act, WithdrawnNotification};
use grateful_storage::Repositories;

use super::scenario::World;

#[tokio::test]
async fn what_was_read_and_is_old_goes_with_its_entries_and_nothing_else_does() {
    let mut world = World::create().await;
    let people: [_; 2] = world.people().await;
    world.tell_ana(&people, world.heart()).await;
    world.tell_ana(&people[..1], Act::FollowRequest).await;
    let ana = world.ana;
    let batch = world.list_of(ana).await[1].notification.id;
    world.conn.notifications().mark_read(ana, batch, world.now).await.unwrap();
    world.wait(TimeDelta::days(90));
    world.tell_ana(&people[1..], Act::FollowRequest).await;
    let newest = world.list_of(ana).await[0].notification.id;
    world.conn.notifications().mark_read(ana, newest, world.now).await.unwrap();
    let before = world.now - TimeDelta::days(30);

    assert_eq!(world.conn.notifications().delete_read_before(before, 100).await.unwrap(), 1);

    assert_eq!(world.told(ana).await, ["N wants to follow you", "* N wants to follow you"]);
    assert_eq!(world.rows().await, 2);
    assert_eq!(world.conn.notifications().delete_read_before(before, 100).await.unwrap(), 0);
}

#[tokio::test]
async fn old_ones_go_in_steps() {
    let mut world = World::create().await;
    let people: [_; 5] = world.people().await;
    world.tell_ana(&people, Act::FollowRequest).await;
    world.conn.notifications().mark_all_read(world.ana, world.now, 0).await.unwrap();
    world.wait(TimeDelta::days(1));
    let mut steps = Vec::new();

    while steps.last() != Some(&0) {
        steps.push(world.conn.notifications().delete_read_before(world.now, 2).await.unwrap());
    }

    assert_eq!(steps, [2, 2, 1, 0]);
}

/// Its act is still done; undoing it, and doing it again, is news like anything else.
#[tokio::test]
async fn what_has_gone_by_its_age_is_undone_without_a_trace() {
    let mut world = World::create().await;
    let [ben] = world.people().await;
    world.tell_ana(&[ben], world.heart()).await;
    world.conn.notifications().mark_all_read(world.ana, world.now, 0).await.unwrap();
    world.wait(TimeDelta::days(90));
    world.conn.notifications().delete_read_before(world.now, 10).await.unwrap();

    world.withdraw(&[world.to_ana(ben, world.heart())]).await;
    assert_eq!(world.rows().await, 0);
    world.tell_ana(&[ben], world.heart()).await;

    assert_eq!(world.told(world.ana).await, ["* N liked your post"]);
}

#[tokio::test]
async fn old_removals_are_forgotten_and_how_far_is_known() {
    let mut world = World::create().await;
    let people: [_; 3] = world.people().await;
    world.tell_ana(&people, Act::FollowRequest).await;
    let mut removed_at = Vec::new();
    for person in people {
        world.withdraw(&[world.to_ana(person, Act::FollowRequest)]).await;
        removed_at.push(world.now);
        world.wait(TimeDelta::hours(1));
    }
    let ana = world.ana;
    let numbers: Vec<_> = {
        let changes = world.conn.notifications().list_changes(ana, 0, 10).await.unwrap();
        changes.iter().map(|change| change.seq).collect()
    };

    let forgotten = world.conn.notifications().prune_removals(removed_at[2], 1).await.unwrap();
    assert_eq!(forgotten, 1);
    let position = world.conn.notifications().find_inbox_position(ana).await.unwrap();
    assert_eq!(position.forgotten_seq, numbers[0]);
    assert_eq!(world.conn.notifications().prune_removals(removed_at[2], 9).await.unwrap(), 1);
    assert_eq!(world.conn.notifications().prune_removals(removed_at[2], 9).await.unwrap(), 0);

    let position = world.conn.notifications().find_inbox_position(ana).await.unwrap();
    assert_eq!((position.forgotten_seq, position.last_seq), (numbers[1], numbers[2]));
    assert_eq!(world.conn.notifications().list_changes(ana, 0, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_was_withdrawn_long_ago_is_forgotten_and_news_again() {
    let mut world = World::create().await;
    let [ben, caro] = world.people().await;
    world.tell_ana(&[ben, caro], Act::FollowRequest).await;
    world.withdraw(&[world.to_ana(ben, Act::FollowRequest)]).await;
    world.wait(WithdrawnNotification::RESTORE_WINDOW);
    world.withdraw(&[world.to_ana(caro, Act::FollowRequest)]).await;
    world.wait(TimeDelta::seconds(1));

    let before = world.now - WithdrawnNotification::RESTORE_WINDOW;
    let forgotten = world.conn.notifications().prune_withdrawn(before).await.unwrap();

    assert_eq!(forgotten, 1);
    let of_caro = format!("withdrawn_notifications WHERE actor_id = {caro}");
    assert_eq!(world.database.count(&of_caro).await, 1);
    world.tell_ana(&[ben], Act::FollowRequest).await;
    assert!(
        WithdrawnNotification::RESTORE_WINDOW
            < world.only().await.notification.created_at - world.post.created_at
    );
}
