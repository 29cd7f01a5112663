//! Passing a post on: by its link, or with a few words to people one knows.

use chrono::{DateTime, TimeDelta, Utc};
use thiserror::Error;

use crate::text::{self, Lines, TextError, texts};
use crate::{PostId, ShareId, UserId};

texts! {
    /// A few words that go along with a post.
    ShareMessage,
}

impl ShareMessage {
    /// The most characters (contract §6).
    pub const MAX_CHARS: usize = 200;

    /// Checks the words; blank ones are none.
    ///
    /// # Errors
    /// More than [`ShareMessage::MAX_CHARS`], or a control character other than a line feed.
    pub fn parse(raw: &str) -> Result<Option<Self>, TextError> {
        Ok(text::optional(raw, Lines::Many, Self::MAX_CHARS)?.map(Self))
    }
}

/// How a post is passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ShareMethod {
    /// By its link, to nobody in particular. Once for a person and a post.
    Url,
    /// To people.
    Message,
}

/// A word that names no way to share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be url or message")]
pub struct UnknownShareMethod;

impl ShareMethod {
    /// The name under which it is stored and sent.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Url => "url",
            Self::Message => "message",
        }
    }

    /// The way with this name.
    ///
    /// # Errors
    /// No way is called so.
    pub fn from_code(code: &str) -> Result<Self, UnknownShareMethod> {
        [Self::Url, Self::Message]
            .into_iter()
            .find(|method| method.code() == code)
            .ok_or(UnknownShareMethod)
    }
}

/// The people a post is sent to: distinct, 1 to [`Recipients::MAX`], never the sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipients(Vec<UserId>);

/// Why recipients were refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RecipientsError {
    /// Nobody, or too many.
    #[error("must name 1 to {} people", Recipients::MAX)]
    Count,
    /// The sender.
    #[error("must not name yourself")]
    Sender,
}

impl Recipients {
    /// The most people at once (rules §2).
    pub const MAX: usize = 5;

    /// Checks the people that `sender` named. Who is named twice counts once.
    ///
    /// # Errors
    /// Nobody, more than [`Recipients::MAX`], or the sender.
    pub fn parse(sender: UserId, raw: &[i64]) -> Result<Self, RecipientsError> {
        let mut people: Vec<UserId> = Vec::new();
        for id in raw.iter().copied().map(UserId::from) {
            if !people.contains(&id) {
                people.push(id);
            }
            // A long list need not be read to its end.
            if Self::MAX < people.len() {
                return Err(RecipientsError::Count);
            }
        }
        match people.as_slice() {
            [] => Err(RecipientsError::Count),
            named if named.contains(&sender) => Err(RecipientsError::Sender),
            _ => Ok(Self(people)),
        }
    }

    /// Takes back who was checked before it was stored; those who have left since are missing.
    pub fn from_stored(people: Vec<UserId>) -> Self {
        Self(people)
    }

    /// The people, in the order named.
    pub fn as_slice(&self) -> &[UserId] {
        &self.0
    }
}

/// What somebody wants to do with a post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShareDetails {
    /// Have its link.
    Url,
    /// Send it.
    Message {
        /// To whom.
        recipients: Recipients,
        /// With which words.
        message: Option<ShareMessage>,
    },
}

impl ShareDetails {
    /// To whom it goes; a link to nobody.
    pub fn recipients(&self) -> &[UserId] {
        match self {
            Self::Url => &[],
            Self::Message { recipients, .. } => recipients.as_slice(),
        }
    }

    /// The words that go along.
    pub fn message(&self) -> Option<&ShareMessage> {
        match self {
            Self::Url => None,
            Self::Message { message, .. } => message.as_ref(),
        }
    }
}

/// One act of passing a post on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    pub id: ShareId,
    pub by: UserId,
    pub post: PostId,
    pub details: ShareDetails,
    pub created_at: DateTime<Utc>,
}

/// How often somebody may send posts to people. By link they may as often as they like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShareQuota;

impl ShareQuota {
    /// How many times in any hour (rules §2).
    pub const MAX_PER_HOUR: u32 = 20;

    /// How long to wait until one more is allowed: nothing where it is. `latest` is when the last
    /// [`ShareQuota::MAX_PER_HOUR`]th was sent, counted from the newest.
    pub fn wait(latest: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Option<TimeDelta> {
        let free_at = latest? + TimeDelta::hours(1);
        (now < free_at).then(|| free_at - now)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const ANA: i64 = 1;

    #[test]
    fn duplicates_collapse_before_they_are_counted() {
        let named = Recipients::parse(ANA.into(), &[2, 3, 2, 4, 5, 6, 3]).unwrap();
        let ids: Vec<i64> = named.as_slice().iter().map(|id| i64::from(*id)).collect();
        assert_eq!(ids, [2, 3, 4, 5, 6]);
    }

    #[rstest]
    #[case(&[], RecipientsError::Count)]
    #[case(&[2, 3, 4, 5, 6, 7], RecipientsError::Count)]
    #[case(&[2, ANA], RecipientsError::Sender)]
    fn other_numbers_of_people_are_refused(#[case] raw: &[i64], #[case] why: RecipientsError) {
        assert_eq!(Recipients::parse(ANA.into(), raw), Err(why));
    }

    #[test]
    fn one_more_is_allowed_an_hour_after_the_twentieth_before_it() {
        let sent = DateTime::UNIX_EPOCH;
        let wait = |minutes| ShareQuota::wait(Some(sent), sent + TimeDelta::minutes(minutes));
        assert_eq!(wait(59), Some(TimeDelta::minutes(1)));
        assert_eq!(wait(60), None);
        assert_eq!(ShareQuota::wait(None, sent), None);
    }
}
