//! Sessions of signed-in users.

use chrono::{DateTime, TimeDelta, Utc};

use crate::{SessionId, UserId, elapsed_since};

/// A session of a user on one device. It starts when the user signs in, and lasts until it expires or is revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Session {
    pub id: SessionId,
    pub user: UserId,
    pub created_at: DateTime<Utc>,
    pub last_used_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    /// The `User-Agent` of the device, truncated to [`Session::MAX_USER_AGENT_CHARS`].
    pub user_agent: Option<String>,
}

impl Session {
    /// The maximum number of stored characters of a user agent.
    pub const MAX_USER_AGENT_CHARS: usize = 300;

    /// How old `last_used_at` can get before it is updated. Updating it in every request would turn each read into a
    /// write.
    const TOUCH_INTERVAL: TimeDelta = TimeDelta::minutes(10);

    /// Creates a session that starts at `now` and expires after `lifetime`.
    ///
    /// # Panics
    /// The session would expire after [`DateTime::MAX_UTC`].
    pub fn new(
        id: SessionId,
        user: UserId,
        user_agent: Option<&str>,
        now: DateTime<Utc>,
        lifetime: TimeDelta,
    ) -> Self {
        let sanitize = |agent: &str| -> String {
            let printable = agent.chars().filter(|c| !c.is_control());
            printable.take(Self::MAX_USER_AGENT_CHARS).collect()
        };
        Self {
            id,
            user,
            created_at: now,
            last_used_at: now,
            expires_at: now + lifetime,
            user_agent: user_agent.map(sanitize).filter(|agent| !agent.trim().is_empty()),
        }
    }

    /// Whether the session has not expired at `now`.
    pub fn is_active(&self, now: DateTime<Utc>) -> bool {
        now < self.expires_at
    }

    /// Whether `last_used_at` is due to be updated.
    pub fn is_touch_due(&self, now: DateTime<Utc>) -> bool {
        elapsed_since(self.last_used_at, now).is_none_or(|elapsed| Self::TOUCH_INTERVAL <= elapsed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(user_agent: Option<&str>) -> Session {
        let id = SessionId::from(uuid::Uuid::nil());
        Session::new(id, 1.into(), user_agent, DateTime::UNIX_EPOCH, TimeDelta::days(7))
    }

    #[test]
    fn a_session_is_not_active_at_its_expiry_time() {
        let session = session(None);
        assert!(session.is_active(session.expires_at - TimeDelta::microseconds(1)));
        assert!(!session.is_active(session.expires_at));
    }

    #[test]
    fn last_use_is_updated_at_most_every_ten_minutes() {
        let session = session(None);
        assert!(!session.is_touch_due(session.last_used_at + TimeDelta::seconds(599)));
        assert!(session.is_touch_due(session.last_used_at + TimeDelta::seconds(600)));
    }

    #[test]
    fn a_last_use_in_the_future_is_updated() {
        let session = session(None);
        assert!(session.is_touch_due(session.last_used_at - TimeDelta::days(30)));
        assert!(!session.is_touch_due(session.last_used_at - TimeDelta::seconds(1)));
    }

    #[test]
    fn user_agents_are_truncated_and_control_characters_removed() {
        let agent = format!("a\0b{}", "x".repeat(1_000));
        let kept = session(Some(&agent)).user_agent.unwrap();
        assert!(kept.starts_with("abx"));
        assert_eq!(kept.len(), Session::MAX_USER_AGENT_CHARS);
        assert_eq!(session(Some(" \t")).user_agent, None);
    }
}
