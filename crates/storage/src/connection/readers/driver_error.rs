//! Errors of the driver, as Diesel reports them.

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error};
use tokio_postgres::error::DbError;

pub(super) fn into_diesel(error: &tokio_postgres::Error) -> Error {
    let Some(info) = error.as_db_error() else {
        let kind = DatabaseErrorKind::UnableToSendCommand;
        return Error::DatabaseError(kind, Box::new(error.to_string()));
    };
    // Kinds are for violations of constraints, which reads cause none of, and for transactions.
    let kind = DatabaseErrorKind::Unknown;
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
