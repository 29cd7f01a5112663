//! The older database: opened read-only, in one snapshot.

mod rows;
mod tables;

use std::collections::HashMap;

use futures_util::TryStreamExt;
use grateful_storage::{check_url, open_client};
use tokio_postgres::{Client, Row, RowStream};

pub(crate) use self::rows::{FromRow, OldHeart};
use self::tables::{OURS, REQUIRED};
pub(crate) use self::tables::{Order, Table};
use crate::error::ImportError;
use crate::posts::image_name;
use crate::users::photo_name;

/// A connection to the older database, with one read-only snapshot of it.
pub struct Source {
    client: Client,
    /// The type of each column, by table and name.
    columns: HashMap<(String, String), String>,
    /// The time zone of times without one.
    zone: String,
    sizes: Vec<(Table, Size)>,
}

/// How many rows a table has, and which transactions wrote them.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Size {
    rows: u64,
    written_by: String,
}

/// The files that rows of the older database name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NamedFiles {
    /// Files in the folder `posts`.
    pub images: Vec<String>,
    /// Photos in the folder `profile_photos`, without the size.
    pub photos: Vec<String>,
}

impl Source {
    /// Connects to the database at `url` and begins the snapshot. `zone` is the time zone of times that are stored without
    /// one: UTC, unless rows were put in by hand.
    ///
    /// # Errors
    /// The address is none, the connection is refused, or the database is not one of the older Grateful.
    pub async fn open(url: &str, zone: &str) -> Result<Self, ImportError> {
        check_url(url).map_err(ImportError::Address)?;
        let client = open_client(url).await.map_err(|error| ImportError::of_connecting(&error))?;
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "_/+-".contains(c);
        let zone = zone.chars().filter(|c| is_plain(*c)).collect();
        let mut source = Self { client, columns: HashMap::new(), zone, sizes: vec![] };
        source.begin().await?;
        source.read_columns().await?;
        source.check()?;
        source.sizes = source.measure().await?;
        Ok(source)
    }

    async fn begin(&self) -> Result<(), ImportError> {
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = 0;
                     SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL lock_timeout = '10s'";
        self.client.batch_execute(begin).await.map_err(|error| ImportError::of_reading(&error))
    }

    async fn read_columns(&mut self) -> Result<(), ImportError> {
        let columns = "SELECT class.relname::text, attname::text, format_type(atttypid, NULL)
                       FROM pg_class AS class JOIN pg_attribute ON attrelid = class.oid
                       WHERE pg_table_is_visible(class.oid) AND relkind IN ('r', 'p') AND 0 < attnum AND NOT attisdropped";
        let rows = self.client.query(columns, &[]).await;
        for row in rows.map_err(|error| ImportError::of_reading(&error))? {
            self.columns.insert((row.get(0), row.get(1)), row.get(2));
        }
        Ok(())
    }

    fn check(&self) -> Result<(), ImportError> {
        let has = |table: &str, column: &str| {
            self.columns.contains_key(&(table.to_owned(), column.to_owned()))
        };
        if OURS.iter().all(|(table, column)| has(table, column)) {
            return Err(ImportError::Ours);
        }
        match REQUIRED.iter().find(|(table, column)| !has(table, column)) {
            None => Ok(()),
            Some((table, column)) => {
                let missing = format!("it has no column {table}.{column}");
                Err(ImportError::NotGrateful { missing })
            }
        }
    }

    /// Whether a table is there.
    pub(crate) fn has(&self, table: Table) -> bool {
        self.columns.contains_key(&(table.name().to_owned(), "id".to_owned()))
    }

    async fn measure(&self) -> Result<Vec<(Table, Size)>, ImportError> {
        let mut sizes = Vec::new();
        for table in Table::ALL.into_iter().filter(|table| self.has(*table)) {
            let measure = format!(
                "SELECT count(*), coalesce(sum(xmin::text::bigint), 0)::text FROM {}",
                table.name()
            );
            let row = self.client.query_one(&measure, &[]).await;
            let row = row.map_err(|error| ImportError::of_reading(&error))?;
            let rows = u64::try_from(row.get::<_, i64>(0)).unwrap_or_default();
            sizes.push((table, Size { rows, written_by: row.get(1) }));
        }
        Ok(sizes)
    }

    /// The number of rows of a table.
    pub(crate) fn rows(&self, table: Table) -> u64 {
        let size = self.sizes.iter().find(|(measured, _)| *measured == table);
        size.map_or(0, |(_, size)| size.rows)
    }

    /// Ends the snapshot, and compares the tables with a new one.
    ///
    /// # Errors
    /// `Changed` if a row was written since the snapshot began, so that it did not come over.
    pub async fn check_unchanged(&self) -> Result<(), ImportError> {
        let end = self.client.batch_execute("COMMIT").await;
        end.map_err(|error| ImportError::of_reading(&error))?;
        self.begin().await?;
        let now = self.measure().await?;
        let mut pairs = self.sizes.iter().zip(&now);
        match pairs.find(|((_, before), (_, after))| before != after) {
            None => Ok(()),
            Some(((table, _), _)) => Err(ImportError::Changed { table: table.name() }),
        }
    }

