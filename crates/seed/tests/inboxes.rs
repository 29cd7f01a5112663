//! Properties of the generated inboxes.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use grateful_domain::notification::{Act, recipients_of_comment};
use grateful_domain::{Comment, CommentId, Notification, NotificationType, Post, PostId, UserId};
use grateful_seed::{Dataset, DatasetSize, GeneratedInbox};

const SIZE: DatasetSize =
    DatasetSize { users: 60, posts: 200, engagements: 3_000, follows: 600, notifications: 0 };

fn now() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000)
}

fn dataset_with(notifications: usize) -> Dataset {
    let user_ids = (1..).map(UserId::from).take(SIZE.users).collect();
    let size = DatasetSize { notifications, ..SIZE };
    Dataset::generate(size, 7, now(), user_ids).expect("a possible size")
}

/// A dataset with notifications for all events.
fn dataset_with_all_events() -> Dataset {
    dataset_with(*DatasetSize::INTERACTIONS.end())
}

/// The notifications that record a single event, so not the batches.
fn event_notifications(inbox: &GeneratedInbox) -> impl Iterator<Item = &Notification> {
    let notifications = inbox.notifications.iter().map(|(notification, _)| notification);
    notifications.filter(|notification| notification.batch.is_none())
}

fn count_event_notifications(dataset: &Dataset) -> usize {
    dataset.inboxes().map(|inbox| event_notifications(&inbox).count()).sum()
}

#[test]
fn every_event_is_in_an_inbox_or_held_back() {
    let dataset = dataset_with_all_events();
    let held_back =
        |inbox: GeneratedInbox| inbox.quotas.iter().map(|quota| quota.held_back).sum::<i64>();

    let stored: usize = dataset.inboxes().map(|inbox| inbox.held_back.len()).sum();
    let held_back: i64 = dataset.inboxes().map(held_back).sum();

    let held_back = usize::try_from(held_back).unwrap();
    assert_eq!(stored, held_back);
    assert!(3_000 < dataset.event_count(), "{} events", dataset.event_count());
    assert_eq!(count_event_notifications(&dataset) + held_back, dataset.event_count());
}

#[test]
fn the_newest_events_are_chosen_when_their_number_is_limited() {
    let (all, limited) = (dataset_with_all_events(), dataset_with(400));
    let oldest = |dataset: &Dataset| {
        let created_at = |inbox: GeneratedInbox| {
            event_notifications(&inbox).map(|notification| notification.created_at).min()
        };
        dataset.inboxes().filter_map(created_at).min().unwrap()
    };

    assert_eq!(limited.event_count(), 400);
    let since = oldest(&limited);
    let newer = |inbox: GeneratedInbox| {
        event_notifications(&inbox).filter(|notification| since < notification.created_at).count()
    };
    assert!(all.inboxes().map(newer).sum::<usize>() <= 400);
    assert!(oldest(&all) < since);
}

#[test]
fn a_batch_counts_its_children_and_their_actors_and_shows_the_newest_child() {
    let mut batches = 0;
    for inbox in dataset_with_all_events().inboxes() {
        let mut children_of: HashMap<_, Vec<&Notification>> = HashMap::new();
        for child in event_notifications(&inbox) {
            child
                .parent
                .into_iter()
                .for_each(|parent| children_of.entry(parent).or_default().push(child));
        }
        for (notification, _) in &inbox.notifications {
            let Some(batch) = notification.batch else { continue };
            let children = &children_of[&notification.id];
            let actors: HashSet<_> = children.iter().map(|child| child.actor).collect();
            let newest = children.iter().max_by_key(|child| child.sort_key()).unwrap();
            assert_eq!(usize::try_from(batch.child_count).unwrap(), children.len());
            assert_eq!(usize::try_from(batch.actor_count).unwrap(), actors.len());
            assert_eq!(
                (notification.actor, &notification.details),
                (newest.actor, &newest.details)
            );
            assert!(children.iter().all(|child| child.key == notification.key));
            batches += 1;
        }
    }
    assert!(50 < batches, "{batches} batches");
}

#[test]
fn each_key_has_one_open_notification_and_children_of_read_batches_are_read() {
    let (mut read, mut unread) = (0, 0);
    for inbox in dataset_with_all_events().inboxes() {
        let by_id: HashMap<_, _> = inbox
            .notifications
            .iter()
            .map(|(notification, _)| (notification.id, notification))
            .collect();
        let open = by_id.values().filter(|notification| notification.is_open());
        let mut keys = HashSet::new();
        assert!(
            open.filter_map(|notification| notification.key.clone()).all(|key| keys.insert(key))
        );
        for notification in by_id.values() {
            let parent = notification.parent.map(|parent| by_id[&parent]);
            let is_parent_read = parent.is_some_and(|parent| parent.read_at.is_some());
            assert!(!is_parent_read || notification.read_at.is_some(), "{notification:?}");
            assert!(
                notification
                    .read_at
                    .is_none_or(|at| notification.last_updated_at <= at && at <= now()),
                "{notification:?}"
            );
            *(if notification.read_at.is_some() { &mut read } else { &mut unread }) += 1;
        }
    }
    assert!(100 < read && 100 < unread, "{read} read, {unread} unread");
}

