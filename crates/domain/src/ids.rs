//! Who and what is meant: one type for each kind of id, so that none stands in for another.

use std::fmt;

use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident($inner:ty)),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name($inner);

        impl From<$inner> for $name {
            fn from(id: $inner) -> Self {
                Self(id)
            }
        }

        impl From<$name> for $inner {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

ids! {
    /// Someone with an account.
    UserId(i64),
    /// A gratitude post.
    PostId(Uuid),
    /// One signing-in of a user, on one device.
    SessionId(Uuid),
    /// A heart that somebody gave a post.
    HeartId(Uuid),
    /// An emoji that somebody left on a post.
    ReactionId(Uuid),
    /// One act of passing a post on.
    ShareId(Uuid),
    /// Something said about a post.
    CommentId(Uuid),
    /// One line in an inbox, or one entry of it.
    NotificationId(Uuid),
    /// What one person is to another.
    FollowId(Uuid),
}
