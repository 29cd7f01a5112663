//! Errors of the driver, as Diesel reports them.

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error};
use tokio_postgres::error::{DbError, SqlState};

/// Whether the connection is of no use after this error: it is closed, or PostgreSQL is about to close it.
pub(super) fn is_fatal(error: &tokio_postgres::Error) -> bool {
    let ends_session = |state: &SqlState| {
        [SqlState::ADMIN_SHUTDOWN, SqlState::CRASH_SHUTDOWN, SqlState::IDLE_SESSION_TIMEOUT]
            .contains(state)
    };
    error.as_db_error().is_none() || error.code().is_some_and(ends_session)
}

pub(super) fn into_diesel(error: &tokio_postgres::Error) -> Error {
    let Some(info) = error.as_db_error() else {
        let kind = DatabaseErrorKind::UnableToSendCommand;
        return Error::DatabaseError(kind, Box::new(error.to_string()));
    };
    let kind = if *info.code() == SqlState::READ_ONLY_SQL_TRANSACTION {
        DatabaseErrorKind::ReadOnlyTransaction
    } else {
        DatabaseErrorKind::Unknown
    };
    Error::DatabaseError(kind, Box::new(Information(info.clone())))
}

struct Information(DbError);

impl DatabaseErrorInformation for Information {
    fn message(&self) -> &str {
        self.0.message()
    }

    fn details(&self) -> Option<&str> {
        self.0.detail()
    }

    fn hint(&self) -> Option<&str> {
        self.0.hint()
    }

    fn table_name(&self) -> Option<&str> {
        self.0.table()
    }

    fn column_name(&self) -> Option<&str> {
        self.0.column()
    }

    fn constraint_name(&self) -> Option<&str> {
        self.0.constraint()
    }

    fn statement_position(&self) -> Option<i32> {
        None
    }
}
