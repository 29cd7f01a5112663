//! Notifications as the rows of an inbox.

use chrono::{DateTime, Utc};

use super::BatchPolicy;

/// A notification in an inbox: of one act, or a batch whose acts are stored as its children.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(bound = "P: crate::batching::SerializablePolicy")
)]
pub struct Notification<P: BatchPolicy> {
    pub id: P::Id,
    pub recipient: P::User,
    pub kind: P::Kind,
    /// The user who did the act. For a batch, the actor of the newest child. `None` if the account is deleted.
    pub actor: Option<P::User>,
    /// The [`BatchPolicy::act_key`] of the act. `None` for a batch.
    pub act: Option<P::ActKey>,
    /// What the act is about. For a batch, the subject of the newest child.
    pub subject: P::Subject,
    /// What else was said about the act. For a batch, the details of the newest child.
    pub details: P::Details,
    /// When the recipient read it. `None` while unread.
    pub read_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    /// When the notification was created or last got a new child.
    pub last_updated_at: DateTime<Utc>,
    /// When the notification stopped accepting children.
    pub closed_at: Option<DateTime<Utc>>,
    /// The batch that this notification is a child of.
    pub parent: Option<P::Id>,
    /// The counts of a batch. `None` if this is not a batch.
    pub batch: Option<BatchCounts>,
    /// The batch key of the act. `None` if the act cannot be batched.
    pub key: Option<P::Key>,
}

/// How many acts and actors a batch has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BatchCounts {
    pub child_count: i32,
    /// The number of distinct actors.
    pub actor_count: i32,
}

/// The counts of an inbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct NotificationCounts {
    /// The number of unread notifications. A batch counts as one.
    pub unread: i64,
    /// The number of all notifications.
    pub total: i64,
}

impl<P: BatchPolicy> Notification<P> {
    /// Whether the notification is in the list itself, and not a child of a batch.
    pub(super) fn is_top_level(&self) -> bool {
        self.parent.is_none()
    }

    /// Whether this is the open notification of its key. Age and size are checked separately, see
    /// [`BatchPolicy::batch_limits`].
    pub(super) fn is_open(&self) -> bool {
        self.is_top_level() && self.closed_at.is_none()
    }

    /// The counts of a batch; one act by one actor if this is not a batch.
    pub fn batch_counts(&self) -> BatchCounts {
        self.batch.unwrap_or(BatchCounts { child_count: 1, actor_count: 1 })
    }

    /// The position among the children of a batch: the greatest key is the newest child.
    pub(super) fn sort_key(&self) -> (DateTime<Utc>, P::Id) {
        (self.created_at, self.id)
    }

    /// The actor and the identity of the act. `None` for a batch, and if the account of the actor is deleted.
    pub(super) fn actor_and_act(&self) -> Option<(P::User, P::ActKey)> {
        Some((self.actor.clone()?, self.act.clone()?))
    }

    /// Copies what a batch shows of its newest child.
    pub(super) fn copy_newest(&mut self, newest: &Self) {
        self.actor.clone_from(&newest.actor);
        self.subject.clone_from(&newest.subject);
        self.details.clone_from(&newest.details);
    }
}
