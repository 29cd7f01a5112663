//! Errors, by what a caller can do about them.

use std::error::Error;

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind};
use thiserror::Error;

/// The result of a repository method. A missing row is an `Option` inside, not an error.
///
/// Every method that runs a statement can fail with [`Unavailable`](StorageError::Unavailable) if the database cannot be
/// reached or takes too long, with [`Conflict`](StorageError::Conflict) if it loses against another transaction, and with
/// [`Corrupt`](StorageError::Corrupt) if a row holds a value that this crate cannot have written. The `# Errors` section of
/// a method lists only further errors.
pub type Result<T, E = StorageError> = std::result::Result<T, E>;

type Source = Box<dyn Error + Send + Sync>;

/// Why a statement failed. The `# Errors` section of a method says what a variant means there.
///
/// The `?` operator converts errors of [`diesel`](crate::diesel), so your own statements can use this type too.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StorageError {
    /// A unique constraint or index already has the value.
    #[error("unique constraint {constraint} already has this value")]
    UniqueViolation {
        /// The name of the constraint in the migrations.
        constraint: String,
    },
    /// A referenced row does not exist.
    #[error("foreign key {constraint} refers to a row that does not exist")]
    ForeignKeyViolation {
        /// The name of the foreign key in the migrations.
        constraint: String,
    },
    /// A deadlock or serialization failure against another transaction. [`Database::transaction`] retries it.
    ///
    /// [`Database::transaction`]: crate::Database::transaction
    #[error("conflict with another transaction")]
    Conflict(#[source] Source),
    /// The database cannot be reached, is starting or stopping, or exceeded a timeout.
    #[error("the database is not available")]
    Unavailable(#[source] Source),
    /// A column holds a value that this crate cannot have written.
    #[error("{column} has an invalid value")]
    Corrupt {
        /// The table and column: `posts.post_type`.
        column: &'static str,
    },
    /// The database does not store text as UTF-8.
    #[error(
        "the database has the encoding {encoding}, and needs UTF8: create another one with CREATE DATABASE grateful \
         TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'"
    )]
    UnsupportedEncoding {
        /// PostgreSQL's name of the encoding, such as `SQL_ASCII`.
        encoding: String,
    },
    /// The database rejected the statement, which is a bug in this crate.
    #[error("the database rejected a statement")]
    Query(#[source] Source),
}

/// Whether an immediate retry may succeed. [`Database::transaction`] asks this of the error of its work.
///
/// [`Database::transaction`]: crate::Database::transaction
pub trait Transient {
    /// True for a failure that had no effect and may not happen again.
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
            DatabaseError(DatabaseErrorKind::UniqueViolation, info) => {
                Self::UniqueViolation { constraint: constraint_of(&*info) }
            }
            DatabaseError(DatabaseErrorKind::ForeignKeyViolation, info) => {
                Self::ForeignKeyViolation { constraint: constraint_of(&*info) }
            }
            DatabaseError(DatabaseErrorKind::SerializationFailure, _) => {
                Self::Conflict(error.into())
            }
            // The driver reports other failures without a kind, so only PostgreSQL's message tells them apart.
            DatabaseError(_, ref info) if info.message() == "deadlock detected" => {
                Self::Conflict(error.into())
            }
            DatabaseError(
                DatabaseErrorKind::UnableToSendCommand | DatabaseErrorKind::ClosedConnection,
                _,
            )
            | BrokenTransactionManager => Self::Unavailable(error.into()),
            DatabaseError(_, ref info) if is_about_availability(info.message()) => {
                Self::Unavailable(error.into())
            }
            other => Self::Query(other.into()),
        }
    }
}

impl StorageError {
    /// Converts an error of the driver, which bulk loads use without Diesel.
    pub(crate) fn from_driver(error: tokio_postgres::Error) -> Self {
        use tokio_postgres::error::SqlState;

        let info = error.as_db_error();
        let constraint = || info.and_then(|info| info.constraint()).unwrap_or_default().to_owned();
        match error.code() {
            Some(&SqlState::UNIQUE_VIOLATION) => Self::UniqueViolation { constraint: constraint() },
            Some(&SqlState::FOREIGN_KEY_VIOLATION) => {
                Self::ForeignKeyViolation { constraint: constraint() }
            }
            Some(&(SqlState::T_R_DEADLOCK_DETECTED | SqlState::T_R_SERIALIZATION_FAILURE)) => {
                Self::Conflict(error.into())
            }
            // Insufficient resources (53), or operator intervention (57).
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

fn constraint_of(info: &dyn DatabaseErrorInformation) -> String {
    info.constraint_name().unwrap_or_default().to_owned()
}

/// Whether the message is about a shutdown, a startup, a timeout or too many connections (SQLSTATE classes 53 and 57, and
/// 55P03).
fn is_about_availability(message: &str) -> bool {
    let phrases = [
        "canceling statement due to",
        "terminating connection",
        "the database system is",
        "too many clients",
        "remaining connection slots",
        "could not extend file",
        "No space left on device",
    ];
    phrases.iter().any(|phrase| message.contains(phrase))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_with(message: &str) -> StorageError {
        let info = Box::new(message.to_owned());
        diesel::result::Error::DatabaseError(DatabaseErrorKind::Unknown, info).into()
    }

    #[test]
    fn a_deadlock_is_the_only_transient_error_without_a_kind() {
        assert!(error_with("deadlock detected").is_transient());
        assert!(!error_with("canceling statement due to statement timeout").is_transient());
        assert!(!error_with("column \"x\" does not exist").is_transient());
    }

    #[test]
    fn timeouts_and_restarts_make_the_database_unavailable() {
        for message in [
            "canceling statement due to statement timeout",
            "canceling statement due to lock timeout",
            "terminating connection due to administrator command",
            "the database system is starting up",
            "sorry, too many clients already",
        ] {
            assert!(matches!(error_with(message), StorageError::Unavailable(_)), "{message}");
        }
    }
}
