use chrono::TimeDelta;
use grateful_domain::Emoji;
use grateful_domain::notification::{Act, BatchCounts, SuppressionReason, WithdrawalReason};

use crate::scenario::{BEN, CARO, DAN, MICROSECOND, Scenario, heart, link, message, reaction};

#[test]
fn toggling_a_heart_a_hundred_times_keeps_the_notification_read() {
    let mut scenario = Scenario::new();
    scenario.act(BEN, heart());
    let first = scenario.only();
    scenario.advance_minutes(1);
    scenario.mark_read(0);
    let read = scenario.only();

    for _ in 0..50 {
        scenario.advance_minutes(20);
        scenario.undo(BEN, &heart());
        scenario.advance_minutes(20);
        scenario.act(BEN, heart());
    }

    assert_eq!(scenario.only(), read);
    assert_eq!((read.id, read.created_at), (first.id, first.created_at));
    assert_eq!(scenario.inbox.held_back(), 0);
}

#[test]
fn repeating_an_act_within_a_day_restores_it_and_later_starts_a_new_one() {
    for (after, is_new) in
        [(TimeDelta::hours(24), false), (TimeDelta::hours(24) + MICROSECOND, true)]
    {
        let mut scenario = Scenario::new();
        scenario.act(BEN, heart());
        scenario.mark_read(0);
        let before = scenario.only();
        scenario.advance_minutes(1);
        scenario.undo(BEN, &heart());
        scenario.advance(after);

        scenario.act(BEN, heart());

        assert_eq!(scenario.inbox.counts().unread, i64::from(is_new));
        let again = scenario.only();
        assert_eq!(again.created_at == scenario.now, is_new);
        assert_eq!(again.id == before.id, !is_new);
        assert_eq!(again == before, !is_new);
    }
}

#[test]
fn an_act_withdrawn_in_the_future_starts_again_and_can_be_withdrawn_again() {
    let mut scenario = Scenario::new();
    scenario.act(BEN, heart());
    let before = scenario.only();
    scenario.advance(TimeDelta::days(30));
    scenario.undo(BEN, &heart());
    scenario.advance(-TimeDelta::days(30));

    scenario.act(BEN, heart());
    let after = scenario.only();
    scenario.undo(BEN, &heart());
    scenario.act(BEN, heart());

    assert_ne!(after.id, before.id);
    assert_eq!(scenario.only(), after);
}

/// The batch is closed, so no act can join it, but restoring is not joining.
#[test]
fn an_act_is_restored_to_its_original_batch_at_any_age() {
    let mut scenario = hearts_of([BEN, CARO]);
    scenario.advance(TimeDelta::hours(25));
    scenario.act(DAN, heart());
    scenario.mark_read(1);
    let before = scenario.all();
    scenario.undo(BEN, &heart());
    scenario.advance(TimeDelta::hours(24));

    scenario.act(BEN, heart());

    assert_eq!(scenario.all(), before);
    assert_eq!(scenario.messages(), ["* Dan liked your post", "2 people engaged with your post"]);
}

/// Other users formed a batch after Ben's single notification was withdrawn.
#[test]
fn an_act_is_restored_to_the_open_batch() {
    let mut scenario = hearts_of([BEN]);
    let single = scenario.only();
    scenario.undo(BEN, &heart());
    for actor in [CARO, DAN] {
        scenario.advance_minutes(1);
        scenario.act(actor, heart());
    }
    scenario.advance_minutes(1);
    scenario.mark_read(0);
    let before = scenario.only();
    scenario.advance_minutes(1);

    scenario.act(BEN, heart());

    let batch = scenario.only();
    assert_eq!(batch.batch, Some(BatchCounts { child_count: 3, actor_count: 3 }));
    assert_eq!(
        (batch.read_at, batch.last_updated_at, batch.actor),
        (before.read_at, before.last_updated_at, Some(DAN.into()))
    );
    assert_eq!(scenario.render(&batch).text.message, "3 people engaged with your post");
    let children = scenario.inbox.children(batch.id);
    let own = children.last().unwrap();
    assert_eq!((own.id, own.created_at), (single.id, single.created_at));
    assert_eq!(own.read_at, before.read_at, "the children of a read batch are read");
}

