use chrono::TimeDelta;
use grateful_domain::notification::Act;
use grateful_domain::{Emoji, NotificationId};
use grateful_storage::{InboxChangeKind, InboxPosition, Repositories};

use super::scenario::{World, line};

/// Whoever never was told anything has come nowhere.
#[tokio::test]
async fn a_list_that_never_was_is_at_its_beginning() {
    let mut world = World::create().await;

    let position = world.conn.notifications().find_inbox_position(world.ana).await.unwrap();

    assert_eq!(position, InboxPosition { last_seq: 0, forgotten_seq: 0 });
    assert_eq!(world.conn.notifications().list_changes(world.ana, 0, 10).await.unwrap(), []);
}

#[tokio::test]
async fn each_step_of_a_list_is_given_in_its_order_and_once() {
    let mut world = World::create().await;
    let [ben, caro] = world.people().await;
    let mut after = 0;

    world.tell_ana(&[ben], world.heart()).await;
    let single = world.only().await.notification.id;
    assert_eq!(changes(&mut world, &mut after).await, ["shown: * N liked your post"]);
    assert_eq!(changes(&mut world, &mut after).await, [""; 0]);

    world.tell_ana(&[caro], world.heart()).await;
    let batch = world.only().await.notification.id;
    assert_eq!(
        changes(&mut world, &mut after).await,
        [format!("removed: {single}"), "shown: * 2 people engaged with your post".to_owned()]
    );

    world.conn.notifications().mark_read(world.ana, batch, world.now).await.unwrap();
    assert_eq!(changes(&mut world, &mut after).await, ["shown: 2 people engaged with your post"]);

    world.withdraw(&[world.to_ana(ben, world.heart())]).await;
    assert_eq!(changes(&mut world, &mut after).await, ["shown: N liked your post"]);

    world.withdraw(&[world.to_ana(caro, world.heart())]).await;
    assert_eq!(changes(&mut world, &mut after).await, [format!("removed: {batch}")]);
    let position = world.conn.notifications().find_inbox_position(world.ana).await.unwrap();
    assert!(after <= position.last_seq);
}

#[tokio::test]
async fn of_what_changed_often_the_last_change_is_given() {
    let mut world = World::create().await;
    let people: [_; 5] = world.people().await;
    world.tell_ana(&people[..1], Act::FollowRequest).await;
    world.tell_ana(&people, world.heart()).await;

    let all = changes(&mut world, &mut 0).await;

    let shown: Vec<_> = all.iter().filter(|it| it.starts_with("shown")).collect();
    assert_eq!(
        shown,
        ["shown: * N wants to follow you", "shown: * 5 people engaged with your post"]
    );
}

#[tokio::test]
async fn changes_come_in_portions_that_leave_none_out() {
    let mut world = World::create().await;
    let people: [_; 5] = world.people().await;
    world.tell_ana(&people, Act::FollowRequest).await;
    world.withdraw(&[world.to_ana(people[1], Act::FollowRequest)]).await;
    let mut numbers = Vec::new();

    loop {
        let after = numbers.last().copied().unwrap_or(0);
        let portion = world.conn.notifications().list_changes(world.ana, after, 2).await.unwrap();
        assert!(portion.len() <= 2);
        numbers.extend(portion.iter().map(|change| change.seq));
        if portion.is_empty() {
            break;
        }
    }

    assert_eq!(numbers.len(), 5);
    assert!(numbers.is_sorted_by(|a, b| a < b));
}

/// It reads the same, so there is nothing to tell a stream of.
#[tokio::test]
async fn what_reads_as_before_is_no_change() {
    let mut world = World::create().await;
    let [ben, caro] = world.people().await;
    world.tell_ana(&[ben], world.reaction()).await;
    world.tell_ana(&[caro], world.reaction()).await;
    let batch = world.only().await.notification.id;
    let entry = world.entries(batch).await[0].notification.id;
    let mut after = 0;
    changes(&mut world, &mut after).await;

    for (who, emoji) in [(ben, Emoji::Fire), (caro, Emoji::Hug)] {
        let cause = world.to_ana(who, world.reaction());
        world.conn.notifications().update_reaction(cause, emoji, world.now).await.unwrap();
    }
    world.conn.notifications().mark_read(world.ana, entry, world.now).await.unwrap();
    world.tell_ana(&[ben], world.reaction()).await;
    world.withdraw(&[world.to_ana(ben, world.heart())]).await;

    assert_eq!(changes(&mut world, &mut after).await, [""; 0]);
}

