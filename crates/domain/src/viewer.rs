//! The viewer of a post or list.

use crate::UserId;

/// The user or guest whose permissions decide what is visible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Viewer {
    /// A client without a session.
    Guest,
    /// A signed-in user.
    User(UserId),
}

impl Viewer {
    /// The id of the signed-in user.
    pub fn user(self) -> Option<UserId> {
        match self {
            Self::Guest => None,
            Self::User(user) => Some(user),
        }
    }

    /// Whether the viewer is this user.
    pub fn is(self, user: UserId) -> bool {
        self == Self::User(user)
    }
}