#[test]
fn an_act_is_restored_to_a_new_batch_with_the_open_single() {
    let mut scenario = hearts_of([BEN]);
    scenario.undo(BEN, &heart());
    scenario.advance_minutes(5);
    scenario.act(CARO, heart());
    scenario.advance_minutes(5);
    scenario.mark_read(0);
    let single = scenario.only();
    scenario.advance_minutes(50);

    scenario.act(BEN, heart());

    let batch = scenario.only();
    assert_eq!(batch.batch, Some(BatchCounts { child_count: 2, actor_count: 2 }));
    assert_eq!(
        (batch.read_at, batch.created_at, batch.last_updated_at, batch.actor),
        (single.read_at, single.created_at, single.last_updated_at, Some(CARO.into()))
    );
    assert_eq!(scenario.child_messages(0), ["Caro liked your post", "Ben liked your post"]);
}

#[test]
fn an_act_is_restored_as_closed_if_the_open_single_is_too_old() {
    let mut scenario = hearts_of([BEN]);
    let before = scenario.only();
    scenario.undo(BEN, &heart());
    scenario.advance_minutes(5);
    scenario.act(CARO, heart());
    scenario.advance(TimeDelta::hours(1) + MICROSECOND);

    scenario.act(BEN, heart());

    assert_eq!(scenario.messages(), ["* Caro liked your post", "* Ben liked your post"]);
    let [open, restored] = scenario.inbox.top_level()[..] else { panic!("not two") };
    assert!(open.closed_at.is_none());
    assert_eq!(restored.closed_at, Some(scenario.now));
    assert_eq!((restored.id, restored.last_updated_at), (before.id, before.last_updated_at));
}

#[test]
fn an_act_is_restored_as_open_if_no_other_notification_is_open() {
    let mut scenario = hearts_of([BEN]);
    let before = scenario.only();
    scenario.undo(BEN, &heart());
    scenario.advance(TimeDelta::hours(2));

    scenario.act(BEN, heart());

    assert_eq!(scenario.only(), before);
    assert!(before.closed_at.is_none());
}

/// A restored notification keeps its creation time, so it is too old to be converted.
#[test]
fn a_restored_notification_keeps_its_age() {
    let mut scenario = hearts_of([BEN]);
    scenario.undo(BEN, &heart());
    scenario.advance(TimeDelta::hours(2));
    scenario.act(BEN, heart());

    scenario.act(CARO, heart());

    assert_eq!(scenario.messages(), ["* Caro liked your post", "* Ben liked your post"]);
}

/// Another user has filled the follow batch of ten in the meantime.
#[test]
fn an_act_is_not_restored_to_a_full_batch() {
    let mut scenario = Scenario::new();
    for number in 2..12 {
        scenario.act(number, Act::Follow);
    }
    scenario.undo(2, &Act::Follow);
    scenario.act(12, Act::Follow);
    assert_eq!(scenario.only().batch_counts().child_count, 10);

    scenario.act(2, Act::Follow);

    let counts: Vec<_> =
        scenario.all().iter().map(|parent| parent.batch_counts().child_count).collect();
    assert_eq!(counts.iter().filter(|count| **count == 10).count(), 1);
    let restored = scenario
        .inbox
        .top_level()
        .into_iter()
        .find(|single| single.actor == Some(2.into()))
        .unwrap();
    assert!(restored.batch.is_none() && restored.closed_at.is_some());
}

