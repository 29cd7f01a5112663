//! Notifications: one notification in an inbox for an act, or one batch for several acts of the same kind.
//!
//! An [`Inbox`] applies updates in memory, one after another. `grateful-storage` loads the [part](InboxPart) of an inbox that
//! some updates need, applies them there, and writes the [difference](InboxDiff).

mod audience;
mod batching;
mod decision;
mod event;
mod inbox;
mod inbox_changes;
mod inbox_part;
mod inbox_update;
mod quota;
mod reading;
mod recording;
mod rendered;
mod suppression;
mod text;
mod withdrawal;

use chrono::{DateTime, Utc};
use serde_json::Value;

pub use self::audience::{recipients_of_comment, recipients_of_comment_edit, recipients_of_post};
pub use self::batching::{BatchConfig, BatchKey, BatchKind, BatchScope, Icon};
pub use self::decision::{BatchDecision, Deliverability, RestoreTarget, SkipReason};
use self::decision::{InboxContext, ParentNotification, decide};
pub use self::event::{Act, Cause, Event, EventDetails};
pub use self::inbox::Inbox;
use self::inbox_changes::InboxChanges;
pub use self::inbox_changes::WithdrawnNotification;
pub use self::inbox_part::{InboxDiff, InboxPart, OtherChildren, StoredQuota};
pub use self::inbox_update::InboxUpdate;
pub use self::quota::HourlyQuota;
pub use self::reading::{InboxChange, InboxChangeKind, NotificationCounts, NotificationStats};
use self::recording::record;
pub use self::rendered::RenderedNotification;
pub use self::suppression::{SuppressedNotification, SuppressionReason};
use self::text::TextContext;
pub use self::text::{QuotedTexts, Text};
pub use self::withdrawal::WithdrawalReason;
use self::withdrawal::{RemainingBatch, update_reaction, withdraw};
use crate::{CommentId, Emoji, NotificationId, PostId, Preferences, UserId, closed_enum};

/// A notification in an inbox: of one act, or a batch whose acts are stored as its children.
#[derive(Debug, Clone, PartialEq)]
pub struct Notification {
    pub id: NotificationId,
    pub recipient: UserId,
    pub kind: NotificationType,
    /// The user who did the act. For a batch, the actor of the newest child.
    pub actor: Option<UserId>,
    /// The [`Act::dedup_key`] of the act. `None` for a batch.
    pub act: Option<String>,
    pub post: Option<PostId>,
    pub comment: Option<CommentId>,
    /// What only the act says. A [`RenderedNotification`] adds what can be looked up when it is read.
    pub details: EventDetails,
    pub priority: Priority,
    /// When the recipient read it. `None` while unread.
    pub read_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    /// When the notification was created or last got a new child.
    pub last_updated_at: DateTime<Utc>,
    /// When the notification stopped accepting children.
    pub closed_at: Option<DateTime<Utc>>,
    /// The batch that this notification is a child of.
    pub parent: Option<NotificationId>,
    /// The counts of a batch. `None` if this is not a batch.
    pub batch: Option<BatchCounts>,
    /// The batch key of the act. `None` if the act cannot be batched.
    pub key: Option<BatchKey>,
}

/// How many acts and actors a batch has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchCounts {
    pub child_count: i32,
    /// The number of distinct actors.
    pub actor_count: i32,
}

impl Notification {
    /// Whether the notification is in the list itself, and not a child of a batch.
    pub(crate) fn is_top_level(&self) -> bool {
        self.parent.is_none()
    }

    /// Whether this is the open notification of its key. Age and size limits are checked separately, see
    /// [`BatchConfig`].
    pub(crate) fn is_open(&self) -> bool {
        self.is_top_level() && self.closed_at.is_none()
    }

    /// The counts of a batch; one act by one actor if this is not a batch.
    pub fn batch_counts(&self) -> BatchCounts {
        self.batch.unwrap_or(BatchCounts { child_count: 1, actor_count: 1 })
    }

