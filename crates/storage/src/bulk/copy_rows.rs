//! The rows of each table for COPY, and their columns.

use std::pin::Pin;

use chrono::{DateTime, Utc};
use grateful_domain::notification::{HourlyQuota, SuppressedNotification};
use grateful_domain::{
    BatchKey, Bio, City, Comment, DisplayName, Email, Follow, ImageUrl, LocationName, Notification,
    NotificationType, PasswordHash, Post, Preferences, Share, ShareDetails, ShareId, ShareMessage,
    ShareMethod, Title, UserId, Username,
};
use tokio_postgres::Error;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{Json, Type};
use uuid::Uuid;

use crate::repositories::{NewHeart, NewReaction};
use crate::rows::stored_details;

/// A row for COPY.
pub(super) trait CopyRow {
    const TABLE: &'static str;
    const COLUMNS: &str;
    /// The types of the columns, in the same order.
    const TYPES: &[Type];

    async fn write(&self, out: Pin<&mut BinaryCopyInWriter>) -> Result<(), Error>;
}

/// A user with the stored counters.
#[derive(Debug, Clone)]
pub struct BulkUser {
    /// A reserved id.
    pub id: UserId,
    /// The unique username.
    pub username: Username,
    /// The email address for signing in.
    pub email: Email,
    /// The hash of the password.
    pub password: PasswordHash,
    /// The display name.
    pub display_name: Option<DisplayName>,
    /// The text about the user.
    pub bio: Option<Bio>,
    /// The city of the user.
    pub city: Option<City>,
    /// The preferences.
    pub preferences: Option<Preferences>,
    /// When the account was created.
    pub created_at: DateTime<Utc>,
    /// The number of followers.
    pub followers: i64,
    /// The number of followed users.
    pub following: i64,
    /// The number of posts.
    pub posts: i64,
    /// The number of public posts.
    pub public_posts: i64,
}

/// A notification with its sequence number.
#[derive(Debug, Clone)]
pub struct BulkNotification {
    /// The notification.
    pub notification: Notification,
    /// The number of the last inbox change that showed it; 0 if none did.
    pub seq: i64,
}

/// The inbox of a user.
#[derive(Debug, Clone, Copy)]
pub struct BulkInbox {
    /// The user.
    pub user: UserId,
    /// The number of the last change of the inbox.
    pub last_seq: i64,
}

/// The hourly quota of a user for a type of notifications.
#[derive(Debug, Clone)]
pub struct BulkNotificationQuota {
    /// The user.
    pub user: UserId,
    /// The type.
    pub kind: NotificationType,
    /// The last quota window in which notifications were created.
    pub quota: HourlyQuota,
    /// The number of notifications that were ever held back.
    pub held_back: i64,
}

/// A recipient of a message share.
pub(super) struct ShareRecipient {
    share: ShareId,
    user: UserId,
}

impl ShareRecipient {
    /// All recipients of a share. A link share has none.
    pub(super) fn of(share: &Share) -> Vec<Self> {
        let ShareDetails::Message { recipients, .. } = &share.details else { return Vec::new() };
        let recipient = |user: &UserId| Self { share: share.id, user: *user };
        recipients.as_slice().iter().map(recipient).collect()
    }
}

impl CopyRow for BulkUser {
    const TABLE: &str = "users";
    const COLUMNS: &str = "id, email, username, hashed_password, bio, created_at, display_name, city, \
        profile_preferences, followers_count, following_count, posts_count, public_posts_count";
    const TYPES: &[Type] = &[
        Type::INT8,
        Type::TEXT,
        Type::TEXT,
        Type::TEXT,
        Type::TEXT,
        Type::TIMESTAMPTZ,
        Type::VARCHAR,
        Type::VARCHAR,
        Type::JSONB,
        Type::INT8,
        Type::INT8,
        Type::INT8,
        Type::INT8,
    ];

    async fn write(&self, out: Pin<&mut BinaryCopyInWriter>) -> Result<(), Error> {
        out.write(&[
            &i64::from(self.id),
            &self.email.as_str(),
            &self.username.as_str(),
            &self.password.as_str(),
            &self.bio.as_ref().map(Bio::as_str),
            &self.created_at,
            &self.display_name.as_ref().map(DisplayName::as_str),
            &self.city.as_ref().map(City::as_str),
            &self.preferences.as_ref().map(Preferences::as_map).map(Json),
            &self.followers,
            &self.following,
            &self.posts,
            &self.public_posts,
        ])
        .await
    }
}

