//! The notifications of Grateful: its acts as a policy of the [batching engine](crate::batching), their types, texts and
//! recipients.
//!
//! The types of the engine have aliases here, with [`Grateful`] as their policy. An [`Inbox`] applies updates in memory, one
//! after another. `grateful-storage` loads the [part](InboxPart) of an inbox that some updates need, applies them there, and
//! writes the [difference](InboxDiff).

mod act;
mod audience;
mod batch_config;
mod policy;
mod reading;
mod rendered;
mod text;

use serde_json::Value;

pub use self::act::{Act, EventDetails, Subject};
pub use self::audience::{recipients_of_comment, recipients_of_comment_edit, recipients_of_post};
pub use self::batch_config::{BatchConfig, BatchKey, BatchKind, BatchScope, Icon};
pub use self::policy::{
    Cause, Event, Grateful, HourlyQuota, Inbox, InboxDiff, InboxPart, InboxUpdate, Notification,
    OtherChildren, StoredQuota, SuppressedNotification, WithdrawnNotification,
};
pub use self::reading::{InboxChange, InboxChangeKind, NotificationStats};
pub use self::rendered::RenderedNotification;
use self::text::TextContext;
pub use self::text::{QuotedTexts, Text};
pub use crate::batching::{
    BatchCounts, BatchDecision, Deliverability, NotificationCounts, RestoreTarget, SkipReason,
    SuppressionReason, WithdrawalReason,
};
use crate::{Preferences, closed_enum};

closed_enum! {
    /// The type of a notification: of its act, or of the acts in a batch.
    #[derive(PartialOrd, Ord)]
    #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
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
    #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
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