#[test]
fn sequence_numbers_are_distinct_and_increase_with_the_update_time() {
    for inbox in dataset_with_all_events().inboxes() {
        let top_level =
            inbox.notifications.iter().filter(|(notification, _)| notification.is_top_level());
        let updated_at_by_seq: BTreeMap<i64, DateTime<Utc>> = top_level
            .clone()
            .map(|(notification, seq)| (*seq, notification.last_updated_at))
            .collect();

        assert_eq!(updated_at_by_seq.len(), top_level.count());
        assert!(updated_at_by_seq.keys().all(|seq| (1..=inbox.last_seq).contains(seq)));
        assert!(updated_at_by_seq.values().is_sorted(), "{updated_at_by_seq:?}");
    }
}

#[test]
fn comments_notify_the_recipients_chosen_by_the_domain() {
    let dataset = dataset_with_all_events();
    let posts: HashMap<PostId, Post> = dataset.posts().map(|post| (post.id, post)).collect();
    let comments: HashMap<CommentId, Comment> =
        dataset.comments().map(|comment| (comment.id, comment)).collect();
    let mut expected: HashSet<(UserId, UserId, String)> = HashSet::new();
    for comment in comments.values() {
        let parent_author = comment.parent.map(|parent| comments[&parent].author);
        let causes = recipients_of_comment(&posts[&comment.post], comment, parent_author, &[]);
        expected.extend(
            causes.iter().map(|cause| (cause.recipient, cause.actor, cause.act.dedup_key())),
        );
    }

    let mut found = HashSet::new();
    for inbox in dataset.inboxes() {
        let about_comments =
            event_notifications(&inbox).filter(|notification| notification.comment.is_some());
        found.extend(about_comments.map(|notification| {
            let actor = notification.actor.unwrap();
            (notification.recipient, actor, notification.act.clone().unwrap())
        }));
        let mut held_back = inbox.quotas.iter().filter(|quota| quota.held_back != 0);
        assert!(
            held_back.all(|quota| quota.kind != NotificationType::Comment),
            "no comment is held back"
        );
    }

    assert_eq!(found, expected);
}

#[test]
fn follow_approval_decides_the_type_of_follow_notifications() {
    let dataset = dataset_with_all_events();
    let with_approval: HashSet<UserId> =
        dataset.users().filter(|user| user.preferences.is_some()).map(|user| user.id).collect();
    let mut seen = HashSet::new();

    for inbox in dataset.inboxes() {
        for notification in event_notifications(&inbox) {
            let recipient_approves = with_approval.contains(&inbox.owner);
            let actor_approves =
                notification.actor.is_some_and(|actor| with_approval.contains(&actor));
            match notification.kind {
                NotificationType::Follow => assert!(!recipient_approves),
                NotificationType::FollowRequest => assert!(recipient_approves),
                NotificationType::FollowAccepted => assert!(actor_approves),
                _ => continue,
            }
            seen.insert(notification.kind);
        }
    }

    assert_eq!(seen.len(), 3);
}

#[test]
fn users_are_not_notified_of_their_own_actions() {
    for inbox in dataset_with_all_events().inboxes() {
        assert!(
            event_notifications(&inbox).all(|notification| notification.actor != Some(inbox.owner))
        );
        assert!(
            event_notifications(&inbox).all(|notification| notification.recipient == inbox.owner)
        );
    }
}

#[test]
fn each_action_creates_at_most_one_notification_per_recipient() {
    let dataset = dataset_with_all_events();
    let mut acts = HashSet::new();

    for inbox in dataset.inboxes() {
        for notification in event_notifications(&inbox) {
            let act = (inbox.owner, notification.actor, notification.act.clone());
            assert!(acts.insert(act), "{notification:?}");
        }
    }

    let heart = dataset.hearts().last().unwrap();
    let post = dataset.posts().find(|post| post.id == heart.post).unwrap();
    let name = Act::Heart { post: post.id }.dedup_key();
    assert!(
        post.author == heart.user || acts.contains(&(post.author, Some(heart.user), Some(name)))
    );
}
