use chrono::TimeDelta;
use grateful_domain::Emoji;
use grateful_domain::notification::{Act, BatchCounts, InboxChanges, update_reaction};
use serde_json::json;

use crate::story::{
    BEN, CARO, DAN, MOMENT, Story, comment, heart, link, message, person, post, reaction,
};

#[test]
fn a_hundred_toggles_that_end_liked_leave_one_that_was_made_unread_once() {
    let mut story = Story::begin();
    story.act(BEN, heart());
    let first = story.only();
    story.wait_minutes(1);
    story.read(0);
    let read = story.only();

    for _ in 0..50 {
        story.wait_minutes(20);
        story.undo(BEN, heart());
        story.wait_minutes(20);
        story.act(BEN, heart());
    }

    assert_eq!(story.only(), read);
    assert_eq!((read.id, read.created_at), (first.id, first.created_at));
    assert_eq!(story.inbox.held_back(), 0);
}

#[test]
fn a_hundred_toggles_that_end_unliked_leave_nothing() {
    let mut story = Story::begin();

    for _ in 0..50 {
        story.act(BEN, heart());
        story.undo(BEN, heart());
    }

    assert_eq!(story.everything(), []);
}

/// Beside somebody else's heart, so that the batch is what must not change.
#[test]
fn a_hundred_toggles_within_a_batch_leave_it_as_it_was() {
    let mut story = Story::begin();
    for who in [CARO, BEN] {
        story.act(who, heart());
        story.wait_minutes(1);
    }
    story.read(0);
    let before = story.everything();

    for _ in 0..50 {
        story.wait_minutes(1);
        story.undo(BEN, heart());
        story.act(BEN, heart());
    }

    assert_eq!(story.everything(), before);
}

#[test]
fn what_is_done_again_within_a_day_is_no_news_and_a_moment_later_it_is() {
    for (after, is_news) in [(TimeDelta::hours(24), false), (TimeDelta::hours(24) + MOMENT, true)] {
        let mut story = Story::begin();
        story.act(BEN, heart());
        story.read(0);
        let before = story.only();
        story.wait_minutes(1);
        story.undo(BEN, heart());
        story.wait(after);

        story.act(BEN, heart());

        assert_eq!(story.inbox.unread_count(), usize::from(is_news));
        let again = story.only();
        assert_eq!(again.created_at == story.now, is_news);
        assert_eq!(again.id == before.id, !is_news);
        assert_eq!(again == before, !is_news);
    }
}

/// The day begins anew each time that something is taken back.
#[test]
fn what_comes_back_day_after_day_stays_no_news() {
    let mut story = Story::begin();
    story.act(BEN, heart());
    story.read(0);
    let before = story.only();

    for _ in 0..5 {
        story.undo(BEN, heart());
        story.wait(TimeDelta::hours(23));
        story.act(BEN, heart());
        story.wait(TimeDelta::hours(23));
    }

    assert_eq!(story.only(), before);
}

/// The batch has been closed since, and may not be joined any more; but this is no joining.
#[test]
fn it_comes_home_to_its_batch_however_old_that_is() {
    let mut story = hearts_of([BEN, CARO]);
    story.wait(TimeDelta::hours(25));
    story.act(DAN, heart());
    story.read(1);
    let before = story.everything();
    story.undo(BEN, heart());
    story.wait(TimeDelta::hours(24));

    story.act(BEN, heart());

    assert_eq!(story.everything(), before);
    assert_eq!(story.told(), ["* Dan liked your post", "2 people engaged with your post"]);
}

/// Ben's single was withdrawn; meanwhile others have made a batch.
#[test]
fn it_comes_back_into_the_batch_that_is_open_by_now() {
    let mut story = hearts_of([BEN]);
    let single = story.only();
    story.undo(BEN, heart());
    for who in [CARO, DAN] {
        story.wait_minutes(1);
        story.act(who, heart());
    }
    story.wait_minutes(1);
    story.read(0);
    let before = story.only();
    story.wait_minutes(1);

    story.act(BEN, heart());

    let batch = story.only();
    assert_eq!(batch.batch, Some(BatchCounts { child_count: 3, actor_count: 3 }));
    assert_eq!(
        (batch.read_at, batch.last_updated_at, batch.actor),
        (before.read_at, before.last_updated_at, Some(DAN.into()))
    );
    assert_eq!(batch.text.message, "3 people engaged with your post");
    let entries = story.inbox.children(batch.id);
    let own = entries.last().unwrap();
    assert_eq!((own.id, own.created_at), (single.id, single.created_at));
    assert_eq!(own.read_at, before.read_at, "below what was read nothing is unread");
}

