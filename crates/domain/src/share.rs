//! Shares of posts, by link or by message (docs/rules.md#shares).

use chrono::{DateTime, TimeDelta, Utc};
use thiserror::Error;

use crate::text::{self, Lines, TextError, texts};
use crate::{PostId, ShareId, UserId, closed_enum, elapsed_since};

texts! {
    /// The message sent with a shared post.
    ShareMessage,
}

impl ShareMessage {
    /// The maximum number of characters (docs/rules.md#shares).
    pub const MAX_CHARS: usize = 200;

    /// Parses a message; `None` if it is blank.
    ///
    /// # Errors
    /// The text has more than [`ShareMessage::MAX_CHARS`] characters, or contains a control character other than a line
    /// feed.
    pub fn parse(raw: &str) -> Result<Option<Self>, TextError> {
        Ok(text::optional(raw, Lines::Multiple, Self::MAX_CHARS)?.map(Self))
    }
}

closed_enum! {
    /// How a post is shared.
    #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
    pub enum ShareMethod {
        /// By link, without recipients. At most once per user and post.
        Url = "url",
        /// By message to other users.
        Message = "message",
    }
}

/// The users a post is sent to: 1 to [`Recipients::MAX`] distinct users, without the sender.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct Recipients(Vec<UserId>);

/// Why the recipients are invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RecipientsError {
    /// There are no recipients, or too many.
    #[error("must contain 1 to {} users", Recipients::MAX)]
    Count,
    /// The sender is among the recipients.
    #[error("must not contain yourself")]
    Sender,
}

impl Recipients {
    /// The maximum number of recipients (docs/rules.md#shares).
    pub const MAX: usize = 5;

    /// Parses the recipients chosen by `sender`. Duplicates count once.
    ///
    /// # Errors
    /// There are no recipients, more than [`Recipients::MAX`], or the sender is one of them.
    pub fn parse(sender: UserId, raw: &[i64]) -> Result<Self, RecipientsError> {
        let mut recipients: Vec<UserId> = Vec::new();
        for id in raw.iter().copied().map(UserId::from) {
            if !recipients.contains(&id) {
                recipients.push(id);
            }
            // Stops early, so that a long list costs nothing.
            if Self::MAX < recipients.len() {
                return Err(RecipientsError::Count);
            }
        }
        match recipients.as_slice() {
            [] => Err(RecipientsError::Count),
            distinct if distinct.contains(&sender) => Err(RecipientsError::Sender),
            _ => Ok(Self(recipients)),
        }
    }

    /// Wraps stored recipients without checking them. Deleted accounts are missing.
    pub fn from_stored(recipients: Vec<UserId>) -> Self {
        Self(recipients)
    }

    /// The recipients, in the order of the request.
    pub fn as_slice(&self) -> &[UserId] {
        &self.0
    }
}

/// The method of a share, with the recipients and the message if it has any.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum ShareDetails {
    /// Share by link.
    Url,
    /// Share by message.
    Message {
        /// The users that the post is sent to.
        recipients: Recipients,
        /// The message sent with the post.
        message: Option<ShareMessage>,
    },
}

impl ShareDetails {
    /// The recipients; empty for a share by link.
    pub fn recipients(&self) -> &[UserId] {
        match self {
            Self::Url => &[],
            Self::Message { recipients, .. } => recipients.as_slice(),
        }
    }

    /// The message sent with the post.
    pub fn message(&self) -> Option<&ShareMessage> {
        match self {
            Self::Url => None,
            Self::Message { message, .. } => message.as_ref(),
        }
    }
}

/// A share of a post.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Share {
    pub id: ShareId,
    pub user: UserId,
    pub post: PostId,
    pub details: ShareDetails,
    pub created_at: DateTime<Utc>,
}

/// A message share that the user received.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ReceivedShare {
    /// The id of the share.
    pub share: ShareId,
    /// The shared post.
    pub post: PostId,
    /// The username of the sender.
    pub by: String,
    /// The text of the message. `None` if it has none, or if there is a block between the two users.
    pub message: Option<ShareMessage>,
    /// When it was sent.
    pub at: DateTime<Utc>,
}

/// The rate limit of shares by message. Shares by link are not limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShareQuota;

impl ShareQuota {
    /// The maximum number of shares by message in any hour (docs/rules.md#shares).
    pub const MAX_PER_HOUR: u32 = 20;

    /// How long to wait until the next share by message, or `None` if one is allowed now. `oldest` is the time of the
    /// [`ShareQuota::MAX_PER_HOUR`]th most recent share. A time in the future does not count (see [`MAX_CLOCK_SKEW`](crate::MAX_CLOCK_SKEW)).
    pub fn wait(oldest: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Option<TimeDelta> {
        let elapsed = elapsed_since(oldest?, now)?;
        (elapsed < TimeDelta::hours(1)).then(|| TimeDelta::hours(1) - elapsed)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const ANA: i64 = 1;

    #[test]
    fn duplicates_count_once() {
        let recipients = Recipients::parse(ANA.into(), &[2, 3, 2, 4, 5, 6, 3]).unwrap();
        let ids: Vec<i64> = recipients.as_slice().iter().map(|id| i64::from(*id)).collect();
        assert_eq!(ids, [2, 3, 4, 5, 6]);
    }

    #[rstest]
    #[case(&[], RecipientsError::Count)]
    #[case(&[2, 3, 4, 5, 6, 7], RecipientsError::Count)]
    #[case(&[2, ANA], RecipientsError::Sender)]
    fn invalid_recipients_are_rejected(#[case] raw: &[i64], #[case] error: RecipientsError) {
        assert_eq!(Recipients::parse(ANA.into(), raw), Err(error));
    }

    #[test]
    fn the_next_share_is_allowed_an_hour_after_the_twentieth_most_recent_one() {
        let sent = DateTime::UNIX_EPOCH;
        let wait = |minutes| ShareQuota::wait(Some(sent), sent + TimeDelta::minutes(minutes));
        assert_eq!(wait(59), Some(TimeDelta::minutes(1)));
        assert_eq!(wait(60), None);
        assert_eq!(ShareQuota::wait(None, sent), None);
        assert_eq!(wait(-1), Some(TimeDelta::hours(1)));
        assert_eq!(wait(-30 * 24 * 60), None);
    }
}
