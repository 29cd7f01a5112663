//! The rows of each table for COPY, and their columns.

use std::pin::Pin;

use chrono::{DateTime, Utc};
use grateful_domain::notification::{HourlyQuota, NotificationCounts, SuppressedNotification};
use grateful_domain::{
    Bio, City, Comment, DisplayName, Email, Follow, ImageUrl, Institutions, Location, LocationName,
    NotificationType, PasswordHash, Post, Preferences, ProfilePhoto, Share, ShareDetails, ShareId,
    ShareMessage, ShareMethod, Title, UserId, Username, Websites,
};
use tokio_postgres::Error;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{Json, Type};
use uuid::Uuid;

use crate::repositories::{NewHeart, NewReaction};
use crate::rows::NotificationRow;

/// A row for COPY.
pub(super) trait CopyRow {
    const TABLE: &'static str;
    const COLUMNS: &[&str];
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
    /// The schools, companies and similar institutions.
    pub institutions: Option<Institutions>,
    /// The websites.
    pub websites: Option<Websites>,
    /// The location.
    pub location: Option<Location>,
    /// The profile photo, whose files exist.
    pub photo: Option<ProfilePhoto>,
    /// Where clients find the profile photo.
    pub photo_url: Option<String>,
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

/// An inbox without its notifications.
pub(super) struct InboxRow {
    pub(super) user: UserId,
    pub(super) last_seq: i64,
    pub(super) counts: NotificationCounts,
}

/// The hourly quota of a user for a type of notifications.
pub(super) struct QuotaRow {
    pub(super) user: UserId,
    pub(super) kind: NotificationType,
    pub(super) quota: HourlyQuota,
    pub(super) held_back: i64,
}

/// A recipient of a message share.
pub(super) struct ShareRecipient {
    share: ShareId,
    user: UserId,
}

impl ShareRecipient {
    /// All recipients of a share. A link share has none.
    pub(super) fn of(share: &Share) -> Vec<Self> {
        let recipient = |user: &UserId| Self { share: share.id, user: *user };
        share.details.recipients().iter().map(recipient).collect()
    }
}

/// Implements [`CopyRow`] for rows of a table, from the type and the value of each column.
macro_rules! copy_row {
    ($row:ident: $rust:ty => $table:ident { $($column:literal: $sql:ident = $value:expr,)+ }) => {
        impl CopyRow for $rust {
            const TABLE: &'static str = stringify!($table);
            const COLUMNS: &[&str] = &[$($column),+];
            const TYPES: &[Type] = &[$(Type::$sql),+];

            async fn write(&self, out: Pin<&mut BinaryCopyInWriter>) -> Result<(), Error> {
                let $row = self;
                out.write(&[$(&$value),+]).await
            }
        }
    };
}

copy_row!(row: BulkUser => users {
    "id": INT8 = i64::from(row.id),
    "email": TEXT = row.email.as_str(),
    "username": TEXT = row.username.as_str(),
    "hashed_password": TEXT = row.password.as_str(),
    "bio": TEXT = row.bio.as_ref().map(Bio::as_str),
    "created_at": TIMESTAMPTZ = row.created_at,
    "display_name": VARCHAR = row.display_name.as_ref().map(DisplayName::as_str),
    "city": VARCHAR = row.city.as_ref().map(City::as_str),
    "profile_image_url": TEXT = row.photo_url,
    "institutions": JSONB = row.institutions.as_ref().map(Institutions::as_slice).map(Json),
    "websites": JSONB = row.websites.as_ref().map(Websites::as_slice).map(Json),
    "location": JSONB = row.location.as_ref().map(Location::as_map).map(Json),
    "profile_photo_filename": VARCHAR = row.photo.as_ref().map(ProfilePhoto::as_str),
    "profile_preferences": JSONB = row.preferences.as_ref().map(Preferences::as_map).map(Json),
    "followers_count": INT8 = row.followers,
    "following_count": INT8 = row.following,
    "posts_count": INT8 = row.posts,
    "public_posts_count": INT8 = row.public_posts,
});

copy_row!(row: Post => posts {
    "id": UUID = Uuid::from(row.id),
    "author_id": INT8 = i64::from(row.author),
    "title": TEXT = row.draft.title.as_ref().map(Title::as_str),
    "content": TEXT = row.draft.content.as_str(),
    "post_type": TEXT = row.draft.post_type.code(),
    "image_url": TEXT = row.draft.image_url.as_ref().map(ImageUrl::as_str),
    "location": TEXT = row.draft.location.as_ref().map(LocationName::as_str),
    "is_public": BOOL = row.draft.visibility.is_public(),
    "created_at": TIMESTAMPTZ = row.created_at,
    "updated_at": TIMESTAMPTZ = row.updated_at,
    "hearts_count": INT4 = row.engagement.hearts,
    "reactions_count": INT4 = row.engagement.reactions,
    "shares_count": INT4 = row.engagement.shares,
    "comments_count": INT4 = row.engagement.comments,
});

copy_row!(row: Follow => follows {
    "id": UUID = Uuid::from(row.id),
    "follower_id": INT8 = i64::from(row.follower),
    "followed_id": INT8 = i64::from(row.followed),
    "status": TEXT = row.state.code(),
    "created_at": TIMESTAMPTZ = row.created_at,
});

copy_row!(row: NewHeart => likes {
    "id": UUID = Uuid::from(row.id),
    "user_id": INT8 = i64::from(row.user),
    "post_id": UUID = Uuid::from(row.post),
    "created_at": TIMESTAMPTZ = row.at,
});

copy_row!(row: NewReaction => emoji_reactions {
    "id": UUID = Uuid::from(row.id),
    "user_id": INT8 = i64::from(row.user),
    "post_id": UUID = Uuid::from(row.post),
    "emoji_code": TEXT = row.emoji.code(),
    "created_at": TIMESTAMPTZ = row.at,
});

copy_row!(row: Share => shares {
    "id": UUID = Uuid::from(row.id),
    "user_id": INT8 = i64::from(row.user),
    "post_id": UUID = Uuid::from(row.post),
    "share_method": TEXT = match row.details {
        ShareDetails::Url => ShareMethod::Url,
        ShareDetails::Message { .. } => ShareMethod::Message,
    }.code(),
    "message_content": TEXT = row.details.message().map(ShareMessage::as_str),
    "created_at": TIMESTAMPTZ = row.created_at,
});

copy_row!(row: ShareRecipient => share_recipients {
    "share_id": UUID = Uuid::from(row.share),
    "user_id": INT8 = i64::from(row.user),
});

copy_row!(row: Comment => comments {
    "id": UUID = Uuid::from(row.id),
    "author_id": INT8 = i64::from(row.author),
    "post_id": UUID = Uuid::from(row.post),
    "parent_id": UUID = row.parent.map(Uuid::from),
    "content": TEXT = row.text.as_str(),
    "created_at": TIMESTAMPTZ = row.created_at,
    "updated_at": TIMESTAMPTZ = row.updated_at,
});

copy_row!(row: NotificationRow => notifications {
    "id": UUID = row.id,
    "user_id": INT8 = row.user_id,
    "actor_id": INT8 = row.actor_id,
    "type": VARCHAR = row.kind,
    "data": JSONB = row.data,
    "priority": TEXT = row.priority,
    "read": BOOL = row.read,
    "read_at": TIMESTAMPTZ = row.read_at,
    "created_at": TIMESTAMPTZ = row.created_at,
    "last_updated_at": TIMESTAMPTZ = row.last_updated_at,
    "closed_at": TIMESTAMPTZ = row.closed_at,
    "parent_id": UUID = row.parent_id,
    "is_batch": BOOL = row.is_batch,
    "batch_count": INT4 = row.batch_count,
    "actor_count": INT4 = row.actor_count,
    "batch_key": VARCHAR = row.batch_key,
    "act": TEXT = row.act,
    "post_id": UUID = row.post_id,
    "comment_id": UUID = row.comment_id,
    "seq": INT8 = row.seq,
});

copy_row!(row: InboxRow => inboxes {
    "user_id": INT8 = i64::from(row.user),
    "last_seq": INT8 = row.last_seq,
    // Removals before the load were never recorded, so no stream can resume from before it.
    "forgotten_seq": INT8 = row.last_seq,
    "unread_count": INT8 = row.counts.unread,
    "total_count": INT8 = row.counts.total,
});

copy_row!(row: SuppressedNotification => suppressed_notifications {
    "user_id": INT8 = i64::from(row.recipient),
    "actor_id": INT8 = i64::from(row.actor),
    "act": TEXT = row.act,
    "reason": TEXT = row.reason.code(),
    "suppressed_at": TIMESTAMPTZ = row.at,
});

copy_row!(row: QuotaRow => notification_quotas {
    "user_id": INT8 = i64::from(row.user),
    "type": VARCHAR = row.kind.code(),
    "window_opened_at": TIMESTAMPTZ = row.quota.window_opened_at,
    "actor_ids": INT8_ARRAY = row.quota.actors.iter().copied().map(i64::from).collect::<Vec<i64>>(),
    "held_back": INT8 = row.held_back,
});
