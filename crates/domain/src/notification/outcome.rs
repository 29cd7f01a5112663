//! What is to be done to an inbox.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Notification, NotificationType};
use crate::{NotificationId, UserId};

/// What becomes of one inbox, as rows: to be done as a whole, or not at all.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// To be written in this order, over what has the same id: whatever leaves the open place of a key comes before what
    /// takes it.
    pub saved: Vec<Notification>,
    /// To be removed.
    pub deleted: Vec<NotificationId>,
    /// Those of `saved` that are new in the list, or look different there.
    pub announced: Vec<NotificationId>,
    /// Those that are in the list no more, whether they are gone or have become an entry.
    pub departed: Vec<NotificationId>,
    /// To be remembered, in case the act is done again.
    pub withdrawn: Vec<Withdrawn>,
    /// What was remembered, and has come back.
    pub returned: Option<Withdrawn>,
    /// What counts as a start in the hourly limit. Where that is used up, nothing of this is done.
    pub starts: Option<NotificationType>,
}

/// A notification that was withdrawn because its act was undone. Should the act be done again soon, it is no news.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawn {
    pub recipient: UserId,
    pub actor: UserId,
    /// Which act, as [`Act::name`](super::Act::name) has it.
    pub act: String,
    pub id: NotificationId,
    pub created_at: DateTime<Utc>,
    pub read_at: Option<DateTime<Utc>>,
    /// The batch that it was an entry of.
    pub parent: Option<NotificationId>,
    pub withdrawn_at: DateTime<Utc>,
}

impl Withdrawn {
    /// For how long doing the same again is no news (rules §4, law 5).
    pub const REMEMBERED: TimeDelta = TimeDelta::hours(24);

    /// Whether doing it again at `now` is no news.
    pub fn is_remembered(&self, now: DateTime<Utc>) -> bool {
        now - self.withdrawn_at <= Self::REMEMBERED
    }
}
