use chrono::TimeDelta;
use grateful_domain::notification::{Act, BatchCounts, BatchKind};
use grateful_domain::{NotificationType, Priority};

use crate::scenario::{
    BEN, CARO, DAN, MICROSECOND, Scenario, ana, comment, heart, link, message, post, reaction,
    reply,
};

#[test]
fn the_first_heart_starts_a_single_notification() {
    let mut scenario = Scenario::new();

    scenario.act(BEN, heart());

    let single = scenario.only();
    assert_eq!(single.recipient, ana());
    assert_eq!(single.kind, NotificationType::Like);
    assert_eq!(single.actor, Some(BEN.into()));
    assert_eq!(single.subject.post, Some(post(1)));
    assert_eq!(single.key, Some(BatchKind::PostInteraction.key(post(1))));
    assert_eq!((single.batch, single.parent, single.read_at), (None, None, None));
    assert_eq!((single.created_at, single.last_updated_at), (scenario.now, scenario.now));
    assert!(single.closed_at.is_none());
    assert!(scenario.inbox.children(single.id).is_empty());
}

#[test]
fn a_second_act_within_the_hour_converts_the_single_to_a_batch() {
    let mut scenario = Scenario::new();
    scenario.act(BEN, heart());
    let single = scenario.only();
    scenario.advance(TimeDelta::hours(1));

    scenario.act(CARO, reaction());

    let batch = scenario.only();
    assert_eq!(batch.kind, NotificationType::PostInteraction);
    assert_eq!(batch.batch, Some(BatchCounts { child_count: 2, actor_count: 2 }));
    assert_eq!((batch.created_at, batch.last_updated_at), (scenario.now, scenario.now));
    assert_eq!((batch.actor, batch.act.clone()), (Some(CARO.into()), None));
    assert!(batch.closed_at.is_none());
    assert_ne!(batch.id, single.id);
    let [newest, first] = scenario.inbox.children(batch.id)[..] else { panic!("not two children") };
    assert_eq!((first.id, first.created_at), (single.id, single.created_at));
    assert_eq!(first.kind, NotificationType::Like);
    assert_eq!(newest.kind, NotificationType::EmojiReaction);
    assert_eq!(batch.details, newest.details);
}

#[test]
fn after_the_hour_the_single_is_closed_and_another_starts() {
    let mut scenario = Scenario::new();
    scenario.act(BEN, heart());
    scenario.advance(TimeDelta::hours(1) + MICROSECOND);

    scenario.act(CARO, heart());

    assert_eq!(scenario.messages(), ["* Caro liked your post", "* Ben liked your post"]);
    let [second, first] = scenario.inbox.top_level()[..] else { panic!("not two") };
    assert_eq!(first.closed_at, Some(scenario.now));
    assert!(second.closed_at.is_none());
}

#[test]
fn acts_join_a_batch_until_it_is_a_day_old() {
    let mut scenario = batch_of_two_hearts();
    let created_at = scenario.now;
    scenario.advance(TimeDelta::hours(24));

    scenario.act(DAN, heart());

    let batch = scenario.only();
    assert_eq!(batch.batch, Some(BatchCounts { child_count: 3, actor_count: 3 }));
    assert_eq!((batch.created_at, batch.last_updated_at), (created_at, scenario.now));
    assert_eq!(scenario.render(&batch).text.message, "3 people engaged with your post");
}

#[test]
fn after_a_day_the_batch_is_closed_and_a_single_starts() {
    let mut scenario = batch_of_two_hearts();
    scenario.advance(TimeDelta::hours(24) + MICROSECOND);

    scenario.act(DAN, heart());

    assert_eq!(scenario.messages(), ["* Dan liked your post", "* 2 people engaged with your post"]);
    assert_eq!(scenario.inbox.top_level()[1].closed_at, Some(scenario.now));
}

/// The age of a batch is counted from its own creation, not from that of its first or last child.
#[test]
fn joining_does_not_extend_the_life_of_a_batch() {
    let mut scenario = batch_of_two_hearts();
    for number in 10..34 {
        scenario.advance(TimeDelta::hours(1));
        scenario.act(number, heart());
    }
    assert_eq!(scenario.only().batch, Some(BatchCounts { child_count: 26, actor_count: 26 }));
    scenario.advance(MICROSECOND);

    scenario.act(DAN, heart());

    assert_eq!(scenario.messages().len(), 2);
}

/// The first acts are recorded by a node whose clock is 30 days ahead.
#[test]
fn acts_neither_join_nor_convert_what_was_created_in_the_future() {
    for (from_the_future, is_ahead) in [(1, true), (2, true), (1, false), (2, false)] {
        let mut scenario = Scenario::new();
        let ahead = if is_ahead { TimeDelta::days(30) } else { TimeDelta::seconds(1) };
        scenario.advance(ahead);
        for actor in [BEN, CARO].into_iter().take(from_the_future) {
            scenario.act(actor, heart());
        }

        scenario.advance(-ahead);
        scenario.act(DAN, heart());
        scenario.act(5, heart());

        let counts = scenario.all().into_iter().filter_map(|notification| notification.batch);
        let counts: Vec<i32> = counts.map(|counts| counts.child_count).collect();
        let expected = match (from_the_future, is_ahead) {
            (2, true) => vec![2, 2],
            (_, true) => vec![2],
            (earlier, false) => vec![i32::try_from(earlier).unwrap() + 2],
        };
        assert_eq!(counts, expected, "{from_the_future} {is_ahead}");
    }
}

