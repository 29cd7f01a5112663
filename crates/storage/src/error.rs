//! What PostgreSQL said, in the few kinds that a caller can act on.

use std::error::Error;

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind};
use thiserror::Error;

/// What every repository returns; absence is an `Option` inside it, not an error.
///
/// Any method that asks the database fails with [`Unavailable`](StorageError::Unavailable) where it cannot be reached or
/// takes too long, with [`Conflict`](StorageError::Conflict) where another transaction stands in the way, and with
/// [`Corrupt`](StorageError::Corrupt) where a row holds what this crate cannot have written. The `# Errors` of a method name
/// only what else it refuses.
pub type Result<T, E = StorageError> = std::result::Result<T, E>;

type Source = Box<dyn Error + Send + Sync>;

/// Why a statement did not do what it should. What else a kind may mean for one method, its `# Errors` say.
///
/// Errors of [`diesel`](crate::diesel) become these by `?`, so that statements of one's own stand beside those of a
/// repository.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StorageError {
    /// A unique constraint or index holds the same value already.
    #[error("{constraint} is taken")]
    Taken {
        /// Its name in the migrations.
        constraint: String,
    },
    /// A row that this one refers to is gone.
    #[error("{constraint} refers to a row that is gone")]
    Missing {
        /// The name of the foreign key in the migrations.
        constraint: String,
    },
    /// Two transactions stood in each other's way, and this one gave in. [`Database::transaction`] tries it again.
    ///
    /// [`Database::transaction`]: crate::Database::transaction
    #[error("another transaction stood in the way")]
    Conflict(#[source] Source),
    /// The database cannot be reached, is starting or stopping, or took longer than allowed.
    #[error("the database is not available")]
    Unavailable(#[source] Source),
    /// A column holds what our own code cannot have written.
    #[error("{column} holds something unreadable")]
    Corrupt {
        /// The table and the column.
        column: &'static str,
    },
    /// The database refused the statement: a mistake of ours.
    #[error("the database refused a statement")]
    Query(#[source] Source),
}

/// Whether doing the same again may succeed at once. [`Database::transaction`] asks the error of the work it runs.
///
/// [`Database::transaction`]: crate::Database::transaction
pub trait Transient {
    /// True for a failure that left nothing behind and may not come again.
    fn is_transient(&self) -> bool;
}

impl Transient for StorageError {
    fn is_transient(&self) -> bool {
        matches!(self, Self::Conflict(_))
    }
}

impl From<diesel::result::Error> for StorageError {
    fn from(error: diesel::result::Error) -> Self {
        use diesel::result::Error::{BrokenTransactionManager, DatabaseError};

        match error {
            DatabaseError(DatabaseErrorKind::UniqueViolation, told) => {
                Self::Taken { constraint: constraint_of(&*told) }
            }
            DatabaseError(DatabaseErrorKind::ForeignKeyViolation, told) => {
                Self::Missing { constraint: constraint_of(&*told) }
            }
            DatabaseError(DatabaseErrorKind::SerializationFailure, _) => {
                Self::Conflict(error.into())
            }
            // The driver's other failures have no kind of their own, only PostgreSQL's words.
            DatabaseError(_, ref told) if told.message() == "deadlock detected" => {
                Self::Conflict(error.into())
            }
            DatabaseError(
                DatabaseErrorKind::UnableToSendCommand | DatabaseErrorKind::ClosedConnection,
                _,
            )
            | BrokenTransactionManager => Self::Unavailable(error.into()),
            DatabaseError(_, ref told) if is_about_availability(told.message()) => {
                Self::Unavailable(error.into())
            }
            other => Self::Query(other.into()),
        }
    }
}

impl StorageError {
    /// What the driver said to those who load in bulk, past Diesel.
    pub(crate) fn from_driver(error: tokio_postgres::Error) -> Self {
        use tokio_postgres::error::SqlState;

        let told = error.as_db_error();
        let constraint = || told.and_then(|told| told.constraint()).unwrap_or_default().to_owned();
        match error.code() {
            Some(&SqlState::UNIQUE_VIOLATION) => Self::Taken { constraint: constraint() },
            Some(&SqlState::FOREIGN_KEY_VIOLATION) => Self::Missing { constraint: constraint() },
            Some(&(SqlState::T_R_DEADLOCK_DETECTED | SqlState::T_R_SERIALIZATION_FAILURE)) => {
                Self::Conflict(error.into())
            }
            // Insufficient resources, or an operator at work.
            Some(state) if ["53", "57"].contains(&&state.code()[..2]) => {
                Self::Unavailable(error.into())
            }
            None if error.is_closed() => Self::Unavailable(error.into()),
            _ => Self::Query(error.into()),
        }
    }
}

impl From<diesel::ConnectionError> for StorageError {
    fn from(error: diesel::ConnectionError) -> Self {
        Self::Unavailable(error.into())
    }
}

fn constraint_of(told: &dyn DatabaseErrorInformation) -> String {
    told.constraint_name().unwrap_or_default().to_owned()
}

/// PostgreSQL's words for a stop, a start, a time limit or too many connections (SQLSTATE classes 53, 57 and 55P03).
fn is_about_availability(message: &str) -> bool {
    let words = [
        "canceling statement due to",
        "terminating connection",
        "the database system is",
        "too many clients",
        "remaining connection slots",
        "could not extend file",
        "No space left on device",
    ];
    words.iter().any(|part| message.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(message: &str) -> StorageError {
        let told = Box::new(message.to_owned());
        diesel::result::Error::DatabaseError(DatabaseErrorKind::Unknown, told).into()
    }

    #[test]
    fn a_deadlock_is_transient_and_nothing_else_without_a_kind_is() {
        assert!(told("deadlock detected").is_transient());
        assert!(!told("canceling statement due to statement timeout").is_transient());
        assert!(!told("column \"x\" does not exist").is_transient());
    }

    #[test]
    fn time_limits_and_restarts_are_about_availability() {
        for message in [
            "canceling statement due to statement timeout",
            "canceling statement due to lock timeout",
            "terminating connection due to administrator command",
            "the database system is starting up",
            "sorry, too many clients already",
        ] {
            assert!(matches!(told(message), StorageError::Unavailable(_)), "{message}");
        }
    }
}
