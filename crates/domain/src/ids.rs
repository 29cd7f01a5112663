//! One type per kind of id, so that ids cannot be confused.

use std::fmt;

use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident($inner:ty)),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
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
    /// A user account.
    UserId(i64),
    /// A gratitude post.
    PostId(Uuid),
    /// A session of a user.
    SessionId(Uuid),
    /// A heart on a post.
    HeartId(Uuid),
    /// An emoji reaction to a post.
    ReactionId(Uuid),
    /// A share of a post.
    ShareId(Uuid),
    /// A comment on a post.
    CommentId(Uuid),
    /// A notification, top-level or child of a batch.
    NotificationId(Uuid),
    /// A follow, follow request or block.
    FollowId(Uuid),
    /// A background job.
    JobId(Uuid),
}
