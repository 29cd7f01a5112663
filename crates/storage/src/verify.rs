//! The numbers that are kept beside rows: on posts, and on users.
//!
//! They change in the transaction that changes the rows. Here they are counted anew, to prove it, or to mend what
//! something else than this crate has done.

mod notifications;

use diesel::sql_types::{BigInt, Nullable, Text};
use diesel_async::RunQueryDsl;

use self::notifications::{CountNotifications, LOCK_INBOX, MEND_NOTIFICATION};
use crate::query::statement;
use crate::{Connection, Result};

/// Numbers beside rows, as seen through one connection.
pub struct Counters<'c> {
    pub(crate) conn: &'c mut Connection,
}

/// A table whose rows carry numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Counted {
    /// Posts: hearts, reactions, shares, comments.
    Posts,
    /// Users: followers, following, posts, public posts.
    Users,
    /// Notifications of lists: entries and people, and that acts have caused them.
    Notifications,
}

impl Counted {
    /// How many numbers a row carries.
    const fn columns(self) -> u64 {
        match self {
            Self::Posts | Self::Users => 4,
            Self::Notifications => notifications::COLUMNS,
        }
    }
}

/// The key of a row, as text, whatever its type.
pub type RowKey = String;

/// A number that does not equal its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Where it is kept.
    pub table: Counted,
    /// In which row.
    pub key: RowKey,
    /// In which column.
    pub column: String,
    /// What the column says.
    pub kept: i64,
    /// How many rows there are.
    pub counted: i64,
}

/// What came of going through some rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// How many rows there were.
    pub rows: u64,
    /// The key of the last.
    pub last: RowKey,
    /// What differs in them.
    pub differences: Vec<Difference>,
}

type Row = (String, String, i64, i64);

impl Counters<'_> {
    /// Compares up to `most` rows behind `after` with what they count, in one statement and so at one moment. Nothing where
    /// there are no more.
    pub async fn verify(
        &mut self,
        table: Counted,
        after: Option<RowKey>,
        most: i64,
    ) -> Result<Option<Step>> {
        let rows: Vec<Row> = match table {
            Counted::Posts => CountPosts { after, most }.load(self.conn).await?,
            Counted::Users => CountUsers { after, most }.load(self.conn).await?,
            Counted::Notifications => CountNotifications { after, most }.load(self.conn).await?,
        };
        let Some(last) = rows.last().map(|(key, ..)| key.clone()) else { return Ok(None) };
        let differs = |(.., kept, counted): &Row| kept != counted;
        let lines = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        let differences = rows
            .into_iter()
            .filter(differs)
            .map(|(key, column, kept, counted)| Difference { table, key, column, kept, counted });
        Ok(Some(Step { rows: lines / table.columns(), last, differences: differences.collect() }))
    }

    /// Sets all numbers of the row to what is counted. Run it in a transaction of its own: it locks the row, so that nothing
    /// changes between counting and writing.
    pub async fn mend(&mut self, difference: &Difference) -> Result<()> {
        let (lock, mend) = match difference.table {
            Counted::Posts => (LOCK_POST, &[MEND_POST][..]),
            Counted::Users => (LOCK_USER, &[MEND_USER][..]),
            Counted::Notifications => (LOCK_INBOX, &MEND_NOTIFICATION[..]),
        };
        // Not in one statement: the others see what was committed while the first waited.
        for statement in [&[lock], mend].concat() {
            diesel::sql_query(statement)
                .bind::<Text, _>(&difference.key)
                .execute(self.conn)
                .await?;
        }
        Ok(())
    }
}

statement! {
    /// `coalesce` rather than `$1 IS NULL OR …`, so that a step begins where the one before ended, and not at the front.
    CountPosts(after: Option<String> as Nullable<Text>, most: i64 as BigInt) -> (Text, Text, BigInt, BigInt) {
        "part AS MATERIALIZED (
            SELECT * FROM posts WHERE id > coalesce($1::uuid, '00000000-0000-0000-0000-000000000000') ORDER BY id LIMIT $2
        )
        SELECT part.id::text, number.name, number.kept::bigint, number.counted
        FROM part, LATERAL (VALUES
            ('hearts_count', hearts_count, (SELECT count(*) FROM likes WHERE post_id = part.id)),
            ('reactions_count', reactions_count, (SELECT count(*) FROM emoji_reactions WHERE post_id = part.id)),
            ('shares_count', shares_count, (
                SELECT count(*) FILTER (WHERE share_method = 'url')
                    + count(DISTINCT user_id) FILTER (WHERE share_method = 'message')
                FROM shares WHERE post_id = part.id
            )),
            ('comments_count', comments_count, (SELECT count(*) FROM comments WHERE post_id = part.id))
        ) AS number (name, kept, counted)
        ORDER BY part.id"
    }
}

statement! {
    /// As [`CountPosts`].
    CountUsers(after: Option<String> as Nullable<Text>, most: i64 as BigInt) -> (Text, Text, BigInt, BigInt) {
        "part AS MATERIALIZED (
            SELECT * FROM users WHERE id > coalesce($1::bigint, 0) ORDER BY id LIMIT $2
        )
        SELECT part.id::text, number.name, number.kept, number.counted
        FROM part, LATERAL (VALUES
            ('followers_count', followers_count, (
                SELECT count(*) FROM follows WHERE followed_id = part.id AND status = 'active'
            )),
            ('following_count', following_count, (
                SELECT count(*) FROM follows WHERE follower_id = part.id AND status = 'active'
            )),
            ('posts_count', posts_count, (SELECT count(*) FROM posts WHERE author_id = part.id)),
            ('public_posts_count', public_posts_count, (
                SELECT count(*) FROM posts WHERE author_id = part.id AND is_public
            ))
        ) AS number (name, kept, counted)
        ORDER BY part.id"
    }
}

const LOCK_POST: &str = "SELECT FROM posts WHERE id = $1::uuid FOR NO KEY UPDATE";

const MEND_POST: &str = "UPDATE posts SET
    hearts_count = (SELECT count(*) FROM likes WHERE post_id = posts.id),
    reactions_count = (SELECT count(*) FROM emoji_reactions WHERE post_id = posts.id),
    shares_count = (
        SELECT count(*) FILTER (WHERE share_method = 'url')
            + count(DISTINCT user_id) FILTER (WHERE share_method = 'message')
        FROM shares WHERE post_id = posts.id
    ),
    comments_count = (SELECT count(*) FROM comments WHERE post_id = posts.id)
    WHERE id = $1::uuid";

const LOCK_USER: &str = "SELECT FROM users WHERE id = $1::bigint FOR NO KEY UPDATE";

const MEND_USER: &str = "UPDATE users SET
    followers_count = (SELECT count(*) FROM follows WHERE followed_id = users.id AND status = 'active'),
    following_count = (SELECT count(*) FROM follows WHERE follower_id = users.id AND status = 'active'),
    posts_count = (SELECT count(*) FROM posts WHERE author_id = users.id),
    public_posts_count = (SELECT count(*) FROM posts WHERE author_id = users.id AND is_public)
    WHERE id = $1::bigint";
