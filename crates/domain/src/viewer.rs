//! Who is looking.

use crate::UserId;

/// Whoever asks to see something: what they may see depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Viewer {
    /// Somebody without an account, or who did not say.
    Guest,
    /// Somebody who is signed in.
    User(UserId),
}

impl Viewer {
    /// The account of the viewer, where there is one.
    pub fn user(self) -> Option<UserId> {
        match self {
            Self::Guest => None,
            Self::User(user) => Some(user),
        }
    }

    /// Whether this is that very person.
    pub fn is(self, user: UserId) -> bool {
        self == Self::User(user)
    }
}