    /// Renders the text with the current `name` of the actor and the current texts. `emoji` is the emoji of the actor's
    /// reaction in a batch, if the newest act is not the reaction itself.
    fn render_text(&self, name: &str, emoji: Option<Emoji>, quoted: &QuotedTexts) -> Text {
        let context = TextContext {
            kind: self.kind,
            config: self.key.as_ref().and_then(BatchKey::config),
            name,
            details: &self.details,
            is_in_comment: self.comment.is_some(),
            quoted,
            counts: self.batch_counts(),
            emoji,
        };
        context.render()
    }

    /// The position among the children of a batch: the greatest key is the newest child.
    pub(crate) fn sort_key(&self) -> (DateTime<Utc>, NotificationId) {
        (self.created_at, self.id)
    }
}

closed_enum! {
    /// The type of a notification: of its act, or of the acts in a batch.
    #[derive(PartialOrd, Ord)]
    pub enum NotificationType {
        Like = "like",
        EmojiReaction = "emoji_reaction",
        PostShared = "post_shared",
        Mention = "mention",
        Follow = "follow",
        FollowRequest = "follow_request",
        FollowAccepted = "follow_accepted",
        Comment = "comment",
        CommentReply = "comment_reply",
        /// A batch of hearts and reactions on one post.
        PostInteraction = "post_interaction",
    }
}

impl NotificationType {
    /// How urgent the notification is for the recipient (docs/rules.md#notifications).
    const fn priority(self) -> Priority {
        match self {
            Self::Mention | Self::FollowRequest => Priority::High,
            Self::Like
            | Self::EmojiReaction
            | Self::PostShared
            | Self::Follow
            | Self::FollowAccepted
            | Self::Comment
            | Self::CommentReply
            | Self::PostInteraction => Priority::Normal,
        }
    }
}

closed_enum! {
    /// How urgent a notification is for its recipient, lowest first.
    pub enum Priority {
        Low = "low",
        Normal = "normal",
        High = "high",
    }
}

impl Preferences {
    /// Whether the user accepts notifications of this type. `true` unless they have muted the type, or the type of the batch
    /// parents that collect it: `post_interaction` mutes hearts and reactions.
    pub fn allows_notification(&self, kind: NotificationType) -> bool {
        let switches = self.as_map().get("notifications").and_then(Value::as_object);
        let is_on = |kind: NotificationType| {
            let switch = switches.and_then(|switches| switches.get(kind.code()));
            switch.and_then(Value::as_bool).unwrap_or(true)
        };
        match kind {
            NotificationType::Like | NotificationType::EmojiReaction => {
                is_on(kind) && is_on(NotificationType::PostInteraction)
            }
            _ => is_on(kind),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;

    #[test]
    fn all_notification_types_are_allowed_except_muted_ones() {
        let raw = json!({"notifications": {"like": false, "mention": true}});
        let preferences = Preferences::parse(raw.as_object().unwrap().clone()).unwrap();

        for kind in NotificationType::ALL {
            assert_eq!(preferences.allows_notification(kind), kind != NotificationType::Like);
            assert!(Preferences::from_stored(Map::new()).allows_notification(kind));
        }
    }

    #[test]
    fn muting_post_interactions_mutes_hearts_and_reactions_with_any_switches_of_their_own() {
        for own in [None, Some(true), Some(false)] {
            let mut switches = json!({"post_interaction": false, "theme": false});
            if let Some(own) = own {
                switches["like"] = own.into();
                switches["emoji_reaction"] = own.into();
            }
            let raw = json!({"notifications": switches});
            let preferences = Preferences::parse(raw.as_object().unwrap().clone()).unwrap();

            for kind in NotificationType::ALL {
                let is_muted = matches!(
                    kind,
                    NotificationType::Like
                        | NotificationType::EmojiReaction
                        | NotificationType::PostInteraction
                );
                assert_eq!(preferences.allows_notification(kind), !is_muted, "{kind:?}");
            }
        }
    }
}
