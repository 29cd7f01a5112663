//! Why an act has no notification (docs/rules.md#notification-invariants, 3).
//!
//! Some reasons are visible in the rows of the act: the recipient is the actor, a block exists, the post is private. A reason
//! that those rows do not show, or may stop showing, is stored with the act.

use chrono::{DateTime, Utc};

use super::{Cause, Notification, NotificationType};
use crate::{UserId, closed_enum};

closed_enum! {
    /// Why an act has no notification although its rows may call for one.
    pub enum SuppressionReason {
        /// The recipient had muted the type.
        Muted = "muted",
        /// A block or a private post kept the recipient from seeing the act when it happened.
        Blocked = "blocked",
        /// An hourly limit was reached.
        HeldBack = "held_back",
        /// The notification was withdrawn later, while the act stayed: by a block, or because its post became private.
        Withdrawn = "withdrawn",
        /// The act was undone and repeated, and its notification was restored. The notification is as old as the first act,
        /// so retention deletes it before the repeated act is that old.
        Restored = "restored",
        /// The notification is missing, and an operator has accepted that without knowing why.
        Unknown = "unknown",
    }
}

/// An act without a notification, and the reason to store for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuppressedNotification {
    pub recipient: UserId,
    pub actor: UserId,
    /// The act, by [`Act::dedup_key`](super::Act::dedup_key).
    pub act: String,
    pub reason: SuppressionReason,
    /// When the notification was suppressed. If it was restored, when it was created.
    pub at: DateTime<Utc>,
}

impl SuppressedNotification {
    /// The suppressed notification of this cause.
    pub fn new(cause: Cause, reason: SuppressionReason, at: DateTime<Utc>) -> Self {
        let Cause { recipient, actor, act } = cause;
        Self { recipient, actor, act: act.dedup_key(), reason, at }
    }

    /// What to store for a notification that is withdrawn while its act stays. Follows and requests do not stay: what
    /// withdraws their notifications ends them.
    pub(super) fn of_withdrawn(notification: &Notification, now: DateTime<Utc>) -> Option<Self> {
        use NotificationType::{Follow, FollowAccepted, FollowRequest};
        if matches!(notification.kind, Follow | FollowRequest | FollowAccepted) {
            return None;
        }
        Some(Self {
            recipient: notification.recipient,
            actor: notification.actor?,
            act: notification.act.clone()?,
            reason: SuppressionReason::Withdrawn,
            at: now,
        })
    }
}
