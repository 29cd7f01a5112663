//! Errors, by what a caller can do about them.

pub(crate) mod sql_states;

use std::error::Error;

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind};
use thiserror::Error;

use self::sql_states::Meaning;

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
    /// A deadlock or serialization failure against another transaction. [`Database::transaction`] retries it. On a connection
    /// that [`connect`](crate::connect) did not open, a deadlock is recognized only if the messages of the server are English.
    ///
    /// [`Database::transaction`]: crate::Database::transaction
    #[error("conflict with another transaction")]
    Conflict(#[source] Source),
    /// The database cannot be reached, is starting or stopping, accepts only reads, or exceeded a timeout.
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
            DatabaseError(
                DatabaseErrorKind::UnableToSendCommand
                | DatabaseErrorKind::ClosedConnection
                | DatabaseErrorKind::ReadOnlyTransaction,
                _,
            )
            | BrokenTransactionManager => Self::Unavailable(error.into()),
            DatabaseError(_, ref info) => match sql_states::find(info.message()) {
                Some(meaning) => Self::with_meaning(meaning, error.into()),
                None => Self::Query(error.into()),
            },
            other => Self::Query(other.into()),
        }
    }
}

impl StorageError {
    /// Whether the failure had no effect and may not happen again: a deadlock or a serialization failure.
    /// [`Database::transaction`] retries it; on your own connections, run the transaction again.
    ///
    /// [`Database::transaction`]: crate::Database::transaction
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Conflict(_))
    }

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
            Some(state) if let Some(meaning) = sql_states::meaning_of(state.code()) => {
                Self::with_meaning(meaning, error.into())
            }
            None if is_lost(&error) => Self::Unavailable(error.into()),
            _ => Self::Query(error.into()),
        }
    }

    fn with_meaning(meaning: Meaning, source: Source) -> Self {
        match meaning {
            Meaning::Conflict => Self::Conflict(source),
            Meaning::Unavailable => Self::Unavailable(source),
        }
    }
}

/// Whether the connection was closed, by either side, or has failed.
fn is_lost(error: &tokio_postgres::Error) -> bool {
    error.is_closed() || error.source().is_some_and(<dyn Error>::is::<std::io::Error>)
}

impl From<diesel::ConnectionError> for StorageError {
    fn from(error: diesel::ConnectionError) -> Self {
        Self::Unavailable(error.into())
    }
}

fn constraint_of(info: &dyn DatabaseErrorInformation) -> String {
    info.constraint_name().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_with(message: &str) -> StorageError {
        let info = Box::new(message.to_owned());
        diesel::result::Error::DatabaseError(DatabaseErrorKind::Unknown, info).into()
    }

    #[test]
    fn the_sqlstate_decides_in_any_language() {
        sql_states::remember("40P01", "Verklemmung entdeckt");
        sql_states::remember("57014", "storniere Anfrage wegen Zeitüberschreitung der Anfrage");

        assert!(error_with("Verklemmung entdeckt").is_transient());
        let cancelled = error_with("storniere Anfrage wegen Zeitüberschreitung der Anfrage");
        assert!(matches!(cancelled, StorageError::Unavailable(_)));
    }

    #[test]
    fn a_message_without_its_sqlstate_means_nothing() {
        for message in ["the database system is a riddle", "column \"x\" does not exist"] {
            assert!(matches!(error_with(message), StorageError::Query(_)), "{message}");
        }
    }

    #[test]
    fn a_server_that_only_reads_is_unavailable() {
        let info = Box::new("cannot execute INSERT in a read-only transaction".to_owned());
        let kind = DatabaseErrorKind::ReadOnlyTransaction;
        let error = StorageError::from(diesel::result::Error::DatabaseError(kind, info));

        assert!(matches!(error, StorageError::Unavailable(_)));
        assert!(!error.is_transient());
    }
}
