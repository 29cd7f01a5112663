//! The prepared statements of a shared connection.

use std::any::TypeId;
use std::collections::HashMap;
use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

use diesel::QueryResult;
use diesel::pg::TypeOidLookup;
use tokio::sync::OnceCell;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Statement};

/// Statements by the type of their query, which identifies the text, and else by their text.
#[derive(Default)]
pub(super) struct StatementCache {
    by_type: Mutex<HashMap<TypeId, Arc<CachedStatement>>>,
    by_text: Mutex<HashMap<Arc<str>, Arc<CachedStatement>>>,
}

/// The maximum number of statements by text. Further ones are prepared for each execution. The statements of this crate
/// are far fewer.
const MAX_BY_TEXT: usize = 500;

/// A statement, which is prepared on first use.
pub(super) struct CachedStatement {
    sql: Arc<str>,
    prepared: OnceCell<Prepared>,
}

/// A prepared statement and the types of its columns.
pub(super) struct Prepared {
    pub(super) statement: Statement,
    pub(super) columns: Arc<[ColumnType]>,
}

/// The type of a column.
pub(super) struct ColumnType(NonZeroU32);

impl TypeOidLookup for ColumnType {
    fn lookup(&self) -> NonZeroU32 {
        self.0
    }
}

impl StatementCache {
    /// The statement of a query with this id. `sql` builds its text, if it is not known yet.
    pub(super) fn get(
        &self,
        id: Option<TypeId>,
        is_cacheable: bool,
        sql: &dyn Fn() -> QueryResult<String>,
    ) -> QueryResult<Arc<CachedStatement>> {
        if let Some(id) = id {
            if let Some(known) = find(&self.by_type, &id) {
                return Ok(known);
            }
            let statement = CachedStatement::new(sql()?);
            return Ok(insert(&self.by_type, id, statement, usize::MAX));
        }
        let sql = sql()?;
        if !is_cacheable {
            return Ok(CachedStatement::new(sql));
        }
        if let Some(known) = find(&self.by_text, sql.as_str()) {
            return Ok(known);
        }
        let statement = CachedStatement::new(sql);
        Ok(insert(&self.by_text, Arc::clone(&statement.sql), statement, MAX_BY_TEXT))
    }
}

type Statements<K> = Mutex<HashMap<K, Arc<CachedStatement>>>;

fn find<K: Hash + Eq + std::borrow::Borrow<Q>, Q: Hash + Eq + ?Sized>(
    statements: &Statements<K>,
    key: &Q,
) -> Option<Arc<CachedStatement>> {
    statements.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
}

/// Adds a statement, unless another thread was faster. Returns the one to use.
fn insert<K: Hash + Eq>(
    statements: &Statements<K>,
    key: K,
    statement: Arc<CachedStatement>,
    max: usize,
) -> Arc<CachedStatement> {
    let mut statements = statements.lock().unwrap_or_else(PoisonError::into_inner);
    if max <= statements.len() {
        return statement;
    }
    Arc::clone(statements.entry(key).or_insert(statement))
}

impl CachedStatement {
    fn new(sql: String) -> Arc<Self> {
        Arc::new(Self { sql: sql.into(), prepared: OnceCell::new() })
    }

    pub(super) fn sql(&self) -> &Arc<str> {
        &self.sql
    }

    pub(super) fn prepared(&self) -> Option<&Prepared> {
        self.prepared.get()
    }

    /// Prepares the statement, once.
    pub(super) async fn prepare(
        &self,
        client: &Client,
        types: &[Type],
    ) -> Result<&Prepared, tokio_postgres::Error> {
        let prepare = async || {
            let statement = client.prepare_typed(&self.sql, types).await?;
            let oid = |oid| NonZeroU32::new(oid).unwrap_or(NonZeroU32::MIN);
            let columns = statement.columns().iter();
            let columns = columns.map(|column| ColumnType(oid(column.type_().oid()))).collect();
            Ok(Prepared { statement, columns })
        };
        self.prepared.get_or_try_init(prepare).await
    }
}
