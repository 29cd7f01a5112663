//! What went wrong, by what the caller can do about it.

use std::fmt;

use chrono::TimeDelta;
use grateful_domain::ValidationError;
use grateful_storage::{StorageError, Transient};
use thiserror::Error;

/// What every use case returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why a use case did not happen. The messages are for the person who asked.
#[derive(Debug, Error)]
pub enum Error {
    /// Something about the request itself: correct it and try again.
    #[error(transparent)]
    Invalid(#[from] ValidationError),
    /// What was sent is of a kind that is not taken.
    #[error("the file must be one of {}", supported.join(", "))]
    UnsupportedMediaType {
        /// Those that are, by their media types.
        supported: &'static [&'static str],
    },
    /// Whoever asks has not shown who they are.
    #[error("{0}")]
    Unauthenticated(&'static str),
    /// They may not do that, and trying again will not help.
    #[error("{reason}")]
    Forbidden {
        /// What they wanted to do.
        action: &'static str,
        /// To what.
        resource: Resource,
        /// In words.
        reason: &'static str,
    },
    /// It does not exist, at least not for them.
    #[error("{}", resource.absence())]
    NotFound {
        /// What they were looking for.
        resource: Resource,
        /// Which one.
        id: Option<String>,
    },
    /// Somebody else has it.
    #[error("{reason}")]
    AlreadyExists {
        /// Of what there is one like it.
        resource: Resource,
        /// In words.
        reason: &'static str,
    },
    /// Something else is going on with it: try again later, or differently.
    #[error("{reason}")]
    Conflict {
        /// With what.
        resource: Resource,
        /// In words.
        reason: &'static str,
    },
    /// A rule of the house is against it, whoever asks.
    #[error("{reason}")]
    RuleViolation {
        /// Which rule.
        constraint: &'static str,
        /// In words.
        reason: &'static str,
    },
    /// They did it often enough for now.
    #[error("{reason}")]
    RateLimited {
        /// By which name the bound is known.
        policy: &'static str,
        /// How often it may be done.
        limit: u32,
        /// In how long a time.
        window: TimeDelta,
        /// When it may be done again.
        retry_after: TimeDelta,
        /// In words.
        reason: &'static str,
    },
    /// It has changed since they looked.
    #[error("the {resource} has changed since you read it")]
    Stale {
        /// What has.
        resource: Resource,
    },
    /// Nothing is wrong with the request: try again in a moment.
    #[error("the service is busy or not available right now, please try again in a moment")]
    Unavailable(#[source] Source),
    /// Others were in the way, every time it was tried.
    #[error("the service is busy or not available right now, please try again in a moment")]
    Contended(#[source] StorageError),
    /// A mistake of ours.
    #[error("something went wrong on our side")]
    Internal(#[source] Source),
}

/// What a use case is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// Somebody with an account.
    User,
    /// One of their sessions.
    Session,
    /// A post.
    Post,
    /// A heart that was given.
    Heart,
    /// An emoji that was left.
    Reaction,
    /// A post that was passed on.
    Share,
    /// Something said about a post.
    Comment,
    /// That one follows another.
    Follow,
    /// That one has asked to follow another.
    FollowRequest,
    /// Something that somebody was told of.
    Notification,
    /// The photo of somebody.
    Photo,
    /// A file that anybody may see.
    File,
    /// A request that may be repeated safely.
    IdempotencyKey,
}

impl Resource {
    /// The noun for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Session => "session",
            Self::Post => "post",
            Self::Heart => "heart",
            Self::Reaction => "reaction",
            Self::Share => "share",
            Self::Comment => "comment",
            Self::Follow => "follow",
            Self::FollowRequest => "follow_request",
            Self::Notification => "notification",
            Self::Photo => "photo",
            Self::File => "file",
            Self::IdempotencyKey => "idempotency_key",
        }
    }

    /// That there is none, in words (contract §6 has its own for hearts).
    fn absence(self) -> String {
        if self == Self::Heart {
            return "No heart found to remove".to_owned();
        }
        let noun = self.name().replace('_', " ");
        let (first, rest) = noun.split_at(1);
        format!("{}{rest} not found", first.to_ascii_uppercase())
    }

    /// That it does not exist, at least not for whoever asks.
    pub fn not_found(self, id: impl fmt::Display) -> Error {
        Error::NotFound { resource: self, id: Some(id.to_string()) }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Error {
    /// That whoever asks has no account any more: it was deleted under them.
    pub(crate) fn account_deleted() -> Self {
        Self::Unauthenticated("This account no longer exists")
    }
}

/// Whether a foreign key leads to the person who acts. Others who go away meanwhile are looked for before.
fn refers_to_the_actor(constraint: &str) -> bool {
    ["_user_id_fkey", "_author_id_fkey", "_actor_id_fkey"]
        .iter()
        .any(|end| constraint.ends_with(end))
}

impl From<StorageError> for Error {
    /// Other names of constraints have a meaning in one use case only, which looks at them before they come here.
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Conflict(_) => Self::Contended(error),
            StorageError::Unavailable(source) => Self::Unavailable(source),
            StorageError::Missing { ref constraint } if refers_to_the_actor(constraint) => {
                Self::account_deleted()
            }
            other => Self::Internal(other.into()),
        }
    }
}

impl Transient for Error {
    fn is_transient(&self) -> bool {
        matches!(self, Self::Contended(cause) if cause.is_transient())
    }
}
