//! Events, and what else acts change in the inboxes of their recipients.

use chrono::{DateTime, Utc};

use super::{BatchPolicy, Cause};

/// A cause at a point in time, with the details and ids that its notification needs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(bound = "P: crate::batching::SerializablePolicy")
)]
pub struct Event<P: BatchPolicy> {
    pub cause: Cause<P>,
    pub details: P::Details,
    pub at: DateTime<Utc>,
    /// The id of the notification, if one is created.
    pub id: P::Id,
    /// The id of the batch, if the event creates one.
    pub batch_id: P::Id,
}

/// What an act changes in the inbox of its recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(bound = "P: crate::batching::SerializablePolicy")
)]
pub enum InboxUpdate<P: BatchPolicy> {
    /// The act happened: records the event.
    Record(Event<P>),
    /// The act was undone: withdraws its notification.
    Withdraw { cause: Cause<P>, at: DateTime<Utc> },
    /// The act stays, but its details were replaced, such as the emoji of a reaction. That is no event: no notification is
    /// created or becomes unread.
    ChangeDetails { cause: Cause<P>, details: P::Details },
}

impl<P: BatchPolicy> InboxUpdate<P> {
    /// The act, with its actor and its recipient.
    pub const fn cause(&self) -> &Cause<P> {
        match self {
            Self::Record(event) => &event.cause,
            Self::Withdraw { cause, .. } | Self::ChangeDetails { cause, .. } => cause,
        }
    }

    /// When it happened. `None` for changed details, which have no time.
    pub const fn at(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Record(event) => Some(event.at),
            Self::Withdraw { at, .. } => Some(*at),
            Self::ChangeDetails { .. } => None,
        }
    }

    /// The maximum number of changes of the list: an event can remove a single notification from it and show a new batch.
    pub const fn max_changes(&self) -> i64 {
        match self {
            Self::Record(_) => 2,
            Self::Withdraw { .. } | Self::ChangeDetails { .. } => 1,
        }
    }
}