/// The text names the emoji even if the heart is the newest child.
#[test]
fn changing_the_reaction_of_the_only_actor_updates_the_text_of_the_batch() {
    for acts in [[reaction(), heart()], [heart(), reaction()]] {
        let mut scenario = Scenario::new();
        for act in acts {
            scenario.act(BEN, act);
            scenario.advance_minutes(1);
        }

        scenario.react(BEN, Emoji::Fire);

        assert_eq!(scenario.messages(), ["* Ben liked your post and reacted with 🔥"]);
    }
}

/// Subscribers of the list get an update only if the notification looks different.
#[test]
fn setting_the_same_emoji_again_updates_nothing_in_the_list() {
    let mut scenario = Scenario::new();
    scenario.act(BEN, reaction());
    let before = scenario.inbox.last_seq();

    scenario.react(BEN, Emoji::Hug);
    assert_eq!(scenario.inbox.last_seq(), before);
    scenario.react(BEN, Emoji::Fire);
    assert_eq!(scenario.inbox.last_seq(), before + 1);
}

/// The batch stays open for a day.
#[test]
fn the_next_act_joins_a_batch_with_one_child() {
    let mut scenario = hearts_of([BEN, CARO]);
    let before = scenario.only();
    scenario.undo(BEN, &heart());
    scenario.advance(TimeDelta::hours(2));

    scenario.act(DAN, heart());

    let batch = scenario.only();
    assert_eq!(
        (batch.id, batch.batch),
        (before.id, Some(BatchCounts { child_count: 2, actor_count: 2 }))
    );
}

#[test]
fn a_batch_is_no_longer_unread_for_a_child_that_was_withdrawn() {
    for already_in_batch in [vec![BEN], vec![BEN, CARO]] {
        let mut scenario = Scenario::new();
        for actor in already_in_batch {
            scenario.act(actor, heart());
        }
        let read_at = scenario.now;
        scenario.mark_read(0);
        scenario.advance_minutes(1);
        scenario.act(DAN, heart());
        assert_eq!(scenario.inbox.counts().unread, 1);
        scenario.advance_minutes(1);

        scenario.undo(DAN, &heart());

        assert_eq!(scenario.only().read_at, Some(read_at));
    }
}

/// Shares by link and by message have the same notification type, but different keys.
#[test]
fn withdrawing_a_link_share_keeps_message_shares() {
    let mut scenario = Scenario::new();
    scenario.act(BEN, link());
    scenario.advance_minutes(1);
    scenario.act(BEN, message(1));

    scenario.undo(BEN, &link());

    assert_eq!(scenario.messages(), ["* Ben sent you a post"]);
}

/// Hearts by these users, a minute apart.
fn hearts_of<const N: usize>(actors: [i64; N]) -> Scenario {
    let mut scenario = Scenario::new();
    for actor in actors {
        scenario.act(actor, heart());
        scenario.advance_minutes(1);
    }
    scenario
}

/// A withdrawn notification of an act that stays must differ from a lost one.
#[test]
fn only_acts_that_stay_are_remembered_as_suppressed() {
    for (act, is_remembered) in [(heart(), true), (Act::Follow, false), (Act::FollowRequest, false)]
    {
        let mut scenario = Scenario::new();
        scenario.act(BEN, act);
        let id = scenario.only().id;
        let withdraw_for = |reason| {
            let mut inbox = scenario.inbox.clone();
            inbox.withdraw_notification(id, reason, scenario.now);
            assert_eq!(inbox.top_level().len(), 0);
            inbox.suppressed().cloned().collect::<Vec<_>>()
        };

        let undone = withdraw_for(WithdrawalReason::Undone);
        let revoked = withdraw_for(WithdrawalReason::Revoked);

        assert_eq!(undone, []);
        assert_eq!(revoked.len(), usize::from(is_remembered), "{act:?}");
        for suppressed in &revoked {
            assert_eq!(suppressed.reason, SuppressionReason::Withdrawn);
            assert_eq!(suppressed.act, act.dedup_key());
        }
    }
}
