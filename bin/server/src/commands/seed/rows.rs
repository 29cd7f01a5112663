//! Converts a generated dataset to rows and loads it table by table, referenced tables first.

use grateful_domain::notification::SuppressedNotification;
use grateful_domain::{Notification, PasswordHash};
use grateful_seed::{
    Dataset, GeneratedHeart, GeneratedInbox, GeneratedReaction, GeneratedUser, NotificationQuota,
};
use grateful_storage::{
    BulkInbox, BulkLoad, BulkNotification, BulkNotificationQuota, BulkUser, NewHeart, NewReaction,
    StorageError,
};

use super::progress::Progress;

/// Loads the dataset.
pub(super) async fn load(
    bulk_load: &mut BulkLoad,
    dataset: &Dataset,
    password: &PasswordHash,
    progress: &Progress,
) -> Result<(), StorageError> {
    let users = dataset.users().map(|user| user_row(user, password));
    bulk_load.users(progress.track("users", users)).await?;
    bulk_load.posts(progress.track("posts", dataset.posts())).await?;
    bulk_load.follows(progress.track("follows", dataset.follows())).await?;
    bulk_load.hearts(progress.track("hearts", dataset.hearts().map(heart_row))).await?;
    bulk_load
        .emoji_reactions(progress.track("reactions", dataset.reactions().map(reaction_row)))
        .await?;
    bulk_load.shares(progress.track("shares", dataset.shares())).await?;
    bulk_load.comments(progress.track("comments", dataset.comments())).await?;
    let inboxes = load_notifications(bulk_load, dataset, progress).await?;
    bulk_load.inboxes(inboxes.iter().map(|inbox| inbox.row)).await?;
    let held_back = inboxes.iter().flat_map(|inbox| inbox.held_back.iter().cloned());
    bulk_load.suppressed_notifications(held_back.chain(dataset.unrecorded())).await?;
    bulk_load.notification_quotas(inboxes.into_iter().flat_map(|inbox| inbox.quotas)).await?;
    progress.finish();
    Ok(())
}

/// An inbox without its notifications.
struct InboxState {
    row: BulkInbox,
    quotas: Vec<BulkNotificationQuota>,
    held_back: Vec<SuppressedNotification>,
}

/// Loads one inbox after another, so that at most one user's notifications are in memory.
async fn load_notifications(
    bulk_load: &mut BulkLoad,
    dataset: &Dataset,
    progress: &Progress,
) -> Result<Vec<InboxState>, StorageError> {
    let mut inboxes = Vec::new();
    let notifications = dataset.inboxes().flat_map(|inbox| {
        inboxes.push(inbox_state(&inbox));
        inbox.notifications
    });
    // An estimate: batches add rows, and held-back events have none.
    let notifications =
        progress.track_estimated("notifications", dataset.event_count(), notifications);
    bulk_load.notifications(notifications.map(notification_row)).await?;
    Ok(inboxes)
}

fn inbox_state(inbox: &GeneratedInbox) -> InboxState {
    let user = inbox.owner;
    let quota_row = |generated: &NotificationQuota| BulkNotificationQuota {
        user,
        kind: generated.kind,
        quota: generated.quota.clone(),
        held_back: generated.held_back,
    };
    InboxState {
        row: BulkInbox { user, last_seq: inbox.last_seq },
        quotas: inbox.quotas.iter().map(quota_row).collect(),
        held_back: inbox.held_back.clone(),
    }
}

fn notification_row((notification, seq): (Notification, i64)) -> BulkNotification {
    BulkNotification { notification, seq }
}

fn user_row(user: GeneratedUser, password: &PasswordHash) -> BulkUser {
    BulkUser {
        id: user.id,
        username: user.username,
        email: user.email,
        password: password.clone(),
        display_name: user.display_name,
        bio: user.bio,
        city: user.city,
        preferences: user.preferences,
        created_at: user.joined_at,
        followers: user.followers,
        following: user.following,
        posts: user.posts,
        public_posts: user.public_posts,
    }
}

fn heart_row(GeneratedHeart { id, user, post, at }: GeneratedHeart) -> NewHeart {
    NewHeart { id, user, post, at }
}

fn reaction_row(GeneratedReaction { id, user, post, emoji, at }: GeneratedReaction) -> NewReaction {
    NewReaction { id, user, post, emoji, at }
}
