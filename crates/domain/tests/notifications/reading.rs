use grateful_domain::NotificationId;
use uuid::Uuid;

use crate::story::{BEN, CARO, DAN, Story, comment, heart};

#[test]
fn only_the_list_is_counted() {
    let story = a_batch_and_a_single();

    assert_eq!(story.everything().len(), 4);
    assert_eq!(story.inbox.unread_count(), 2);
}

#[test]
fn reading_a_batch_reads_its_entries_and_nothing_else() {
    let mut story = a_batch_and_a_single();

    story.read(1);

    assert_eq!(
        story.told(),
        ["* Dan commented on your post: How lovely", "2 people engaged with your post"]
    );
    assert_eq!(story.entries(1), ["Caro liked your post", "Ben liked your post"]);
    assert_eq!(story.inbox.unread_count(), 1);
}

#[test]
fn reading_an_entry_leaves_its_batch_and_the_others() {
    let mut story = a_batch_and_a_single();
    let batch = story.inbox.top_level()[1].id;
    let newest = story.inbox.children(batch)[0].id;

    assert!(story.inbox.mark_read(newest, story.now));

    assert_eq!(story.inbox.unread_count(), 2);
    assert_eq!(story.entries(1), ["Caro liked your post", "* Ben liked your post"]);
}

#[test]
fn reading_again_keeps_the_first_time() {
    let mut story = a_batch_and_a_single();
    story.read(0);
    let before = story.inbox.top_level()[0].clone();
    story.wait_minutes(1);

    story.read(0);

    assert_eq!(*story.inbox.top_level()[0], before);
    assert!(before.read_at.is_some());
}

#[test]
fn reading_what_is_not_there_tells_so() {
    let mut story = a_batch_and_a_single();

    assert!(!story.inbox.mark_read(NotificationId::from(Uuid::from_u128(0xdead)), story.now));

    assert_eq!(story.inbox.unread_count(), 2);
}

#[test]
fn reading_all_counts_what_was_unread_in_the_list() {
    let mut story = a_batch_and_a_single();
    story.read(0);

    assert_eq!(story.inbox.mark_all_read(story.now), 1);

    assert!(story.everything().iter().all(|it| it.read_at.is_some()));
    assert_eq!(story.inbox.mark_all_read(story.now), 0);
}

#[test]
fn joining_makes_a_batch_unread_but_not_what_is_in_it() {
    let mut story = a_batch_and_a_single();
    story.read(1);
    story.wait_minutes(1);

    story.act(DAN, heart());

    assert_eq!(
        story.told(),
        ["* 3 people engaged with your post", "* Dan commented on your post: How lovely"]
    );
    assert_eq!(
        story.entries(0),
        ["* Dan liked your post", "Caro liked your post", "Ben liked your post"]
    );
}

/// The single has been read, and stays so as an entry.
#[test]
fn a_batch_made_of_what_was_read_is_unread() {
    let mut story = Story::begin();
    story.act(BEN, heart());
    story.read(0);
    story.wait_minutes(1);

    story.act(CARO, heart());

    assert_eq!(story.told(), ["* 2 people engaged with your post"]);
    assert_eq!(story.entries(0), ["* Caro liked your post", "Ben liked your post"]);
}

fn a_batch_and_a_single() -> Story {
    let mut story = Story::begin();
    story.act(BEN, heart());
    story.wait_minutes(1);
    story.act(CARO, heart());
    story.wait_minutes(1);
    story.act(DAN, comment(1));
    story.wait_minutes(1);
    story
}
