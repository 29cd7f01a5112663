//! What can be relied on of what people are told.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use grateful_domain::notification::{Act, told_of_comment};
use grateful_domain::{Comment, CommentId, Notification, NotificationType, Post, PostId, UserId};
use grateful_seed::{FilledInbox, Size, World};

const SIZE: Size =
    Size { people: 60, posts: 200, engagements: 3_000, follows: 600, notifications: 0 };

fn now() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000)
}

fn a_world(notifications: usize) -> World {
    let people = (1..).map(UserId::from).take(SIZE.people).collect();
    let size = Size { notifications, ..SIZE };
    World::imagine(size, 7, now(), people).expect("a world that can be")
}

/// One where everybody is told of everything.
fn a_talkative_world() -> World {
    a_world(*Size::ACTS.end())
}

fn entries(inbox: &FilledInbox) -> impl Iterator<Item = &Notification> {
    inbox.notifications.iter().map(|(it, _)| it).filter(|it| it.batch.is_none())
}

fn told(world: &World) -> usize {
    world.inboxes().map(|inbox| entries(&inbox).count()).sum()
}

#[test]
fn everything_that_somebody_is_told_of_is_in_their_inbox_or_was_held_back() {
    let world = a_talkative_world();
    let held_back = |inbox: FilledInbox| inbox.quotas.iter().map(|it| it.held_back).sum::<i64>();

    let held_back: i64 = world.inboxes().map(held_back).sum();

    let held_back = usize::try_from(held_back).unwrap();
    assert!(3_000 < world.told(), "{} told", world.told());
    assert_eq!(told(&world) + held_back, world.told());
}

#[test]
fn the_newest_are_told_where_not_all_are() {
    let (all, some) = (a_talkative_world(), a_world(400));
    let oldest = |world: &World| {
        let created = |inbox: FilledInbox| entries(&inbox).map(|it| it.created_at).min();
        world.inboxes().filter_map(created).min().unwrap()
    };

    assert_eq!(some.told(), 400);
    let since = oldest(&some);
    let newer = |inbox: FilledInbox| entries(&inbox).filter(|it| since < it.created_at).count();
    assert!(all.inboxes().map(newer).sum::<usize>() <= 400);
    assert!(oldest(&all) < since);
}

#[test]
fn a_batch_counts_its_entries_and_the_people_who_did_them_and_shows_the_newest() {
    let mut batches = 0;
    for inbox in a_talkative_world().inboxes() {
        let mut below: HashMap<_, Vec<&Notification>> = HashMap::new();
        for entry in entries(&inbox) {
            entry
                .parent
                .into_iter()
                .for_each(|parent| below.entry(parent).or_default().push(entry));
        }
        for (it, _) in &inbox.notifications {
            let Some(gathered) = it.batch else { continue };
            let entries = &below[&it.id];
            let people: HashSet<_> = entries.iter().map(|entry| entry.actor).collect();
            let newest = entries.iter().max_by_key(|entry| entry.moment()).unwrap();
            assert_eq!(usize::try_from(gathered.entries).unwrap(), entries.len());
            assert_eq!(usize::try_from(gathered.people).unwrap(), people.len());
            assert_eq!((it.actor, &it.data), (newest.actor, &newest.data));
            assert!(entries.iter().all(|entry| entry.key == it.key));
            batches += 1;
        }
    }
    assert!(50 < batches, "{batches} batches");
}

#[test]
fn there_is_one_open_notification_for_a_key_and_nothing_unread_below_what_was_read() {
    let (mut read, mut unread) = (0, 0);
    for inbox in a_talkative_world().inboxes() {
        let by_id: HashMap<_, _> = inbox.notifications.iter().map(|(it, _)| (it.id, it)).collect();
        let open = by_id.values().filter(|it| it.is_open());
        let mut keys = HashSet::new();
        assert!(open.filter_map(|it| it.key.clone()).all(|key| keys.insert(key)));
        for it in by_id.values() {
            let parent = it.parent.map(|parent| by_id[&parent]);
            let is_read_above = parent.is_some_and(|parent| parent.read_at.is_some());
            assert!(!is_read_above || it.read_at.is_some(), "{it:?}");
            assert!(it.read_at.is_none_or(|at| it.last_updated_at <= at && at <= now()), "{it:?}");
            *(if it.read_at.is_some() { &mut read } else { &mut unread }) += 1;
        }
    }
    assert!(100 < read && 100 < unread, "{read} read, {unread} not");
}

