//! The acts of Grateful as a policy of the batching engine.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Act, BatchKey, EventDetails, NotificationType, Subject};
use crate::batching::{self, BatchLimits, BatchPolicy, StartLimits, StartQuota, SuppressionReason};
use crate::{NotificationId, UserId};

/// The batching policy of Grateful (docs/rules.md#batching).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Grateful;

/// An act with its actor and its recipient. An inbox has at most one notification per cause.
pub type Cause = batching::Cause<Grateful>;
/// A cause at a point in time, with the details and ids that its notification needs.
pub type Event = batching::Event<Grateful>;
/// What an act changes in the inbox of its recipient.
pub type InboxUpdate = batching::InboxUpdate<Grateful>;
/// The notifications of one user, and what is stored with them.
pub type Inbox = batching::Inbox<Grateful>;
/// The part of a stored inbox that some updates read or change.
pub type InboxPart = batching::InboxPart<Grateful>;
/// The rows that differ between two states of an inbox.
pub type InboxDiff = batching::InboxDiff<Grateful>;
/// The children of a batch that are not notifications of the loaded acts.
pub type OtherChildren = batching::OtherChildren<Grateful>;
/// An hourly quota as stored.
pub type StoredQuota = batching::StoredQuota<Grateful>;
/// The notifications of one type that were started for one recipient within an hour.
pub type HourlyQuota = StartQuota<UserId>;
/// A notification in an inbox: of one act, or a batch whose acts are stored as its children.
pub type Notification = batching::Notification<Grateful>;
/// A notification that was withdrawn because its act was undone.
pub type WithdrawnNotification = batching::WithdrawnNotification<Grateful>;
/// An act without a notification, and the reason to store for it.
pub type SuppressedNotification = batching::SuppressedNotification<Grateful>;

impl BatchPolicy for Grateful {
    type User = UserId;
    type Act = Act;
    /// [`Act::dedup_key`].
    type ActKey = String;
    type Kind = NotificationType;
    type Key = BatchKey;
    type Id = NotificationId;
    type Subject = Subject;
    type Details = EventDetails;

    fn kind(&self, act: &Act) -> NotificationType {
        act.kind()
    }

    fn act_key(&self, act: &Act) -> String {
        act.dedup_key()
    }

    fn batch_key(&self, cause: &Cause) -> Option<BatchKey> {
        cause.key()
    }

    fn subject(&self, act: &Act) -> Subject {
        Subject::from(*act)
    }

    fn batch_kind(&self, act: &Act) -> NotificationType {
        act.batch_kind().map_or(act.kind(), |kind| kind.config().notification_type)
    }

    fn batch_limits(&self, act: &Act) -> BatchLimits {
        act.batch_kind().map_or(BatchLimits::DEFAULT, |kind| kind.config().limits())
    }

    fn start_limits(&self, _kind: NotificationType) -> StartLimits {
        HourlyQuota::LIMITS
    }

    /// A deleted comment cannot be restored, so a repeated one is new.
    fn restore_window(&self, _kind: NotificationType, subject: &Subject) -> Option<TimeDelta> {
        subject.comment.is_none().then_some(WithdrawnNotification::RESTORE_WINDOW)
    }

    /// Follows and requests end with what withdraws their notifications.
    fn outlives_revocation(&self, kind: NotificationType) -> bool {
        use NotificationType::{Follow, FollowAccepted, FollowRequest};
        !matches!(kind, Follow | FollowRequest | FollowAccepted)
    }
}

impl Cause {
    /// The batch key of the act. `None` if the act is not batched.
    pub fn key(&self) -> Option<BatchKey> {
        self.act.batch_key(self.recipient)
    }
}

impl HourlyQuota {
    /// How many notifications of one type can start within an hour (docs/rules.md#notification-invariants, 7).
    pub const LIMITS: StartLimits = StartLimits::new(TimeDelta::hours(1), 20, 5);
}

impl WithdrawnNotification {
    /// How long after its withdrawal a notification can be restored (docs/rules.md#notification-invariants, 5).
    pub const RESTORE_WINDOW: TimeDelta = TimeDelta::hours(24);
}

impl SuppressedNotification {
    /// The suppressed notification of this cause.
    pub fn new(cause: Cause, reason: SuppressionReason, at: DateTime<Utc>) -> Self {
        let Cause { recipient, actor, act } = cause;
        Self { recipient, actor, act: act.dedup_key(), reason, at }
    }
}
