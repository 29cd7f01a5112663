//! Errors, by what the caller can do about them.

use std::fmt;

use chrono::TimeDelta;
use grateful_domain::{ValidationError, closed_enum};
use grateful_storage::StorageError;
use thiserror::Error;

/// The result of a use case.
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why a use case failed. The messages are addressed to the end user.
#[derive(Debug, Error)]
pub enum Error {
    /// The request is invalid. The caller can correct it.
    #[error(transparent)]
    Invalid(#[from] ValidationError),
    /// The uploaded file has an unsupported format.
    #[error("the file must be one of {}", supported.join(", "))]
    UnsupportedMediaType {
        /// The supported media types.
        supported: &'static [&'static str],
    },
    /// The credentials are missing or wrong. The caller can log in.
    #[error("{0}")]
    Unauthenticated(&'static str),
    /// The user may not do this. A retry fails again.
    #[error("{reason}")]
    Forbidden {
        /// The attempted action.
        action: &'static str,
        /// The resource acted on.
        resource: Resource,
        /// The message.
        reason: &'static str,
    },
    /// The resource does not exist, or the user may not see it.
    #[error("{}", resource.not_found_message())]
    NotFound {
        /// The kind of resource.
        resource: Resource,
        /// Its id, if the request names one.
        id: Option<String>,
    },
    /// The resource exists already, or another one has the same unique value.
    #[error("{reason}")]
    AlreadyExists {
        /// The kind of resource.
        resource: Resource,
        /// The message.
        reason: &'static str,
    },
    /// The request conflicts with a concurrent one. The caller can retry later.
    #[error("{reason}")]
    Conflict {
        /// The contended resource.
        resource: Resource,
        /// The message.
        reason: &'static str,
    },
    /// The client used the idempotency key for another request before.
    #[error("The idempotency key was used for another request before")]
    IdempotencyKeyReused,
    /// The request breaks a rule that holds for all users.
    #[error("{reason}")]
    RuleViolation {
        /// The name of the rule.
        constraint: &'static str,
        /// The message.
        reason: &'static str,
    },
    /// The user or client has reached a limit. The caller can retry after `retry_after`.
    #[error("{reason}")]
    RateLimited {
        /// The name of the limit.
        policy: &'static str,
        /// How many requests are allowed per window.
        limit: u32,
        /// The length of the window.
        window: TimeDelta,
        /// The time until the next request is allowed.
        retry_after: TimeDelta,
        /// The message.
        reason: &'static str,
    },
    /// The resource has changed since the caller read it. The caller can read it again.
    #[error("the {resource} has changed since you read it")]
    Stale {
        /// The changed resource.
        resource: Resource,
    },
    /// A dependency is unavailable or a queue is full. The caller can retry in a moment.
    #[error("the service is busy or not available right now, please try again in a moment")]
    Unavailable(#[source] Source),
    /// The transaction conflicted with others at every attempt. The caller can retry in a moment.
    #[error("the service is busy or not available right now, please try again in a moment")]
    Contended(#[source] StorageError),
    /// A bug or a misconfiguration of this service.
    #[error("something went wrong on our side")]
    Internal(#[source] Source),
}

closed_enum! {
    /// The kinds of resources that errors name.
    pub enum Resource {
        /// A user account.
        User = "user",
        /// A session of a user.
        Session = "session",
        /// A post.
        Post = "post",
        /// A heart on a post.
        Heart = "heart",
        /// An emoji reaction to a post.
        Reaction = "reaction",
        /// A share of a post.
        Share = "share",
        /// A comment on a post.
        Comment = "comment",
        /// A follow.
        Follow = "follow",
        /// A follow request.
        FollowRequest = "follow_request",
        /// A notification.
        Notification = "notification",
        /// A profile photo.
        Photo = "photo",
        /// An uploaded file.
        File = "file",
        /// An idempotency key.
        IdempotencyKey = "idempotency_key",
    }
}

impl Resource {
    /// The message of [`Error::NotFound`]. For hearts, docs/http-api.md#hearts defines it.
    fn not_found_message(self) -> String {
        if self == Self::Heart {
            return "No heart found to remove".to_owned();
        }
        let noun = self.code().replace('_', " ");
        let (first, rest) = noun.split_at(1);
        format!("{}{rest} not found", first.to_ascii_uppercase())
    }

    /// Builds the error for an id that does not exist, or that the user may not see.
    pub fn not_found(self, id: impl fmt::Display) -> Error {
        Error::NotFound { resource: self, id: Some(id.to_string()) }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Error {
    /// The error that the account of the acting user was deleted during the request.
    pub(crate) fn account_deleted() -> Self {
        Self::Unauthenticated("This account no longer exists")
    }
}

/// Whether a foreign key refers to the acting user. Use cases look up all other users before they write.
fn refers_to_actor(constraint: &str) -> bool {
    ["_user_id_fkey", "_author_id_fkey", "_actor_id_fkey"]
        .iter()
        .any(|suffix| constraint.ends_with(suffix))
}

impl From<StorageError> for Error {
    /// Maps errors that mean the same in all use cases. Use cases map the violation of other constraints themselves.
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Conflict(_) => Self::Contended(error),
            StorageError::Unavailable(source) => Self::Unavailable(source),
            StorageError::ForeignKeyViolation { ref constraint } if refers_to_actor(constraint) => {
                Self::account_deleted()
            }
            other => Self::Internal(other.into()),
        }
    }
}
