//! A row that was read on a shared connection, or on one of the pool.

use std::error::Error;
use std::ops::Range;
use std::sync::Arc;

use diesel::pg::{Pg, PgValue};
use diesel::row::{Field, PartialRow, Row, RowIndex, RowSealed};
use diesel_async::AsyncConnectionCore;
use tokio_postgres::types::{FromSql, Type};

use super::statement_cache::{ColumnType, Prepared};
use crate::Connection;

pub(super) type PooledRow = <Connection as AsyncConnectionCore>::Row<'static, 'static>;
type PooledField<'f> = <PooledRow as Row<'f, Pg>>::Field<'f>;

/// A row of a read.
pub enum ReadRow {
    /// From a shared connection.
    #[doc(hidden)]
    Shared(SharedRow),
    /// From a connection of the pool.
    #[doc(hidden)]
    Pooled(PooledRow),
}

/// A row from a shared connection.
pub struct SharedRow {
    row: tokio_postgres::Row,
    columns: Arc<[ColumnType]>,
}

impl ReadRow {
    pub(super) fn shared(row: tokio_postgres::Row, prepared: &Prepared) -> Self {
        Self::Shared(SharedRow { row, columns: Arc::clone(&prepared.columns) })
    }
}

impl RowSealed for ReadRow {}

impl<'a> Row<'a, Pg> for ReadRow {
    type InnerPartialRow = Self;
    type Field<'f>
        = ReadField<'f>
    where
        Self: 'f,
        'a: 'f;

    fn field_count(&self) -> usize {
        match self {
            Self::Shared(row) => row.columns.len(),
            Self::Pooled(row) => row.field_count(),
        }
    }

    fn get<'f, I>(&'f self, index: I) -> Option<Self::Field<'f>>
    where
        'a: 'f,
        Self: RowIndex<I>,
    {
        let index = self.idx(index)?;
        match self {
            Self::Shared(row) => Some(ReadField::Shared(row, index)),
            Self::Pooled(row) => <PooledRow as Row<'f, Pg>>::get(row, index).map(ReadField::Pooled),
        }
    }

    fn partial_row(&self, range: Range<usize>) -> PartialRow<'_, Self::InnerPartialRow> {
        PartialRow::new(self, range)
    }
}

impl RowIndex<usize> for ReadRow {
    fn idx(&self, index: usize) -> Option<usize> {
        match self {
            Self::Shared(row) => (index < row.columns.len()).then_some(index),
            Self::Pooled(row) => row.idx(index),
        }
    }
}

impl<'n> RowIndex<&'n str> for ReadRow {
    fn idx(&self, name: &'n str) -> Option<usize> {
        match self {
            Self::Shared(row) => row.row.columns().iter().position(|column| column.name() == name),
            Self::Pooled(row) => row.idx(name),
        }
    }
}

/// A column of a row.
pub enum ReadField<'f> {
    /// Of a row from a shared connection.
    #[doc(hidden)]
    Shared(&'f SharedRow, usize),
    /// Of a row from a connection of the pool.
    #[doc(hidden)]
    Pooled(PooledField<'f>),
}

impl<'a> Field<'a, Pg> for ReadField<'a> {
    fn field_name(&self) -> Option<&str> {
        match self {
            Self::Shared(row, index) => {
                row.row.columns().get(*index).map(tokio_postgres::Column::name)
            }
            Self::Pooled(field) => field.field_name(),
        }
    }

    fn value(&self) -> Option<PgValue<'_>> {
        match self {
            Self::Shared(row, index) => {
                let RawValue(raw) = row.row.try_get(*index).ok()?;
                Some(PgValue::new(raw?, row.columns.get(*index)?))
            }
            Self::Pooled(field) => field.value(),
        }
    }
}

/// The bytes of a value, or `None` for NULL.
struct RawValue<'r>(Option<&'r [u8]>);

impl<'r> FromSql<'r> for RawValue<'r> {
    fn from_sql(_: &Type, raw: &'r [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(Some(raw)))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(None))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}
