//! What clients read of an inbox beside its list: counts, statistics and changes.

use super::RenderedNotification;
use crate::NotificationId;

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

/// An entry of the change log of an inbox. It says what a client has to show; the rows that a change writes are an
/// [`InboxDiff`](super::InboxDiff).
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