#[test]
fn it_comes_back_into_a_batch_with_the_single_that_is_open_by_now() {
    let mut story = hearts_of([BEN]);
    story.undo(BEN, heart());
    story.wait_minutes(5);
    story.act(CARO, heart());
    story.wait_minutes(5);
    story.read(0);
    let single = story.only();
    story.wait_minutes(50);

    story.act(BEN, heart());

    let batch = story.only();
    assert_eq!(batch.batch, Some(BatchCounts { child_count: 2, actor_count: 2 }));
    assert_eq!(
        (batch.read_at, batch.created_at, batch.last_updated_at, batch.actor),
        (single.read_at, single.created_at, single.last_updated_at, Some(CARO.into()))
    );
    assert_eq!(story.entries(0), ["Caro liked your post", "Ben liked your post"]);
}

#[test]
fn it_comes_back_alone_and_closed_beside_an_open_single_that_is_too_old() {
    let mut story = hearts_of([BEN]);
    let before = story.only();
    story.undo(BEN, heart());
    story.wait_minutes(5);
    story.act(CARO, heart());
    story.wait(TimeDelta::hours(1) + MOMENT);

    story.act(BEN, heart());

    assert_eq!(story.told(), ["* Caro liked your post", "* Ben liked your post"]);
    let [open, back] = story.inbox.top_level()[..] else { panic!("not two") };
    assert!(open.is_open());
    assert_eq!(back.closed_at, Some(story.now));
    assert_eq!((back.id, back.last_updated_at), (before.id, before.last_updated_at));
}

#[test]
fn it_comes_back_alone_and_open_where_nothing_else_is() {
    let mut story = hearts_of([BEN]);
    let before = story.only();
    story.undo(BEN, heart());
    story.wait(TimeDelta::hours(2));

    story.act(BEN, heart());

    assert_eq!(story.only(), before);
    assert!(before.is_open());
}

/// It has its old time: nothing is made a batch of with what happened hours ago.
#[test]
fn what_came_back_alone_is_as_old_as_it_was() {
    let mut story = hearts_of([BEN]);
    story.undo(BEN, heart());
    story.wait(TimeDelta::hours(2));
    story.act(BEN, heart());

    story.act(CARO, heart());

    assert_eq!(story.told(), ["* Caro liked your post", "* Ben liked your post"]);
}

/// A follow batch of ten that somebody else has filled up meanwhile.
#[test]
fn it_does_not_come_home_where_there_is_no_room() {
    let mut story = Story::begin();
    for number in 2..12 {
        story.act(number, Act::Follow);
    }
    story.undo(2, Act::Follow);
    story.act(12, Act::Follow);
    assert_eq!(story.only().batch_counts().child_count, 10);

    story.act(2, Act::Follow);

    let counts: Vec<_> =
        story.everything().iter().map(|it| it.batch_counts().child_count).collect();
    assert_eq!(counts.iter().filter(|count| **count == 10).count(), 1);
    let back = story.inbox.top_level().into_iter().find(|it| it.actor == Some(2.into())).unwrap();
    assert!(back.batch.is_none() && back.closed_at.is_some());
}

#[test]
fn a_changed_reaction_changes_a_single_and_is_no_news() {
    let mut story = Story::begin();
    story.act(BEN, reaction());
    story.read(0);
    let before = story.only();
    story.wait_minutes(1);

    story.inbox.update_reaction(&person(BEN), reaction(), Emoji::Fire);

    let after = story.only();
    assert_eq!(after.text.message, "Ben reacted to your post with 🔥");
    assert_eq!(after.data["emoji_code"], json!("fire"));
    assert_eq!((after.id, after.read_at), (before.id, before.read_at));
    assert_eq!(after.last_updated_at, before.last_updated_at);
}

#[test]
fn a_changed_reaction_that_is_the_newest_of_a_batch_is_shown_by_it() {
    let mut story = hearts_of([CARO]);
    story.act(BEN, reaction());
    story.read(0);
    let before = story.only();

    story.inbox.update_reaction(&person(BEN), reaction(), Emoji::Fire);

    let after = story.only();
    assert_eq!(after.data["emoji_code"], json!("fire"));
    assert_eq!(after.text, before.text);
    assert_eq!(
        (after.read_at, after.last_updated_at, after.batch),
        (before.read_at, before.last_updated_at, before.batch)
    );
    assert_eq!(story.entries(0), ["Ben reacted to your post with 🔥", "Caro liked your post"]);
}

#[test]
fn a_changed_reaction_that_is_not_the_newest_changes_its_entry_alone() {
    let mut story = Story::begin();
    story.act(BEN, reaction());
    story.wait_minutes(1);
    story.act(CARO, reaction());
    let before = story.only();

    story.inbox.update_reaction(&person(BEN), reaction(), Emoji::Fire);

    assert_eq!(story.only(), before);
    assert_eq!(
        story.entries(0),
        ["* Caro reacted to your post with 🤗", "* Ben reacted to your post with 🔥"]
    );
}

