//! From what was made up to rows, table by table: none refers to a later one.

use grateful_domain::{Notification, PasswordHash};
use grateful_seed::{
    Dataset, GeneratedHeart, GeneratedInbox, GeneratedReaction, GeneratedUser, NotificationQuota,
};
use grateful_storage::{
    BulkInbox, BulkLoad, BulkNotification, BulkQuota, BulkUser, NewHeart, NewReaction, StorageError,
};

use super::progress::Progress;

/// Loads all of it.
pub(super) async fn load(
    load: &mut BulkLoad,
    world: &Dataset,
    password: &PasswordHash,
    progress: &Progress,
) -> Result<(), StorageError> {
    let people = world.users().map(|person| user(person, password));
    load.users(progress.track("people", people)).await?;
    load.posts(progress.track("posts", world.posts())).await?;
    load.follows(progress.track("follows", world.follows())).await?;
    load.hearts(progress.track("hearts", world.hearts().map(like))).await?;
    load.emoji_reactions(progress.track("emoji", world.reactions().map(reaction))).await?;
    load.shares(progress.track("shares", world.shares())).await?;
    load.comments(progress.track("comments", world.comments())).await?;
    let inboxes = load_notifications(load, world, progress).await?;
    load.inboxes(inboxes.iter().map(|inbox| inbox.place)).await?;
    load.notification_quotas(inboxes.into_iter().flat_map(|inbox| inbox.quotas)).await?;
    progress.finish();
    Ok(())
}

/// What is kept of an inbox beside its notifications.
struct Kept {
    place: BulkInbox,
    quotas: Vec<BulkQuota>,
}

/// Person by person, so that nobody's notifications stay in memory.
async fn load_notifications(
    load: &mut BulkLoad,
    world: &Dataset,
    progress: &Progress,
) -> Result<Vec<Kept>, StorageError> {
    let mut inboxes = Vec::new();
    let notifications = world.inboxes().flat_map(|inbox| {
        inboxes.push(kept(&inbox));
        inbox.notifications
    });
    // Batches come on top, and what was held back does not come.
    let notifications =
        progress.track_estimated("notifications", world.event_count(), notifications);
    load.notifications(notifications.map(notification)).await?;
    Ok(inboxes)
}

fn kept(inbox: &GeneratedInbox) -> Kept {
    let user = inbox.owner;
    let quota = |it: &NotificationQuota| BulkQuota {
        user,
        kind: it.kind,
        starts: it.starts,
        held_back: it.held_back,
    };
    Kept {
        place: BulkInbox { user, last_seq: inbox.last_seq },
        quotas: inbox.quotas.iter().map(quota).collect(),
    }
}

fn notification((notification, seq): (Notification, i64)) -> BulkNotification {
    BulkNotification { notification, seq }
}

fn user(person: GeneratedUser, password: &PasswordHash) -> BulkUser {
    BulkUser {
        id: person.id,
        username: person.username,
        email: person.email,
        password: password.clone(),
        display_name: person.display_name,
        bio: person.bio,
        city: person.city,
        preferences: person.preferences,
        created_at: person.joined_at,
        followers: person.followers,
        following: person.following,
        posts: person.posts,
        public_posts: person.public_posts,
    }
}

fn like(GeneratedHeart { id, user, post, at }: GeneratedHeart) -> NewHeart {
    NewHeart { id, user, post, at }
}

fn reaction(GeneratedReaction { id, user, post, emoji, at }: GeneratedReaction) -> NewReaction {
    NewReaction { id, user, post, emoji, at }
}
