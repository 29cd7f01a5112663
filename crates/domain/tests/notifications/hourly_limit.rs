use chrono::TimeDelta;
use grateful_domain::notification::{Act, Deliverability};

use crate::scenario::{BEN, CARO, DAN, MICROSECOND, Scenario, ana, heart, post};

/// A user beside [`starter`]s.
const EVA: i64 = 6;

#[test]
fn each_type_has_its_own_limit() {
    let mut scenario = twenty_hearts();

    scenario.act(BEN, Act::Follow);

    assert_eq!(scenario.inbox.top_level().len(), 21);
    assert_eq!(scenario.inbox.held_back(), 0);
}

#[test]
fn converting_and_joining_are_not_limited() {
    let mut scenario = twenty_hearts();

    for actor in [EVA, EVA + 1] {
        for number in 0..20 {
            scenario.act(actor, heart_on(number));
        }
    }

    assert_eq!(scenario.inbox.held_back(), 0);
    assert!(scenario.inbox.top_level().iter().all(|batch| batch.batch_counts().actor_count == 3));
}

#[test]
fn restoring_is_not_limited() {
    let mut scenario = twenty_hearts();
    let before = scenario.all();

    for number in 0..20 {
        scenario.undo(starter(number), &heart_on(number));
        scenario.act(starter(number), heart_on(number));
    }

    assert_eq!(scenario.all(), before);
    assert_eq!(scenario.inbox.held_back(), 0);
}

/// A held-back event would have started a notification and closed the open one.
#[test]
fn a_held_back_event_changes_nothing() {
    let mut scenario = Scenario::new();
    scenario.act(BEN, heart());
    scenario.advance(TimeDelta::hours(1) + MICROSECOND);
    for number in 100..120 {
        scenario.act(starter(number), heart_on(number));
    }
    let before = scenario.all();

    scenario.act(EVA, heart());

    assert_eq!(scenario.inbox.held_back(), 1);
    assert_eq!(scenario.all(), before);
}

/// A held-back act has no notification to withdraw, and so none to restore.
#[test]
fn repeating_a_held_back_act_starts_a_notification() {
    let mut scenario = twenty_hearts();
    scenario.act(EVA, heart_on(20));
    scenario.undo(EVA, &heart_on(20));
    assert_eq!(scenario.inbox.top_level().len(), 20);
    scenario.advance(TimeDelta::hours(1));

    scenario.act(EVA, heart_on(20));

    assert_eq!(scenario.inbox.top_level()[0].created_at, scenario.now);
}

#[test]
fn skipped_events_do_not_count_toward_the_limit() {
    let mut scenario = Scenario::new();
    for number in 0..30 {
        scenario.act_with(BEN, heart_on(number), Deliverability::Blocked);
        scenario.act_with(BEN, heart_on(number), Deliverability::Muted);
        scenario.act(ana().into(), heart_on(number));
    }
    assert_eq!(scenario.all(), []);

    scenario.act(BEN, heart());

    assert_eq!(scenario.messages(), ["* Ben liked your post"]);
    assert_eq!(scenario.inbox.held_back(), 0);
}

/// Hearts by four users on twenty posts, a minute apart.
fn twenty_hearts() -> Scenario {
    let mut scenario = Scenario::new();
    for number in 0..20 {
        scenario.act(starter(number), heart_on(number));
        scenario.advance_minutes(1);
    }
    assert_eq!(scenario.inbox.top_level().len(), 20);
    scenario
}

/// The user who gives a heart to this post, so that no user gives more than five of twenty.
fn starter(number: u128) -> i64 {
    [BEN, CARO, DAN, 5][usize::try_from(number % 4).unwrap()]
}

fn heart_on(number: u128) -> Act {
    Act::Heart { post: post(number) }
}