impl CopyRow for Post {
    const TABLE: &str = "posts";
    const COLUMNS: &str = "id, author_id, title, content, post_type, image_url, location, is_public, created_at, \
        updated_at, hearts_count, reactions_count, shares_count, comments_count";
    const TYPES: &[Type] = &[
        Type::UUID,
        Type::INT8,
        Type::TEXT,
        Type::TEXT,
        Type::TEXT,
        Type::TEXT,
        Type::TEXT,
        Type::BOOL,
        Type::TIMESTAMPTZ,
        Type::TIMESTAMPTZ,
        Type::INT4,
        Type::INT4,
        Type::INT4,
        Type::INT4,
    ];

    async fn write(&self, out: Pin<&mut BinaryCopyInWriter>) -> Result<(), Error> {
        out.write(&[
            &Uuid::from(self.id),
            &i64::from(self.author),
            &self.draft.title.as_ref().map(Title::as_str),
            &self.draft.content.as_str(),
            &self.draft.post_type.code(),
            &self.draft.image_url.as_ref().map(ImageUrl::as_str),
            &self.draft.location.as_ref().map(LocationName::as_str),
            &self.draft.visibility.is_public(),
            &self.created_at,
            &self.updated_at,
            &self.engagement.hearts,
            &self.engagement.reactions,
            &self.engagement.shares,
            &self.engagement.comments,
        ])
        .await
    }
}

impl CopyRow for Follow {
    const TABLE: &str = "follows";
    const COLUMNS: &str = "id, follower_id, followed_id, status, created_at";
    const TYPES: &[Type] = &[Type::UUID, Type::INT8, Type::INT8, Type::TEXT, Type::TIMESTAMPTZ];

    async fn write(&self, out: Pin<&mut BinaryCopyInWriter>) -> Result<(), Error> {
        out.write(&[
            &Uuid::from(self.id),
            &i64::from(self.follower),
            &i64::from(self.followed),
            &self.state.code(),
            &self.created_at,
        ])
        .await
    }
}

impl CopyRow for NewHeart {
    const TABLE: &str = "likes";
    const COLUMNS: &str = "id, user_id, post_id, created_at";
    const TYPES: &[Type] = &[Type::UUID, Type::INT8, Type::UUID, Type::TIMESTAMPTZ];

    async fn write(&self, out: Pin<&mut BinaryCopyInWriter>) -> Result<(), Error> {
        let (id, user) = (Uuid::from(self.id), i64::from(self.user));
        out.write(&[&id, &user, &Uuid::from(self.post), &self.at]).await
    }
}

impl CopyRow for NewReaction {
    const TABLE: &str = "emoji_reactions";
    const COLUMNS: &str = "id, user_id, post_id, emoji_code, created_at";
    const TYPES: &[Type] = &[Type::UUID, Type::INT8, Type::UUID, Type::TEXT, Type::TIMESTAMPTZ];

    async fn write(&self, out: Pin<&mut BinaryCopyInWriter>) -> Result<(), Error> {
        let (id, user) = (Uuid::from(self.id), i64::from(self.user));
        out.write(&[&id, &user, &Uuid::from(self.post), &self.emoji.code(), &self.at]).await
    }
}

impl CopyRow for Share {
    const TABLE: &str = "shares";
    const COLUMNS: &str = "id, user_id, post_id, share_method, message_content, created_at";
    const TYPES: &[Type] =
        &[Type::UUID, Type::INT8, Type::UUID, Type::TEXT, Type::TEXT, Type::TIMESTAMPTZ];

    async fn write(&self, out: Pin<&mut BinaryCopyInWriter>) -> Result<(), Error> {
        let (method, message) = match &self.details {
            ShareDetails::Url => (ShareMethod::Url, None),
            ShareDetails::Message { message, .. } => (ShareMethod::Message, message.as_ref()),
        };
        out.write(&[
            &Uuid::from(self.id),
            &i64::from(self.user),
            &Uuid::from(self.post),
            &method.code(),
            &message.map(ShareMessage::as_str),
            &self.created_at,
        ])
        .await
    }
}

impl CopyRow for ShareRecipient {
    const TABLE: &str = "share_recipients";
    const COLUMNS: &str = "share_id, user_id";
    const TYPES: &[Type] = &[Type::UUID, Type::INT8];

    async fn write(&self, out: Pin<&mut BinaryCopyInWriter>) -> Result<(), Error> {
        out.write(&[&Uuid::from(self.share), &i64::from(self.user)]).await
    }
}

