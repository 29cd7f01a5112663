//! What clients read of an inbox beside its list: counts, statistics and changes.

use super::RenderedNotification;
use crate::NotificationId;

/// The counts of an inbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotificationCounts {
    /// The number of unread notifications. A batch counts as one.
    pub unread: i64,
    /// The number of all notifications.
    pub total: i64,
}

/// How many notifications a user got recently. Counts acts, whether or not they are in a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotificationStats {
    /// Within the last hour.
    pub last_hour: i64,
    /// Within the last day.
    pub last_day: i64,
    /// All that are stored.
    pub total: i64,
    /// How many more notifications can be created within the hour. Only available for a single type.
    pub remaining: Option<i32>,
    /// How many notifications the hourly limit has ever held back.
    pub held_back: i64,
}

/// An entry of the change log of an inbox. It says what a client has to show; the rows that a change writes are
/// [`InboxChanges`](super::InboxChanges).
#[derive(Debug, Clone, PartialEq)]
pub struct InboxChange {
    /// The sequence number of the change. Later changes have higher numbers.
    pub seq: i64,
    /// What changed.
    pub kind: InboxChangeKind,
}

/// The kind of a change of an inbox.
#[derive(Debug, Clone, PartialEq)]
pub enum InboxChangeKind {
    /// The notification is new in the inbox, or is displayed differently.
    Upserted(Box<RenderedNotification>),
    /// The notification left the inbox.
    Removed(NotificationId),
}
