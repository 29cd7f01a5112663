//! Telling people what others did: one line in an inbox for one act, or for many acts of the same kind.
//!
//! [`record`], [`withdraw`] and [`change`] decide what becomes of an inbox, and say so as an [`Outcome`]; whoever keeps
//! the inbox carries it out. [`Inbox`] keeps one in memory, storage keeps them in PostgreSQL.

mod audience;
mod batching;
mod event;
mod inbox;
mod outcome;
mod placement;
mod quota;
mod recording;
mod seen;
mod text;
mod withdrawal;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use thiserror::Error;

pub use self::audience::{told_of_comment, told_of_other_words, told_of_post};
pub use self::batching::{BatchConfig, BatchKey, Icon, Scope};
pub use self::event::{Act, Cause, Details, Event};
pub use self::inbox::Inbox;
pub use self::outcome::{Outcome, Withdrawn};
pub use self::placement::{Beside, Place, Placement, Situation, Skip, Standing, Top, place};
pub use self::quota::HourlyStarts;
pub use self::recording::record;
pub use self::seen::RenderedNotification;
pub use self::text::{Telling, Text};
pub use self::withdrawal::{Remains, change, withdraw};
use crate::{CommentId, Emoji, NotificationId, PostId, UserId};

/// What an inbox holds about one act, or, as a batch, about several: then the acts have entries of their own below it.
#[derive(Debug, Clone, PartialEq)]
pub struct Notification {
    pub id: NotificationId,
    pub recipient: UserId,
    pub kind: NotificationType,
    /// Who did it; of a batch, who did the newest of it.
    pub actor: Option<UserId>,
    /// Which act it tells of, as [`Act::name`] has it; a batch tells of none by itself.
    pub act: Option<String>,
    /// The post that it is about.
    pub post: Option<PostId>,
    /// The comment that it is about.
    pub comment: Option<CommentId>,
    /// What it says, with the names of the day it was written.
    pub text: Text,
    /// What clients need to show and to link it, with the names of that day.
    pub data: Map<String, Value>,
    pub priority: Priority,
    /// When it was read; unread until then.
    pub read_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    /// When something was last added to it.
    pub last_updated_at: DateTime<Utc>,
    /// From when on nothing may join it.
    pub closed_at: Option<DateTime<Utc>>,
    /// The batch that it is an entry of.
    pub parent: Option<NotificationId>,
    /// How much it gathers, where it is a batch.
    pub batch: Option<Batch>,
    /// What may be gathered with it.
    pub key: Option<BatchKey>,
}

/// How much a batch gathers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batch {
    /// Its entries.
    pub entries: i32,
    /// The distinct people who did them.
    pub people: i32,
}

impl Notification {
    /// Whether it stands in the list itself, and is not an entry of another.
    pub fn is_top_level(&self) -> bool {
        self.parent.is_none()
    }

    /// Whether something may still join it, as far as the one open place of its key goes.
    pub fn is_open(&self) -> bool {
        self.is_top_level() && self.closed_at.is_none()
    }

    /// How much it gathers; by itself, one act of one person.
    pub fn gathered(&self) -> Batch {
        self.batch.unwrap_or(Batch { entries: 1, people: 1 })
    }

    /// What it says today, when its actor is called `name`. `emoji` is one that the only person of a batch left beside
    /// their newest act.
    pub fn told(&self, name: &str, emoji: Option<Emoji>) -> Text {
        Telling {
            kind: self.kind,
            config: self.key.as_ref().and_then(BatchConfig::of),
            name,
            data: &self.data,
            gathered: self.gathered(),
            emoji,
        }
        .text()
    }

    /// Its place among entries: later ones are newer.
    pub fn moment(&self) -> (DateTime<Utc>, NotificationId) {
        (self.created_at, self.id)
    }
}

/// What somebody did, or what a batch is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NotificationType {
    Like,
    EmojiReaction,
    PostShared,
    Mention,
    Follow,
    FollowRequest,
    FollowAccepted,
    Comment,
    CommentReply,
    /// Hearts and reactions on one post, which share a batch.
    PostInteraction,
}

/// A code that names no type of notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "must be one of like, emoji_reaction, post_shared, mention, follow, follow_request, follow_accepted, comment, \
     comment_reply, post_interaction"
)]
pub struct UnknownNotificationType;

impl NotificationType {
    /// Every type.
    pub const ALL: [Self; 10] = [
        Self::Like,
        Self::EmojiReaction,
        Self::PostShared,
        Self::Mention,
        Self::Follow,
        Self::FollowRequest,
        Self::FollowAccepted,
        Self::Comment,
        Self::CommentReply,
        Self::PostInteraction,
    ];

    /// The name under which it is stored, sent, and switched off in preferences.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Like => "like",
            Self::EmojiReaction => "emoji_reaction",
            Self::PostShared => "post_shared",
            Self::Mention => "mention",
            Self::Follow => "follow",
            Self::FollowRequest => "follow_request",
            Self::FollowAccepted => "follow_accepted",
            Self::Comment => "comment",
            Self::CommentReply => "comment_reply",
            Self::PostInteraction => "post_interaction",
        }
    }

    /// The type with this code.
    ///
    /// # Errors
    /// No type is called so.
    pub fn from_code(code: &str) -> Result<Self, UnknownNotificationType> {
        Self::ALL.into_iter().find(|kind| kind.code() == code).ok_or(UnknownNotificationType)
    }

    /// How much it matters that the recipient sees it soon (rules §4).
    pub const fn priority(self) -> Priority {
        match self {
            Self::Mention | Self::FollowRequest => Priority::High,
            _ => Priority::Normal,
        }
    }
}

/// How much it matters that somebody sees a notification soon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Priority {
    Low,
    Normal,
    High,
}

/// A code that names no priority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be one of low, normal, high")]
pub struct UnknownPriority;

impl Priority {
    /// Every priority, the least first.
    pub const ALL: [Self; 3] = [Self::Low, Self::Normal, Self::High];

    /// The name under which it is stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
        }
    }

    /// The priority with this code.
    ///
    /// # Errors
    /// No priority is called so.
    pub fn from_code(code: &str) -> Result<Self, UnknownPriority> {
        Self::ALL.into_iter().find(|priority| priority.code() == code).ok_or(UnknownPriority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_leads_back_and_is_named_in_the_refusal() {
        for kind in NotificationType::ALL {
            assert_eq!(NotificationType::from_code(kind.code()), Ok(kind));
            assert!(UnknownNotificationType.to_string().contains(kind.code()));
        }
        for priority in Priority::ALL {
            assert_eq!(Priority::from_code(priority.code()), Ok(priority));
            assert!(UnknownPriority.to_string().contains(priority.code()));
        }
    }
}
