//! A statement with its values, ready to be sent.

use std::error::Error;
use std::sync::Arc;

use diesel::QueryResult;
use diesel::pg::{Pg, PgMetadataLookup, PgQueryBuilder, PgTypeMetadata};
use diesel::query_builder::bind_collector::RawBytesBindCollector;
use diesel::query_builder::{QueryBuilder, QueryFragment, QueryId};
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, Kind, ToSql, Type};

use super::statement_cache::{CachedStatement, StatementCache};

/// A statement with its values.
pub(super) struct Request {
    pub(super) statement: Arc<CachedStatement>,
    pub(super) types: Vec<Type>,
    pub(super) values: Vec<Value>,
}

impl Request {
    /// Serializes the values of a query. Builds its text only if the cache does not know it.
    pub(super) fn new<T>(query: &T, statements: &StatementCache) -> QueryResult<Self>
    where
        T: QueryFragment<Pg> + QueryId,
    {
        let mut binds = RawBytesBindCollector::<Pg>::new();
        query.collect_binds(&mut binds, &mut BuiltInTypes, &Pg)?;
        let is_cacheable = query.is_safe_to_cache_prepared(&Pg)?;
        let statement = statements.get(T::query_id(), is_cacheable, &|| {
            let mut builder = PgQueryBuilder::default();
            query.to_sql(&mut builder, &Pg)?;
            Ok(builder.finish())
        })?;
        Self::with_values(statement, binds)
    }

    fn with_values(
        statement: Arc<CachedStatement>,
        binds: RawBytesBindCollector<Pg>,
    ) -> QueryResult<Self> {
        // Only the first execution needs the types.
        let types = match statement.prepared() {
            Some(_) => Vec::new(),
            None => binds.metadata.iter().map(type_of).collect::<QueryResult<_>>()?,
        };
        Ok(Self { statement, types, values: binds.binds.into_iter().map(Value).collect() })
    }
}

/// The types of the schema are all built in, so their ids are known without the database.
struct BuiltInTypes;

impl PgMetadataLookup for BuiltInTypes {
    fn lookup_type(&mut self, _: &str, _: Option<&str>) -> PgTypeMetadata {
        // PostgreSQL infers the type of the parameter.
        PgTypeMetadata::new(0, 0)
    }
}

fn type_of(metadata: &PgTypeMetadata) -> QueryResult<Type> {
    let oid = metadata
        .oid()
        .map_err(|error| diesel::result::Error::SerializationError(Box::new(error)))?;
    let unknown = || Type::new(String::new(), oid, Kind::Simple, String::new());
    Ok(Type::from_oid(oid).unwrap_or_else(unknown))
}

/// A serialized value, or NULL.
#[derive(Debug)]
pub(super) struct Value(Option<Vec<u8>>);

impl ToSql for Value {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        Ok(match &self.0 {
            Some(bytes) => {
                out.extend_from_slice(bytes);
                IsNull::No
            }
            None => IsNull::Yes,
        })
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn to_sql_checked(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        self.to_sql(kind, out)
    }
}
