//! Rows of `notifications`, also as JSON.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use grateful_domain::notification::{BatchCounts, BatchKind, EventDetails, Subject};
use grateful_domain::{
    BatchKey, CommentId, Emoji, Notification, NotificationType, PostId, Priority, ShareMessage,
    ShareMethod, UserId,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::error::{Result, StorageError};
use crate::schema::notifications;

/// A row of `notifications`.
///
/// Statements that decide on several rows, and those that write several, exchange them as JSON. With an array per column,
/// they would have too many values to read.
///
/// `title` and `message` are not read, and NULL in each row that is written: texts are rendered when they are read
/// (docs/decisions/0027).
#[derive(Debug, Queryable, Selectable, Serialize, Deserialize)]
#[diesel(table_name = notifications)]
pub(crate) struct NotificationRow {
    pub(crate) id: Uuid,
    pub(crate) user_id: i64,
    pub(crate) actor_id: Option<i64>,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) data: Option<Value>,
    pub(crate) priority: String,
    pub(crate) read: bool,
    pub(crate) read_at: Option<DateTime<Utc>>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) last_updated_at: DateTime<Utc>,
    pub(crate) closed_at: Option<DateTime<Utc>>,
    pub(crate) parent_id: Option<Uuid>,
    pub(crate) is_batch: bool,
    pub(crate) batch_count: i32,
    pub(crate) actor_count: i32,
    pub(crate) batch_key: Option<String>,
    pub(crate) act: Option<String>,
    pub(crate) post_id: Option<Uuid>,
    pub(crate) comment_id: Option<Uuid>,
    /// Zero keeps the stored number when the row is updated.
    pub(crate) seq: i64,
}

impl NotificationRow {
    pub(crate) fn new(notification: &Notification, seq: i64) -> Self {
        let counts = notification.batch_counts();
        Self {
            id: notification.id.into(),
            user_id: notification.recipient.into(),
            actor_id: notification.actor.map(i64::from),
            kind: notification.kind.code().to_owned(),
            data: stored_details(&notification.details, notification.subject.share_method),
            priority: notification.subject.priority.code().to_owned(),
            read: notification.read_at.is_some(),
            read_at: notification.read_at,
            created_at: notification.created_at,
            last_updated_at: notification.last_updated_at,
            closed_at: notification.closed_at,
            parent_id: notification.parent.map(Uuid::from),
            is_batch: notification.batch.is_some(),
            batch_count: counts.child_count,
            actor_count: counts.actor_count,
            batch_key: stored_key(notification).map(|key| key.as_str().to_owned()),
            act: stored_act(notification).map(str::to_owned),
            post_id: notification.subject.post.map(Uuid::from),
            comment_id: notification.subject.comment.map(Uuid::from),
            seq,
        }
    }
}

impl TryFrom<NotificationRow> for Notification {
    type Error = StorageError;

    fn try_from(row: NotificationRow) -> Result<Self> {
        let corrupt = |column| StorageError::Corrupt { column };
        let kind =
            NotificationType::from_code(&row.kind).map_err(|_| corrupt("notifications.type"))?;
        let key = row.batch_key.map(BatchKey::from_stored).or_else(|| {
            row.parent_id
                .and_then(|_| implied_key(kind, row.user_id.into(), row.post_id.map(Into::into)))
        });
        let act = match row.act {
            Some(act) if act.is_empty() => {
                Some(implied_act(kind, row.post_id.map(Into::into), row.comment_id.map(Into::into)))
            }
            act => act,
        };
        let (details, share_method) = details_from(row.data)?;
        Ok(Self {
            id: row.id.into(),
            recipient: row.user_id.into(),
            kind,
            actor: row.actor_id.map(Into::into),
            act,
            subject: Subject {
                post: row.post_id.map(Into::into),
                comment: row.comment_id.map(Into::into),
                share_method,
                priority: Priority::from_code(&row.priority)
                    .map_err(|_| corrupt("notifications.priority"))?,
            },
            details,
            // A row that other code wrote may lack the time.
            read_at: row.read.then(|| row.read_at.unwrap_or(row.last_updated_at)),
            created_at: row.created_at,
            last_updated_at: row.last_updated_at,
            closed_at: row.closed_at,
            parent: row.parent_id.map(Into::into),
            batch: row.is_batch.then_some(BatchCounts {
                child_count: row.batch_count,
                actor_count: row.actor_count,
            }),
            key,
        })
    }
}

/// The act to store. It is empty if the type and the ids of the row imply it, as for most notifications.
fn stored_act(notification: &Notification) -> Option<&str> {
    let Notification { kind, subject, act, .. } = notification;
    let act = act.as_deref()?;
    Some(if act == implied_act(*kind, subject.post, subject.comment) { "" } else { act })
}

/// The act of a row that stores none: the function `notification_act` of the database.
fn implied_act(kind: NotificationType, post: Option<PostId>, comment: Option<CommentId>) -> String {
    let kind = kind.code();
    match (comment, post) {
        (Some(comment), _) => format!("{kind}:comment:{comment}"),
        (None, Some(post)) => format!("{kind}:post:{post}"),
        (None, None) => kind.to_owned(),
    }
}

/// The batch key to store. It is NULL in children if their other columns imply it: most notifications are children of
/// hearts, and no index has their key.
fn stored_key(notification: &Notification) -> Option<&BatchKey> {
    let Notification { kind, recipient, subject, parent, key, .. } = notification;
    let is_implied = parent.is_some() && implied_key(*kind, *recipient, subject.post) == *key;
    key.as_ref().filter(|_| !is_implied)
}

/// The batch key that acts of this type have, if it follows from the recipient or the post alone.
fn implied_key(
    kind: NotificationType,
    recipient: UserId,
    post: Option<PostId>,
) -> Option<BatchKey> {
    match kind {
        NotificationType::Like | NotificationType::EmojiReaction => {
            post.map(|post| BatchKind::PostInteraction.key(post))
        }
        NotificationType::Follow => Some(BatchKind::Follow.key(recipient)),
        _ => None,
    }
}

/// The column `data`: the details and the method of a share, under the names that clients know. Older versions stored more.
#[derive(Serialize, Deserialize)]
struct StoredDetails {
    #[serde(skip_serializing_if = "Option::is_none")]
    emoji_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    share_method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    share_message: Option<String>,
}

/// The details to store; NULL if there are none.
fn stored_details(details: &EventDetails, share_method: Option<ShareMethod>) -> Option<Value> {
    let stored = StoredDetails {
        emoji_code: details.emoji.map(|emoji| emoji.code().to_owned()),
        share_method: share_method.map(|method| method.code().to_owned()),
        share_message: details.share_message.as_ref().map(|text| text.as_str().to_owned()),
    };
    let is_empty = share_method.is_none() && *details == EventDetails::default();
    (!is_empty).then(|| json!(stored))
}

fn details_from(data: Option<Value>) -> Result<(EventDetails, Option<ShareMethod>)> {
    let Some(data) = data else { return Ok((EventDetails::default(), None)) };
    let stored: StoredDetails = serde_json::from_value(data)
        .map_err(|_| StorageError::Corrupt { column: "notifications.data" })?;
    let mut details = EventDetails::default();
    details.emoji = stored.emoji_code.and_then(|code| Emoji::from_code(&code).ok());
    details.share_message = stored.share_message.map(ShareMessage::from_stored);
    let share_method = stored.share_method.and_then(|code| ShareMethod::from_code(&code).ok());
    Ok((details, share_method))
}