#[test]
fn acts_after_a_closed_batch_form_a_new_batch() {
    let mut scenario = batch_of_two_hearts();
    scenario.advance(TimeDelta::hours(25));
    scenario.act(DAN, heart());

    scenario.act(5, heart());

    assert_eq!(
        scenario.messages(),
        ["* 2 people engaged with your post", "* 2 people engaged with your post"]
    );
    assert_eq!(scenario.child_messages(0), ["* User 5 liked your post", "* Dan liked your post"]);
    assert_eq!(scenario.child_messages(1), ["* Caro liked your post", "* Ben liked your post"]);
}

#[test]
fn the_eleventh_follower_starts_a_new_notification() {
    let mut scenario = Scenario::new();
    for number in 2..12 {
        scenario.act(number, Act::Follow);
    }
    assert_eq!(scenario.messages(), ["* 10 people started following you"]);
    scenario.advance_minutes(1);

    scenario.act(12, Act::Follow);
    scenario.advance_minutes(1);
    scenario.act(13, Act::Follow);

    assert_eq!(
        scenario.messages(),
        ["* 2 people started following you", "* 10 people started following you"]
    );
}

#[test]
fn a_follow_joins_a_full_batch_after_an_unfollow() {
    let mut scenario = Scenario::new();
    for number in 2..12 {
        scenario.act(number, Act::Follow);
    }
    scenario.undo(5, &Act::Follow);
    assert_eq!(scenario.messages(), ["* 9 people started following you"]);

    scenario.act(12, Act::Follow);

    assert_eq!(scenario.only().batch, Some(BatchCounts { child_count: 10, actor_count: 10 }));
}

/// A closed batch accepts no children, even if it has room.
#[test]
fn an_unfollow_does_not_reopen_a_closed_batch() {
    let mut scenario = Scenario::new();
    for number in 2..13 {
        scenario.act(number, Act::Follow);
    }
    scenario.undo(5, &Act::Follow);
    scenario.advance_minutes(1);

    scenario.act(13, Act::Follow);

    assert_eq!(
        scenario.messages(),
        ["* 2 people started following you", "* 9 people started following you"]
    );
}

#[test]
fn follow_requests_and_acceptances_are_never_batched() {
    let mut scenario = Scenario::new();
    for act in [Act::FollowRequest, Act::FollowAcceptance] {
        for actor in [BEN, CARO] {
            scenario.advance_minutes(1);
            scenario.act(actor, act);
        }
    }

    assert_eq!(
        scenario.messages(),
        [
            "* Caro accepted your follow request",
            "* Ben accepted your follow request",
            "* Caro wants to follow you",
            "* Ben wants to follow you",
        ]
    );
    assert!(scenario.all().iter().all(|single| single.key.is_none() && single.closed_at.is_none()));
    assert_eq!(scenario.inbox.top_level()[3].subject.priority, Priority::High);
}

#[test]
fn acts_with_different_keys_are_batched_separately() {
    let mut scenario = Scenario::new();
    let on_another_post = Act::Heart { post: post(2) };

    for act in [heart(), on_another_post, link(), message(1), comment(1), reply(2)] {
        scenario.advance_minutes(1);
        scenario.act(BEN, act);
        scenario.act(CARO, act);
    }

    assert_eq!(
        scenario.messages(),
        [
            "* 2 people replied to your comment",
            "* 2 people commented on your post",
            "* 2 people sent you a post",
            "* 2 people shared your post",
            "* 2 people engaged with your post",
            "* 2 people engaged with your post",
        ]
    );
}

/// With different clocks on two nodes, an event can arrive after one with a later time.
#[test]
fn an_older_act_that_arrives_late_joins_but_is_not_the_newest_child() {
    let mut scenario = batch_of_two_hearts();
    let before = scenario.only();
    scenario.advance_minutes(-1);

    scenario.act(DAN, reaction());

    let batch = scenario.only();
    assert_eq!((batch.actor, batch.details), (Some(CARO.into()), before.details));
    assert_eq!(batch.last_updated_at, before.last_updated_at);
    assert_eq!(batch.batch, Some(BatchCounts { child_count: 3, actor_count: 3 }));
}

#[test]
fn a_batch_has_the_comment_of_its_newest_child() {
    let mut scenario = Scenario::new();
    scenario.act(BEN, comment(1));
    scenario.advance_minutes(1);

    scenario.act(CARO, comment(2));

    let batch = scenario.only();
    let Act::Comment { comment, .. } = comment(2) else { unreachable!() };
    assert_eq!(batch.subject.comment, Some(comment));
}

/// Hearts by Ben and, half an hour later, by Caro.
fn batch_of_two_hearts() -> Scenario {
    let mut scenario = Scenario::new();
    scenario.act(BEN, heart());
    scenario.advance_minutes(30);
    scenario.act(CARO, heart());
    scenario
}