impl CopyRow for Comment {
    const TABLE: &str = "comments";
    const COLUMNS: &str = "id, author_id, post_id, parent_id, content, created_at, updated_at";
    const TYPES: &[Type] = &[
        Type::UUID,
        Type::INT8,
        Type::UUID,
        Type::UUID,
        Type::TEXT,
        Type::TIMESTAMPTZ,
        Type::TIMESTAMPTZ,
    ];

    async fn write(&self, out: Pin<&mut BinaryCopyInWriter>) -> Result<(), Error> {
        out.write(&[
            &Uuid::from(self.id),
            &i64::from(self.author),
            &Uuid::from(self.post),
            &self.parent.map(Uuid::from),
            &self.text.as_str(),
            &self.created_at,
            &self.updated_at,
        ])
        .await
    }
}

impl CopyRow for BulkNotification {
    const TABLE: &'static str = "notifications";
    const COLUMNS: &str = "id, user_id, actor_id, type, data, priority, read, read_at, created_at, \
        last_updated_at, closed_at, parent_id, is_batch, batch_count, actor_count, batch_key, act, post_id, comment_id, \
        seq";
    const TYPES: &[Type] = &[
        Type::UUID,
        Type::INT8,
        Type::INT8,
        Type::VARCHAR,
        Type::JSONB,
        Type::TEXT,
        Type::BOOL,
        Type::TIMESTAMPTZ,
        Type::TIMESTAMPTZ,
        Type::TIMESTAMPTZ,
        Type::TIMESTAMPTZ,
        Type::UUID,
        Type::BOOL,
        Type::INT4,
        Type::INT4,
        Type::VARCHAR,
        Type::TEXT,
        Type::UUID,
        Type::UUID,
        Type::INT8,
    ];

    async fn write(&self, out: Pin<&mut BinaryCopyInWriter>) -> Result<(), Error> {
        let notification = &self.notification;
        let counts = notification.batch_counts();
        out.write(&[
            &Uuid::from(notification.id),
            &i64::from(notification.recipient),
            &notification.actor.map(i64::from),
            &notification.kind.code(),
            &stored_details(&notification.details).map(Json),
            &notification.priority.code(),
            &notification.read_at.is_some(),
            &notification.read_at,
            &notification.created_at,
            &notification.last_updated_at,
            &notification.closed_at,
            &notification.parent.map(Uuid::from),
            &notification.batch.is_some(),
            &counts.child_count,
            &counts.actor_count,
            &notification.key.as_ref().map(BatchKey::as_str),
            &notification.act,
            &notification.post.map(Uuid::from),
            &notification.comment.map(Uuid::from),
            &self.seq,
        ])
        .await
    }
}

impl CopyRow for BulkInbox {
    const TABLE: &'static str = "inboxes";
    const COLUMNS: &str = "user_id, last_seq, forgotten_seq";
    const TYPES: &[Type] = &[Type::INT8, Type::INT8, Type::INT8];

    async fn write(&self, out: Pin<&mut BinaryCopyInWriter>) -> Result<(), Error> {
        // Removals before the load were never recorded, so no stream can resume from before it.
        out.write(&[&i64::from(self.user), &self.last_seq, &self.last_seq]).await
    }
}

impl CopyRow for SuppressedNotification {
    const TABLE: &'static str = "suppressed_notifications";
    const COLUMNS: &str = "user_id, actor_id, act, reason, suppressed_at";
    const TYPES: &[Type] = &[Type::INT8, Type::INT8, Type::TEXT, Type::TEXT, Type::TIMESTAMPTZ];

    async fn write(&self, out: Pin<&mut BinaryCopyInWriter>) -> Result<(), Error> {
        out.write(&[
            &i64::from(self.recipient),
            &i64::from(self.actor),
            &self.act,
            &self.reason.code(),
            &self.at,
        ])
        .await
    }
}

impl CopyRow for BulkNotificationQuota {
    const TABLE: &'static str = "notification_quotas";
    const COLUMNS: &str = "user_id, type, window_opened_at, actor_ids, held_back";
    const TYPES: &[Type] =
        &[Type::INT8, Type::VARCHAR, Type::TIMESTAMPTZ, Type::INT8_ARRAY, Type::INT8];

    async fn write(&self, out: Pin<&mut BinaryCopyInWriter>) -> Result<(), Error> {
        out.write(&[
            &i64::from(self.user),
            &self.kind.code(),
            &self.quota.window_opened_at,
            &self.quota.actors.iter().copied().map(i64::from).collect::<Vec<i64>>(),
            &self.held_back,
        ])
        .await
    }
}
