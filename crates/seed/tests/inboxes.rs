//! Properties of the generated inboxes. The rules of an inbox are tested in `grateful-domain`.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use grateful_domain::notification::{Inbox, recipients_of_comment};
use grateful_domain::{Comment, CommentId, Notification, NotificationType, Post, PostId, UserId};
use grateful_seed::{Dataset, DatasetSize};

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
fn event_notifications(inbox: Inbox) -> impl Iterator<Item = Notification> {
    let notifications = inbox.into_notifications().map(|(notification, _)| notification);
    notifications.filter(|notification| notification.batch.is_none())
}

#[test]
fn every_event_is_in_an_inbox_or_held_back() {
    let dataset = dataset_with_all_events();

    let suppressed: usize = dataset.inboxes().map(|inbox| inbox.suppressed().count()).sum();
    let held_back: i64 = dataset.inboxes().map(|inbox| inbox.held_back()).sum();
    let recorded = dataset.inboxes().flat_map(event_notifications).count();

    assert_eq!(i64::try_from(suppressed).unwrap(), held_back);
    assert!(3_000 < dataset.event_count(), "{} events", dataset.event_count());
    assert_eq!(recorded + suppressed, dataset.event_count());
}

#[test]
fn the_newest_events_are_chosen_when_their_number_is_limited() {
    let (all, limited) = (dataset_with_all_events(), dataset_with(400));
    let times = |dataset: &Dataset| {
        let notifications = dataset.inboxes().flat_map(event_notifications);
        notifications.map(|notification| notification.created_at).collect::<Vec<_>>()
    };
    let (all, limited_times) = (times(&all), times(&limited));
    let oldest = *limited_times.iter().min().unwrap();

    assert_eq!(limited.event_count(), 400);
    assert!(all.iter().filter(|at| oldest < **at).count() <= 400);
    assert!(all.iter().any(|at| *at < oldest));
}

#[test]
fn inboxes_are_read_up_to_a_time_and_some_are_never_read() {
    let inboxes = || dataset_with_all_events().inboxes().collect::<Vec<_>>();
    let is_read = |inbox: &Inbox| inbox.counts().unread < inbox.counts().total;
    let (mut read, mut unread) = (0, 0);

    for notification in inboxes().into_iter().flat_map(event_notifications) {
        let read_at = notification.read_at;
        assert!(read_at.is_none_or(|at| notification.last_updated_at <= at && at <= now()));
        *(if read_at.is_some() { &mut read } else { &mut unread }) += 1;
    }

    assert!(100 < read && 100 < unread, "{read} read, {unread} unread");
    assert!(inboxes().iter().any(|inbox| !is_read(inbox)));
}

#[test]
fn sequence_numbers_are_distinct_and_increase_with_the_update_time() {
    for inbox in dataset_with_all_events().inboxes() {
        let last_seq = inbox.last_seq();
        let top_level = inbox.top_level().len();
        let updated_at_by_seq: BTreeMap<i64, DateTime<Utc>> = inbox
            .into_notifications()
            .filter(|(notification, _)| notification.parent.is_none())
            .map(|(notification, seq)| (seq, notification.last_updated_at))
            .collect();

        assert_eq!(updated_at_by_seq.len(), top_level);
        assert!(updated_at_by_seq.keys().all(|seq| (1..=last_seq).contains(seq)));
        assert!(updated_at_by_seq.values().is_sorted(), "{updated_at_by_seq:?}");
    }
}

#[test]
fn comments_notify_the_recipients_chosen_by_the_domain() {
    let dataset = dataset_with_all_events();
    let posts: HashMap<PostId, Post> = dataset.posts().map(|post| (post.id, post)).collect();
    let comments: HashMap<CommentId, Comment> =
        dataset.comments().map(|comment| (comment.id, comment)).collect();
    let mut expected: HashSet<(UserId, Option<UserId>, Option<String>)> = HashSet::new();
    for comment in comments.values() {
        let parent_author = comment.parent.map(|parent| comments[&parent].author);
        let causes = recipients_of_comment(&posts[&comment.post], comment, parent_author, &[]);
        expected.extend(
            causes
                .iter()
                .map(|cause| (cause.recipient, Some(cause.actor), Some(cause.act.dedup_key()))),
        );
    }

    let about_comments = dataset
        .inboxes()
        .flat_map(event_notifications)
        .filter(|notification| notification.subject.comment.is_some());
    let found: HashSet<_> = about_comments
        .map(|notification| (notification.recipient, notification.actor, notification.act))
        .collect();

    assert_eq!(found, expected);
}

#[test]
fn follow_approval_decides_the_type_of_follow_notifications() {
    let dataset = dataset_with_all_events();
    let with_approval: HashSet<UserId> =
        dataset.users().filter(|user| user.preferences.is_some()).map(|user| user.id).collect();
    let mut seen = HashSet::new();

    for notification in dataset.inboxes().flat_map(event_notifications) {
        let recipient_approves = with_approval.contains(&notification.recipient);
        let actor_approves = notification.actor.is_some_and(|actor| with_approval.contains(&actor));
        match notification.kind {
            NotificationType::Follow => assert!(!recipient_approves),
            NotificationType::FollowRequest => assert!(recipient_approves),
            NotificationType::FollowAccepted => assert!(actor_approves),
            _ => continue,
        }
        seen.insert(notification.kind);
    }

    assert_eq!(seen.len(), 3);
}