#[tokio::test]
async fn what_is_taken_away_with_a_post_leaves_the_lists_that_it_was_in() {
    let mut world = World::create().await;
    let [ben, caro] = world.people().await;
    world.tell_ana(&[ben, caro], world.heart()).await;
    let mention = Act::Mention { post: world.post.id, comment: None };
    world.record(&[world.to_ana(ben, mention)]).await;
    let ids: Vec<_> =
        world.list_of(world.ana).await.into_iter().map(|it| it.notification.id).collect();
    let mut after = 0;
    changes(&mut world, &mut after).await;

    world.conn.notifications().withdraw_for_post(world.post.id, world.now).await.unwrap();

    let mut gone = changes(&mut world, &mut after).await;
    gone.sort();
    let mut expected: Vec<_> = ids.iter().map(|id| format!("removed: {id}")).collect();
    expected.sort();
    assert_eq!(gone, expected);
}

#[tokio::test]
async fn reading_all_is_a_change_of_each_that_was_unread() {
    let mut world = World::create().await;
    let people: [_; 3] = world.people().await;
    world.tell_ana(&people, Act::FollowRequest).await;
    let oldest: NotificationId = world.list_of(world.ana).await[2].notification.id;
    world.conn.notifications().mark_read(world.ana, oldest, world.now).await.unwrap();
    let mut after = 0;
    changes(&mut world, &mut after).await;

    let (ana, now) = (world.ana, world.now);
    world.conn.notifications().mark_all_read(ana, now, after).await.unwrap();

    let shown = changes(&mut world, &mut after).await;
    assert_eq!(shown, ["shown: N wants to follow you"; 2]);
    assert_eq!(world.conn.notifications().find_inbox_position(ana).await.unwrap().last_seq, after);
}

#[tokio::test]
async fn what_came_back_is_shown_again_behind_its_removal() {
    let mut world = World::create().await;
    let [ben] = world.people().await;
    world.tell_ana(&[ben], world.heart()).await;
    let id = world.only().await.notification.id;
    world.withdraw(&[world.to_ana(ben, world.heart())]).await;
    world.wait(TimeDelta::hours(1));
    world.tell_ana(&[ben], world.heart()).await;

    let all = changes(&mut world, &mut 0).await;

    assert_eq!(all, [format!("removed: {id}"), "shown: * N liked your post".to_owned()]);
}

#[tokio::test]
async fn positions_of_many_lists_are_those_of_each() {
    let mut world = World::create().await;
    let [ben, caro] = world.people().await;
    world.tell_ana(&[ben, caro], world.heart()).await;
    let ana = world.ana;

    let positions = world.conn.notifications().find_last_seqs(&[ana, ben]).await.unwrap();

    let own = world.conn.notifications().find_inbox_position(ana).await.unwrap();
    assert_eq!(positions.get(&ana), Some(&own.last_seq));
    assert_eq!(positions.get(&ben), None);
}

/// The changes of Ana's list behind this number, which moves on.
async fn changes(world: &mut World, after: &mut i64) -> Vec<String> {
    let changes = world.conn.notifications().list_changes(world.ana, *after, 100).await.unwrap();
    assert!(changes.is_sorted_by(|a, b| a.seq < b.seq));
    *after = changes.last().map_or(*after, |change| change.seq);
    let told = changes.into_iter().map(|change| match change.what {
        InboxChangeKind::Shown(seen) => format!("shown: {}", line(&seen)),
        InboxChangeKind::Removed(id) => format!("removed: {id}"),
    });
    told.collect()
}
