//! What acts change in the inboxes of their recipients.

use chrono::{DateTime, Utc};

use super::{Cause, Event};
use crate::{Emoji, UserId};

/// What an act changes in the inbox of its recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InboxUpdate {
    /// The act happened: records the event.
    Record(Event),
    /// The act was undone: withdraws its notification.
    Withdraw { cause: Cause, at: DateTime<Utc> },
    /// The act is a reaction whose emoji was replaced. That is no event: no notification is created or becomes unread.
    ChangeEmoji { cause: Cause, emoji: Emoji },
}

impl InboxUpdate {
    /// The act, with its actor and its recipient.
    pub const fn cause(&self) -> Cause {
        match self {
            Self::Record(event) => event.cause,
            Self::Withdraw { cause, .. } | Self::ChangeEmoji { cause, .. } => *cause,
        }
    }

    /// The owner of the inbox.
    pub const fn recipient(&self) -> UserId {
        self.cause().recipient
    }

    /// The maximum number of changes of the list: an event can remove a single notification from it and show a new batch.
    pub const fn max_changes(&self) -> i64 {
        match self {
            Self::Record(_) => 2,
            Self::Withdraw { .. } | Self::ChangeEmoji { .. } => 1,
        }
    }
}