/// A heart is the newest, but the emoji is said too.
#[test]
fn a_changed_reaction_of_the_only_person_changes_what_is_said_of_them() {
    for acts in [[reaction(), heart()], [heart(), reaction()]] {
        let mut story = Story::begin();
        for act in acts {
            story.act(BEN, act);
            story.wait_minutes(1);
        }

        story.inbox.update_reaction(&person(BEN), reaction(), Emoji::Fire);

        assert_eq!(story.told(), ["* Ben liked your post and reacted with 🔥"]);
    }
}

#[test]
fn a_reaction_that_was_never_told_changes_nothing() {
    let mut story = hearts_of([BEN]);
    let before = story.everything();

    story.inbox.update_reaction(&person(BEN), reaction(), Emoji::Fire);

    assert_eq!(story.everything(), before);
}

/// Whoever follows the list is told nothing where nothing reads differently.
#[test]
fn the_same_reaction_again_announces_nothing() {
    let mut story = Story::begin();
    story.act(BEN, reaction());
    let single = story.only();

    let same = update_reaction(&single, Emoji::Hug, &person(BEN), None);
    let another = update_reaction(&single, Emoji::Fire, &person(BEN), None);

    assert_eq!(same.updated_in_list, []);
    assert_eq!(InboxChanges { updated_in_list: vec![single.id], ..another.clone() }, another);
}

#[test]
fn one_person_who_likes_and_reacts_is_one_person() {
    let mut story = Story::begin();
    story.act(BEN, heart());
    story.wait_minutes(1);
    story.act(BEN, reaction());
    assert_eq!(story.only().batch, Some(BatchCounts { child_count: 2, actor_count: 1 }));
    story.wait_minutes(1);

    story.act(CARO, heart());

    assert_eq!(story.only().batch, Some(BatchCounts { child_count: 3, actor_count: 2 }));
    assert_eq!(story.told(), ["* 2 people engaged with your post"]);

    story.undo(BEN, heart());
    assert_eq!(story.only().batch, Some(BatchCounts { child_count: 2, actor_count: 2 }));
    story.undo(CARO, heart());
    assert_eq!(story.only().batch, Some(BatchCounts { child_count: 1, actor_count: 1 }));
    assert_eq!(story.told(), ["* Ben reacted to your post with 🤗"]);
}

#[test]
fn a_batch_goes_with_its_last_entry() {
    let mut story = hearts_of([BEN, CARO, DAN]);

    for (gone, left) in [
        (CARO, vec!["* 2 people engaged with your post"]),
        (DAN, vec!["* Ben liked your post"]),
        (BEN, vec![]),
    ] {
        story.undo(gone, heart());

        assert_eq!(story.told(), left);
    }
    assert_eq!(story.everything(), []);
}

#[test]
fn a_batch_shows_the_newest_of_what_is_left() {
    let mut story = hearts_of([BEN, CARO]);
    story.act(DAN, reaction());

    story.undo(DAN, reaction());

    let batch = story.only();
    assert_eq!(batch.actor, Some(CARO.into()));
    assert_eq!(batch.data["liker_username"], json!("caro"));
    assert_eq!(batch.data.get("emoji_code"), None);
}

/// Its place stays open for whoever comes within its day.
#[test]
fn the_next_joins_a_batch_of_one() {
    let mut story = hearts_of([BEN, CARO]);
    let before = story.only();
    story.undo(BEN, heart());
    story.wait(TimeDelta::hours(2));

    story.act(DAN, heart());

    let batch = story.only();
    assert_eq!(
        (batch.id, batch.batch),
        (before.id, Some(BatchCounts { child_count: 2, actor_count: 2 }))
    );
}

#[test]
fn undoing_makes_nothing_unread_and_moves_nothing_up() {
    let mut story = hearts_of([BEN, CARO, DAN]);
    story.read(0);
    let before = story.only();
    story.wait_minutes(10);
    story.act(BEN, comment(1));

    story.undo(DAN, heart());

    assert_eq!(
        story.told(),
        ["* Ben commented on your post: How lovely", "2 people engaged with your post"]
    );
    let after = story.inbox.top_level()[1];
    assert_eq!(
        (after.read_at, after.last_updated_at, after.created_at),
        (before.read_at, before.last_updated_at, before.created_at)
    );
}

#[test]
fn undoing_what_was_never_told_changes_nothing() {
    let mut story = hearts_of([BEN, CARO]);
    let before = story.everything();

    story.undo(DAN, heart());
    story.undo(BEN, Act::Heart { post: post(2) });
    story.undo(BEN, reaction());

    assert_eq!(story.everything(), before);
}

/// A link and a message have types in common, but are different acts.
#[test]
fn taking_a_link_back_leaves_the_messages() {
    let mut story = Story::begin();
    story.act(BEN, link());
    story.wait_minutes(1);
    story.act(BEN, message(1));

    story.undo(BEN, link());

    assert_eq!(story.told(), ["* Ben sent you a post"]);
}

/// A minute apart.
fn hearts_of<const N: usize>(people: [i64; N]) -> Story {
    let mut story = Story::begin();
    for who in people {
        story.act(who, heart());
        story.wait_minutes(1);
    }
    story
}
