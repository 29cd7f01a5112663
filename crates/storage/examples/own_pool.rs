//! The repositories on your own connection and on pools of your own: deadpool and bb8.
//!
//! `DATABASE_URL=postgresql://… cargo run -p grateful-storage --example own_pool`, with a test database.
#![expect(clippy::disallowed_methods, reason = "an example uses the system clock")]

use std::env;
use std::error::Error;
use std::fmt::Write as _;
use std::time::SystemTime;

use chrono::{DateTime, Utc};
use deadpool::managed::{self, Metrics, RecycleError, RecycleResult};
use diesel_async::{AsyncConnection, SimpleAsyncConnection, TransactionManager};
use grateful_domain::{Content, Draft, Email, PasswordHash, Post, PostType, Username, Visibility};
use grateful_domain::{User, Viewer};
use grateful_storage::{
    Connection, DatabaseConfig, NewUser, PostQuery, QueryLog, Repositories, StorageError,
    configure, connect, migrate_on, transaction_on,
};
use uuid::Uuid;

type ExampleResult<T> = Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main]
async fn main() -> ExampleResult<()> {
    let url =
        env::var("DATABASE_URL").map_err(|_| "set DATABASE_URL to the URL of a test database")?;
    print!("{}", run(&url, SystemTime::now().into()).await?);
    Ok(())
}

/// Creates a post on a connection, and reads it through two pools.
pub(crate) async fn run(url: &str, now: DateTime<Utc>) -> ExampleResult<String> {
    let mut output = String::new();
    let config = DatabaseConfig::new(url);

    // A connection that you opened. A client of `tokio-postgres` becomes one with `Connection::try_from(client)`.
    let mut conn = Connection::establish(url).await?;
    configure(&mut conn, &config).await?;
    migrate_on(&mut conn).await?;
    let ana = find_or_create_user(&mut conn, "ana", now).await?;
    let post = Post::publish(Uuid::now_v7().into(), ana.id, draft()?, now);
    // Locks are taken in the order of all services on these tables: users by id, then posts, then inboxes.
    let publish = async |tx: &mut Connection| -> ExampleResult<()> {
        if !tx.users().lock(ana.id).await? {
            return Err("the account was deleted a moment ago".into());
        }
        Ok(tx.posts().insert(&post).await?)
    };
    transaction_on(&mut conn, publish).await?;

    let deadpool = managed::Pool::<Opener>::builder(Opener(config.clone())).max_size(2).build()?;
    let (line, log) = QueryLog::record(newest_post(&mut *deadpool.get().await?, &ana)).await;
    writeln!(output, "deadpool: {} in {} statement", line?, log.total())?;

    let bb8 = bb8::Pool::builder().max_size(2).build(Opener(config)).await?;
    let line = newest_post(&mut *bb8.get().await?, &ana).await?;
    writeln!(output, "bb8: {line}")?;
    Ok(output)
}

async fn newest_post(conn: &mut Connection, author: &User) -> ExampleResult<String> {
    let newest = PostQuery::visible_to(Viewer::Guest).by_author(author.id);
    let page = conn.posts().list(newest).await?;
    let newest = page.items.first().ok_or("there is no post")?;
    Ok(format!("{} writes: {}", newest.author.name(), newest.post.draft.content.as_str()))
}

/// Opens connections for a pool: to one of several hosts, with TLS, the settings of the session and the monitor.
struct Opener(DatabaseConfig);

type Transactions = <Connection as AsyncConnection>::TransactionManager;

impl managed::Manager for Opener {
    type Type = Connection;
    type Error = StorageError;

    async fn create(&self) -> Result<Connection, StorageError> {
        connect(&self.0).await
    }

    /// Closes a connection whose transaction was dropped in the middle. Does not ask the server, which would cost a round
    /// trip for each use.
    async fn recycle(&self, conn: &mut Connection, _: &Metrics) -> RecycleResult<StorageError> {
        if Transactions::is_broken_transaction_manager(conn) {
            return Err(RecycleError::message("a transaction was left open"));
        }
        Ok(())
    }
}

impl bb8::ManageConnection for Opener {
    type Connection = Connection;
    type Error = StorageError;

    async fn connect(&self) -> Result<Connection, StorageError> {
        connect(&self.0).await
    }

    async fn is_valid(&self, conn: &mut Connection) -> Result<(), StorageError> {
        Ok(conn.batch_execute("").await?)
    }

    fn has_broken(&self, conn: &mut Connection) -> bool {
        Transactions::is_broken_transaction_manager(conn)
    }
}

fn draft() -> ExampleResult<Draft> {
    Ok(Draft {
        title: None,
        content: Content::parse("For a bench in the sun.", PostType::Spontaneous)?,
        post_type: PostType::Spontaneous,
        image_url: None,
        location: None,
        visibility: Visibility::Public,
    })
}

/// Finds the user with this username, or inserts it.
async fn find_or_create_user(
    conn: &mut Connection,
    name: &str,
    now: DateTime<Utc>,
) -> ExampleResult<User> {
    if let Some(user) = conn.users().find_by_username(name).await? {
        return Ok(user);
    }
    let new = NewUser {
        username: Username::parse(name)?,
        email: Email::parse(&format!("{name}@example.org"))?,
        // No password has this hash, so no one can sign in as this user.
        password: PasswordHash::from("!".to_owned()),
        created_at: now,
    };
    Ok(conn.users().insert(&new).await?)
}
