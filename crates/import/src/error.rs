//! Why an import ends without a result.

use std::error::Error as _;

use grateful_storage::{InvalidUrl, StorageError};
use thiserror::Error;

/// Why nothing was imported.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The address of the source cannot be used. It is not repeated, since it may contain a password.
    #[error(
        "--from is not the address of a PostgreSQL database, such as postgresql://user:password@host/name: {0}"
    )]
    Address(InvalidUrl),
    /// No connection to the source can be opened.
    #[error("the source cannot be reached: {reason}")]
    Unreachable {
        /// What each host says, or that it is silent.
        reason: String,
    },
    /// The database is not one of the older Grateful.
    #[error("the source is no database of the older Grateful: {missing}")]
    NotGrateful {
        /// What is missing.
        missing: String,
    },
    /// The database is one of this Grateful.
    #[error(
        "the source is a database of this Grateful, not of the older one: to move it, use a backup"
    )]
    Ours,
    /// A statement on the source failed.
    #[error("the source cannot be read: {reason}")]
    Source {
        /// What PostgreSQL says.
        reason: String,
    },
    /// Rows were written to the source after the import had begun.
    #[error(
        "the source changed during the import ({table}): stop the older server, and import again"
    )]
    Changed {
        /// A table that changed.
        table: &'static str,
    },
    /// Our database has users already.
    #[error(
        "this database has users already; an import fills an empty one, so nothing was changed"
    )]
    NotEmpty,
    /// Our database cannot be written.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The report cannot be written.
    #[error("the report cannot be written: {0}")]
    Report(#[from] std::io::Error),
}

impl ImportError {
    /// The error of opening a connection to the source.
    pub(crate) fn of_connecting(error: &StorageError) -> Self {
        let reason = error.source().unwrap_or(error).to_string();
        Self::Unreachable { reason }
    }

    /// The error of a statement on the source.
    pub(crate) fn of_reading(error: &tokio_postgres::Error) -> Self {
        Self::Source { reason: reason(error) }
    }
}

/// What PostgreSQL says, or else the driver. Neither quotes the address or a bound value.
fn reason(error: &tokio_postgres::Error) -> String {
    let said = error.as_db_error().map(|error| error.message().to_owned());
    said.or_else(|| error.source().map(ToString::to_string)).unwrap_or_else(|| error.to_string())
}
