use grateful_domain::NotificationId;
use uuid::Uuid;

use crate::scenario::{BEN, CARO, DAN, Scenario, comment, heart};

#[test]
fn only_top_level_notifications_count_as_unread() {
    let scenario = batch_and_single();

    assert_eq!(scenario.all().len(), 4);
    assert_eq!(scenario.inbox.unread_count(), 2);
}

#[test]
fn reading_a_batch_reads_its_children_and_no_other_notification() {
    let mut scenario = batch_and_single();

    scenario.mark_read(1);

    assert_eq!(
        scenario.messages(),
        ["* Dan commented on your post: How lovely", "2 people engaged with your post"]
    );
    assert_eq!(scenario.child_messages(1), ["Caro liked your post", "Ben liked your post"]);
    assert_eq!(scenario.inbox.unread_count(), 1);
}

#[test]
fn reading_a_child_does_not_read_its_batch_or_its_siblings() {
    let mut scenario = batch_and_single();
    let batch = scenario.inbox.top_level()[1].id;
    let newest = scenario.inbox.children(batch)[0].id;

    assert!(scenario.inbox.mark_read(newest, scenario.now));

    assert_eq!(scenario.inbox.unread_count(), 2);
    assert_eq!(scenario.child_messages(1), ["Caro liked your post", "* Ben liked your post"]);
}

#[test]
fn reading_again_keeps_the_first_read_time() {
    let mut scenario = batch_and_single();
    scenario.mark_read(0);
    let before = scenario.inbox.top_level()[0].clone();
    scenario.advance_minutes(1);

    scenario.mark_read(0);

    assert_eq!(*scenario.inbox.top_level()[0], before);
    assert!(before.read_at.is_some());
}

#[test]
fn reading_an_unknown_notification_returns_false() {
    let mut scenario = batch_and_single();

    assert!(!scenario.inbox.mark_read(NotificationId::from(Uuid::from_u128(0xdead)), scenario.now));

    assert_eq!(scenario.inbox.unread_count(), 2);
}

#[test]
fn reading_all_returns_the_number_of_unread_top_level_notifications() {
    let mut scenario = batch_and_single();
    scenario.mark_read(0);

    assert_eq!(scenario.inbox.mark_all_read(scenario.now), 1);

    assert!(scenario.all().iter().all(|notification| notification.read_at.is_some()));
    assert_eq!(scenario.inbox.mark_all_read(scenario.now), 0);
}

#[test]
fn joining_makes_a_batch_unread_but_not_its_other_children() {
    let mut scenario = batch_and_single();
    scenario.mark_read(1);
    scenario.advance_minutes(1);

    scenario.act(DAN, heart());

    assert_eq!(
        scenario.messages(),
        ["* 3 people engaged with your post", "* Dan commented on your post: How lovely"]
    );
    assert_eq!(
        scenario.child_messages(0),
        ["* Dan liked your post", "Caro liked your post", "Ben liked your post"]
    );
}

/// The single notification stays read as a child.
#[test]
fn a_batch_converted_from_a_read_notification_is_unread() {
    let mut scenario = Scenario::new();
    scenario.act(BEN, heart());
    scenario.mark_read(0);
    scenario.advance_minutes(1);

    scenario.act(CARO, heart());

    assert_eq!(scenario.messages(), ["* 2 people engaged with your post"]);
    assert_eq!(scenario.child_messages(0), ["* Caro liked your post", "Ben liked your post"]);
}

fn batch_and_single() -> Scenario {
    let mut scenario = Scenario::new();
    scenario.act(BEN, heart());
    scenario.advance_minutes(1);
    scenario.act(CARO, heart());
    scenario.advance_minutes(1);
    scenario.act(DAN, comment(1));
    scenario.advance_minutes(1);
    scenario
}
