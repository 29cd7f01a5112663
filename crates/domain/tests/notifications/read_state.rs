use grateful_domain::NotificationId;
use uuid::Uuid;

use crate::scenario::{BEN, CARO, DAN, Scenario, comment, heart};

#[test]
fn reading_an_unknown_notification_returns_false() {
    let mut scenario = batch_and_single();

    assert!(!scenario.inbox.mark_read(NotificationId::from(Uuid::from_u128(0xdead)), scenario.now));

    assert_eq!(scenario.inbox.counts().unread, 2);
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