#[test]
fn the_numbers_of_a_list_are_distinct_and_end_with_the_last_change() {
    for inbox in a_talkative_world().inboxes() {
        let top_level = inbox.notifications.iter().filter(|(it, _)| it.is_top_level());
        let numbers: BTreeMap<i64, DateTime<Utc>> =
            top_level.clone().map(|(it, number)| (*number, it.last_updated_at)).collect();

        assert_eq!(numbers.len(), top_level.count());
        assert!(numbers.keys().all(|number| (1..=inbox.last_change).contains(number)));
        assert!(numbers.values().is_sorted(), "a later change shows a later moment");
    }
}

#[test]
fn comments_tell_whom_the_domain_would_tell() {
    let world = a_talkative_world();
    let posts: HashMap<PostId, Post> = world.posts().map(|post| (post.id, post)).collect();
    let comments: HashMap<CommentId, Comment> = world.comments().map(|it| (it.id, it)).collect();
    let mut expected: HashSet<(UserId, UserId, String)> = HashSet::new();
    for comment in comments.values() {
        let answered = comment.parent.map(|parent| comments[&parent].author);
        let causes = told_of_comment(&posts[&comment.post], comment, answered, &[]);
        expected.extend(causes.iter().map(|it| (it.recipient, it.actor, it.act.name())));
    }

    let mut found = HashSet::new();
    for inbox in world.inboxes() {
        let said = entries(&inbox).filter(|it| it.comment.is_some());
        found.extend(said.map(|it| (it.recipient, it.actor.unwrap(), it.act.clone().unwrap())));
        let starts = inbox.quotas.iter().filter(|it| it.held_back != 0);
        assert!(starts.clone().all(|it| it.kind != NotificationType::Comment), "none is held back");
    }

    assert_eq!(found, expected);
}

#[test]
fn whoever_wants_to_be_asked_is_asked_and_tells_whom_they_let_follow() {
    let world = a_talkative_world();
    let asked: HashSet<UserId> =
        world.people().filter(|it| it.preferences.is_some()).map(|it| it.id).collect();
    let mut seen = HashSet::new();

    for inbox in world.inboxes() {
        for it in entries(&inbox) {
            let is_asked = asked.contains(&inbox.owner);
            let by_asked = it.actor.is_some_and(|actor| asked.contains(&actor));
            match it.kind {
                NotificationType::Follow => assert!(!is_asked),
                NotificationType::FollowRequest => assert!(is_asked),
                NotificationType::FollowAccepted => assert!(by_asked),
                _ => continue,
            }
            seen.insert(it.kind);
        }
    }

    assert_eq!(seen.len(), 3);
}

#[test]
fn nobody_is_told_of_their_own_acts() {
    for inbox in a_talkative_world().inboxes() {
        assert!(entries(&inbox).all(|it| it.actor != Some(inbox.owner)));
        assert!(entries(&inbox).all(|it| it.recipient == inbox.owner));
    }
}

#[test]
fn an_act_is_told_once() {
    let world = a_talkative_world();
    let mut acts = HashSet::new();

    for inbox in world.inboxes() {
        for it in entries(&inbox) {
            let act = (inbox.owner, it.actor, it.act.clone());
            assert!(acts.insert(act), "{it:?}");
        }
    }

    let heart = world.hearts().last().unwrap();
    let post = world.posts().find(|post| post.id == heart.post).unwrap();
    let name = Act::Heart { post: post.id }.name();
    assert!(post.author == heart.by || acts.contains(&(post.author, Some(heart.by), Some(name))));
}