    /// The files that rows name, each once.
    pub async fn named_files(&self) -> Result<NamedFiles, ImportError> {
        let distinct = async |table: Table, column: &str| {
            if !self.columns.contains_key(&(table.name().to_owned(), column.to_owned())) {
                return Ok(vec![]);
            }
            let urls = format!(
                "SELECT DISTINCT {column}::text FROM {} WHERE {column} LIKE '%/uploads/%'",
                table.name()
            );
            let rows = self.client.query(&urls, &[]).await;
            let rows = rows.map_err(|error| ImportError::of_reading(&error))?;
            Ok::<_, ImportError>(rows.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>())
        };
        let images = distinct(Table::Posts, "image_url").await?;
        let photos = distinct(Table::Users, "profile_image_url").await?;
        let mut named = NamedFiles {
            images: images.iter().filter_map(|url| image_name(url)).map(str::to_owned).collect(),
            photos: photos.iter().filter_map(|url| photo_name(url)).map(str::to_owned).collect(),
        };
        for names in [&mut named.images, &mut named.photos] {
            names.sort();
            names.dedup();
        }
        Ok(named)
    }

    /// The answers to posts without any time: the earliest of each, by the post's id.
    pub(crate) async fn earliest_answers(&self) -> Result<Vec<Row>, ImportError> {
        let time = |table: Table| self.expression(table, "created_at", "timestamptz");
        let answers = [Table::Likes, Table::EmojiReactions, Table::Shares].map(|table| {
            format!("SELECT post_id::text AS post, {} AS at FROM {}", time(table), table.name())
        });
        let (created, updated) =
            (time(Table::Posts), self.expression(Table::Posts, "updated_at", "timestamptz"));
        let sql = format!(
            "SELECT post, min(at) FROM ({}) AS answer
             WHERE at IS NOT NULL AND post IN (SELECT id::text FROM posts WHERE {created} IS NULL AND {updated} IS NULL)
             GROUP BY post",
            answers.join(" UNION ALL ")
        );
        let rows = self.client.query(&sql, &[]).await;
        rows.map_err(|error| ImportError::of_reading(&error))
    }

    /// Streams the rows of a table. A table that is not there has none.
    pub(crate) async fn stream<R: FromRow>(&self, order: Order) -> Result<Rows, ImportError> {
        let table = R::TABLE;
        if !self.has(table) {
            return Ok(Rows(None));
        }
        let columns = R::COLUMNS.iter().map(|(name, kind)| self.expression(table, name, kind));
        let columns: Vec<String> = columns.collect();
        let has = |column: &&&str| {
            self.columns.contains_key(&(table.name().to_owned(), (**column).to_owned()))
        };
        let order = order.columns().iter().filter(has);
        let order: Vec<String> = order.map(|column| format!("it.{column} NULLS FIRST")).collect();
        let sql = format!(
            "SELECT {} FROM {} AS it ORDER BY {}",
            columns.join(", "),
            table.name(),
            order.join(", ")
        );
        let stream = self.client.query_raw(&sql, [] as [&str; 0]).await;
        let stream = stream.map_err(|error| ImportError::of_reading(&error))?;
        Ok(Rows(Some(Box::pin(stream))))
    }

    /// An expression for a column as the given type. NULL if the table has no such column.
    fn expression(&self, table: Table, column: &str, kind: &str) -> String {
        let key = (table.name().to_owned(), column.to_owned());
        let Some(stored) = self.columns.get(&key) else { return format!("NULL::{kind}") };
        match (kind, stored.as_str()) {
            ("timestamptz", "timestamp without time zone") => {
                let zone = if self.zone.is_empty() { "UTC" } else { &self.zone };
                format!("CASE WHEN isfinite({column}) THEN {column} AT TIME ZONE '{zone}' END")
            }
            ("timestamptz", _) => format!("CASE WHEN isfinite({column}) THEN {column} END"),
            _ => format!("{column}::{kind}"),
        }
    }
}

/// Rows of the older database, as they arrive.
pub(crate) struct Rows(Option<std::pin::Pin<Box<RowStream>>>);

impl Rows {
    /// The next rows, up to `limit`. None are left if there are none.
    pub(crate) async fn next<R: FromRow>(&mut self, limit: usize) -> Result<Vec<R>, ImportError> {
        let mut rows = Vec::new();
        while let Some(stream) = self.0.as_mut().filter(|_| rows.len() < limit) {
            match stream.try_next().await.map_err(|error| ImportError::of_reading(&error))? {
                Some(row) => rows.push(R::from_row(&row)?),
                // A stream that has ended must not be asked again.
                None => self.0 = None,
            }
        }
        Ok(rows)
    }
}
