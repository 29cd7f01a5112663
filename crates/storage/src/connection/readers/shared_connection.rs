//! The connection type of reads.

use std::fmt;
use std::sync::Arc;

use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AsQuery, QueryFragment, QueryId};
use diesel_async::{AsyncConnectionCore, SimpleAsyncConnection};
use futures_util::future::{BoxFuture, Ready, ready};
use futures_util::{FutureExt, Stream, TryStreamExt, stream};

use super::place::{Place, Route};
use super::request::Request;
use super::row::{PooledRow, ReadRow};
use super::session::Session;
use crate::Connection;

/// A connection on which repositories can read. This trait is sealed.
pub trait ReadConnection: AsyncConnectionCore<Backend = Pg> + sealed::Sealed {}

impl ReadConnection for Connection {}
impl ReadConnection for SharedConnection {}
impl ReadConnection for &Connection {}

mod sealed {
    /// Keeps [`ReadConnection`](super::ReadConnection) from being implemented elsewhere.
    pub trait Sealed {}
    impl Sealed for crate::Connection {}
    impl Sealed for super::SharedConnection {}
    impl Sealed for &crate::Connection {}
}

/// The repositories of a [read](crate::Database::read), with their methods that read. Clones use the same connection.
///
/// A method that writes does not exist on it:
///
/// ```compile_fail,E0599
/// # use grateful_storage::{Database, NewHeart, Repositories, Result};
/// # async fn example(db: Database, heart: NewHeart) -> Result<()> {
/// db.read(async |mut conn| conn.hearts().add(&[heart]).await).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Reader(pub(crate) SharedConnection);

/// The connection of a [`Reader`]. Only repositories reach it.
#[derive(Clone)]
pub struct SharedConnection(pub(super) Arc<Place>);

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").finish_non_exhaustive()
    }
}

impl fmt::Debug for SharedConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedConnection").finish_non_exhaustive()
    }
}

type Rows = stream::Iter<std::vec::IntoIter<QueryResult<ReadRow>>>;

impl AsyncConnectionCore for SharedConnection {
    type LoadFuture<'conn, 'query> = BoxFuture<'conn, QueryResult<Rows>>;
    type ExecuteFuture<'conn, 'query> = Ready<QueryResult<usize>>;
    type Stream<'conn, 'query> = Rows;
    type Row<'conn, 'query> = ReadRow;
    type Backend = Pg;

    fn load<'conn, 'query, T>(&'conn mut self, source: T) -> Self::LoadFuture<'conn, 'query>
    where
        T: AsQuery + 'query,
        T::Query: QueryFragment<Pg> + QueryId + 'query,
    {
        let place = &*self.0;
        match &place.route {
            Route::Shared(session) => {
                let request = Request::new(&source.as_query(), &session.statements);
                fetch(place, session, request).boxed()
            }
            Route::Pooled(conn) => {
                let mut conn: &Connection = conn;
                let loading = (&mut conn).load(source);
                collect(place, loading).boxed()
            }
        }
    }

    fn execute_returning_count<'conn, 'query, T>(
        &'conn mut self,
        _: T,
    ) -> Self::ExecuteFuture<'conn, 'query>
    where
        T: QueryFragment<Pg> + QueryId + 'query,
    {
        ready(Err(only_reads()))
    }
}

impl SimpleAsyncConnection for SharedConnection {
    async fn batch_execute(&mut self, _: &str) -> QueryResult<()> {
        Err(only_reads())
    }
}

// What does not depend on the type of a query is compiled once, and not for each.

async fn fetch(
    place: &Place,
    session: &Session,
    request: QueryResult<Request>,
) -> QueryResult<Rows> {
    let rows = session.fetch(request?, |number| place.wait_for(number)).await;
    place.wait_for(0);
    Ok(into_stream(rows.inspect_err(|_| place.note_failure())?))
}

async fn collect<S>(
    place: &Place,
    loading: impl Future<Output = QueryResult<S>>,
) -> QueryResult<Rows>
where
    S: Stream<Item = QueryResult<PooledRow>>,
{
    let rows = async { loading.await?.map_ok(ReadRow::Pooled).try_collect().await };
    let rows: QueryResult<_> = rows.await;
    Ok(into_stream(rows.inspect_err(|_| place.note_failure())?))
}

fn into_stream(rows: Vec<ReadRow>) -> Rows {
    stream::iter(rows.into_iter().map(Ok).collect::<Vec<_>>())
}

fn only_reads() -> diesel::result::Error {
    diesel::result::Error::QueryBuilderError("a shared connection only reads".into())
}
