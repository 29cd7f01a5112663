use chrono::TimeDelta;
use grateful_domain::notification::{Act, Deliverability};

use crate::story::{BEN, CARO, DAN, MOMENT, Story, ana, heart, post};

#[test]
fn the_twenty_first_of_a_type_within_the_hour_is_held_back_and_counted() {
    let mut story = twenty_hearts();

    story.act(BEN, heart_on(20));

    assert_eq!(story.inbox.top_level().len(), 20);
    assert_eq!(story.inbox.held_back(), 1);
}

#[test]
fn another_type_has_a_limit_of_its_own() {
    let mut story = twenty_hearts();

    story.act(BEN, Act::Follow);

    assert_eq!(story.inbox.top_level().len(), 21);
    assert_eq!(story.inbox.held_back(), 0);
}

#[test]
fn an_hour_after_the_first_more_may_start() {
    let mut story = twenty_hearts();
    story.wait_minutes(59 - 20);
    story.act(BEN, heart_on(20));
    assert_eq!(story.inbox.held_back(), 1);
    story.wait_minutes(1);

    story.act(BEN, heart_on(21));

    assert_eq!(story.inbox.top_level().len(), 21);
    assert_eq!(story.inbox.held_back(), 1);
}

#[test]
fn converting_and_joining_are_not_limited() {
    let mut story = twenty_hearts();

    for who in [CARO, DAN] {
        for number in 0..20 {
            story.act(who, heart_on(number));
        }
    }

    assert_eq!(story.inbox.held_back(), 0);
    assert!(story.inbox.top_level().iter().all(|it| it.batch_counts().actor_count == 3));
}

#[test]
fn coming_back_is_not_limited() {
    let mut story = twenty_hearts();
    let before = story.everything();

    for number in 0..20 {
        story.undo(BEN, heart_on(number));
        story.act(BEN, heart_on(number));
    }

    assert_eq!(story.everything(), before);
    assert_eq!(story.inbox.held_back(), 0);
}

/// What is held back leaves everything as it is: the open single is not closed for what nobody is told of.
#[test]
fn what_is_held_back_closes_nothing() {
    let mut story = Story::begin();
    story.act(BEN, heart());
    story.wait(TimeDelta::hours(1) + MOMENT);
    for number in 100..120 {
        story.act(CARO, heart_on(number));
    }
    let before = story.everything();

    story.act(DAN, heart());

    assert_eq!(story.inbox.held_back(), 1);
    assert_eq!(story.everything(), before);
}

/// It was never told, so there is nothing to take back, and nothing that comes back.
#[test]
fn what_was_held_back_is_undone_and_done_again_like_anything_else() {
    let mut story = twenty_hearts();
    story.act(BEN, heart_on(20));
    story.undo(BEN, heart_on(20));
    assert_eq!(story.inbox.top_level().len(), 20);
    story.wait(TimeDelta::hours(1));

    story.act(BEN, heart_on(20));

    assert_eq!(story.inbox.top_level()[0].created_at, story.now);
}

#[test]
fn what_nobody_is_told_of_counts_nowhere() {
    let mut story = Story::begin();
    for number in 0..30 {
        story.act_under(BEN, heart_on(number), Deliverability::Blocked);
        story.act_under(BEN, heart_on(number), Deliverability::Muted);
        story.act(ana().into(), heart_on(number));
    }
    assert_eq!(story.everything(), []);

    story.act(BEN, heart());

    assert_eq!(story.told(), ["* Ben liked your post"]);
    assert_eq!(story.inbox.held_back(), 0);
}

/// Ben's, on as many posts, a minute apart.
fn twenty_hearts() -> Story {
    let mut story = Story::begin();
    for number in 0..20 {
        story.act(BEN, heart_on(number));
        story.wait_minutes(1);
    }
    assert_eq!(story.inbox.top_level().len(), 20);
    story
}

fn heart_on(number: u128) -> Act {
    Act::Heart { post: post(number) }
}
