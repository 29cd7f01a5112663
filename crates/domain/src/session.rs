//! Being signed in.

use chrono::{DateTime, TimeDelta, Utc};

use crate::{SessionId, UserId};

/// One signing-in of a user, on one device, until it expires or is ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub user: UserId,
    pub created_at: DateTime<Utc>,
    pub last_used_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    /// What the device called itself, cut to [`Session::MAX_USER_AGENT_CHARS`].
    pub user_agent: Option<String>,
}

impl Session {
    /// How much of a user agent is worth keeping.
    pub const MAX_USER_AGENT_CHARS: usize = 300;

    /// How stale `last_used_at` may be: writing it at every request would make each read a write.
    const USE_IS_NOTED_EVERY: TimeDelta = TimeDelta::minutes(10);

    /// A session that begins now and lives for `lifetime`.
    ///
    /// # Panics
    /// It would end later than [`DateTime::MAX_UTC`].
    pub fn new(
        id: SessionId,
        user: UserId,
        user_agent: Option<&str>,
        now: DateTime<Utc>,
        lifetime: TimeDelta,
    ) -> Self {
        let legible = |agent: &str| -> String {
            let printable = agent.chars().filter(|c| !c.is_control());
            printable.take(Self::MAX_USER_AGENT_CHARS).collect()
        };
        Self {
            id,
            user,
            created_at: now,
            last_used_at: now,
            expires_at: now + lifetime,
            user_agent: user_agent.map(legible).filter(|agent| !agent.trim().is_empty()),
        }
    }

    /// Whether it still opens anything.
    pub fn is_live(&self, now: DateTime<Utc>) -> bool {
        now < self.expires_at
    }

    /// Whether its use should be written down again.
    pub fn is_touch_due(&self, now: DateTime<Utc>) -> bool {
        Self::USE_IS_NOTED_EVERY <= now - self.last_used_at
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
    fn a_session_ends_at_the_moment_it_expires() {
        let session = session(None);
        assert!(session.is_live(session.expires_at - TimeDelta::microseconds(1)));
        assert!(!session.is_live(session.expires_at));
    }

    #[test]
    fn use_is_noted_at_most_once_in_ten_minutes() {
        let session = session(None);
        assert!(!session.is_touch_due(session.last_used_at + TimeDelta::seconds(599)));
        assert!(session.is_touch_due(session.last_used_at + TimeDelta::seconds(600)));
    }

    #[test]
    fn a_user_agent_is_cut_and_made_legible() {
        let agent = format!("a\0b{}", "x".repeat(1_000));
        let kept = session(Some(&agent)).user_agent.unwrap();
        assert!(kept.starts_with("abx"));
        assert_eq!(kept.len(), Session::MAX_USER_AGENT_CHARS);
        assert_eq!(session(Some(" \t")).user_agent, None);
    }
}
