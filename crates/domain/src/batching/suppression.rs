//! Why an act has no notification (docs/rules.md#notification-invariants, 3).
//!
//! Some reasons are visible in the rows of the act: the recipient is the actor, a block exists, the post is private. A reason
//! that those rows do not show, or may stop showing, is stored with the act.

use chrono::{DateTime, Utc};

use super::{BatchPolicy, Cause, Notification};
use crate::closed_enum;

closed_enum! {
    /// Why an act has no notification although its rows may call for one.
    #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
    pub enum SuppressionReason {
        /// The recipient had muted the type.
        Muted = "muted",
        /// A block or a private post kept the recipient from seeing the act when it happened.
        Blocked = "blocked",
        /// A limit on new notifications was reached.
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
pub struct SuppressedNotification<P: BatchPolicy> {
    pub recipient: P::User,
    pub actor: P::User,
    /// The act, by [`BatchPolicy::act_key`].
    pub act: P::ActKey,
    pub reason: SuppressionReason,
    /// When the notification was suppressed. If it was restored, when it was created.
    pub at: DateTime<Utc>,
}

impl<P: BatchPolicy> SuppressedNotification<P> {
    /// The suppressed notification of this cause.
    pub(super) fn of_cause(
        policy: &P,
        cause: &Cause<P>,
        reason: SuppressionReason,
        at: DateTime<Utc>,
    ) -> Self {
        let Cause { recipient, actor, act } = cause;
        let (recipient, actor, act) = (recipient.clone(), actor.clone(), policy.act_key(act));
        Self { recipient, actor, act, reason, at }
    }

    /// What to store for a notification that is withdrawn while its act stays.
    pub(super) fn of_revoked(
        policy: &P,
        notification: &Notification<P>,
        now: DateTime<Utc>,
    ) -> Option<Self> {
        if !policy.outlives_revocation(notification.kind) {
            return None;
        }
        let (actor, act) = notification.actor_and_act()?;
        let recipient = notification.recipient.clone();
        Some(Self { recipient, actor, act, reason: SuppressionReason::Withdrawn, at: now })
    }
}
