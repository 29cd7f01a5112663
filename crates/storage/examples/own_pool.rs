//! The repositories on your own connection and your own pool, with the monitoring of this crate.
//!
//! `DATABASE_URL=postgresql://… cargo run -p grateful-storage --example own_pool`, with a test database.
#![expect(clippy::disallowed_methods, reason = "an example uses the system clock")]

use std::env;
use std::error::Error;
use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use diesel_async::pooled_connection::deadpool::Pool;
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig};
use diesel_async::{AsyncConnection, AsyncPgConnection};
use futures_util::FutureExt;
use grateful_domain::{Content, Draft, Email, PasswordHash, Post, PostType, Username, Visibility};
use grateful_domain::{User, Viewer};
use grateful_storage::{NewUser, PostQuery, QueryLog, QueryMonitor, Repositories, migrate};
use uuid::Uuid;

type ExampleResult<T> = Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main]
async fn main() -> ExampleResult<()> {
    let url =
        env::var("DATABASE_URL").map_err(|_| "set DATABASE_URL to the URL of a test database")?;
    print!("{}", run(&url, SystemTime::now().into()).await?);
    Ok(())
}

/// Creates a post on a connection, and reads it through a pool.
pub(crate) async fn run(url: &str, now: DateTime<Utc>) -> ExampleResult<String> {
    let mut output = String::new();
    migrate(url).await?;

    // The repositories work on any connection.
    let mut conn = AsyncPgConnection::establish(url).await?;
    let ana = find_or_create_user(&mut conn, "ana", now).await?;
    let draft = Draft {
        title: None,
        content: Content::parse("For a bench in the sun.", PostType::Spontaneous)?,
        post_type: PostType::Spontaneous,
        image_url: None,
        location: None,
        visibility: Visibility::Public,
    };
    let post = Post::publish(Uuid::now_v7().into(), ana.id, draft, now);
    // The post and the counter of its author change together. A transaction of Diesel works as well.
    conn.transaction(async |tx| tx.posts().insert(&post).await).await?;

    // The repositories also work on connections of your own pool. Statements are counted on monitored connections.
    let pool = pool(url)?;
    let (page, log) = QueryLog::record(async {
        let mut conn = pool.get().await?;
        let newest = PostQuery::visible_to(Viewer::Guest).by_author(ana.id);
        Ok::<_, Box<dyn Error + Send + Sync>>(conn.posts().list(newest).await?)
    })
    .await;
    for item in page?.items.iter().take(1) {
        let content = item.post.draft.content.as_str();
        writeln!(output, "{} writes: {content}", item.author.name())?;
    }
    writeln!(output, "{} statement", log.total())?;
    Ok(output)
}

/// A pool like that of an application. Its connections are monitored as soon as they are opened.
fn pool(url: &str) -> ExampleResult<Pool<AsyncPgConnection>> {
    let mut config = ManagerConfig::default();
    config.custom_setup = Box::new(|url| {
        let url = url.to_owned();
        async move {
            let mut conn = AsyncPgConnection::establish(&url).await?;
            QueryMonitor::new(Duration::from_millis(100)).watch(&mut conn);
            Ok(conn)
        }
        .boxed()
    });
    let manager = AsyncDieselConnectionManager::new_with_config(url, config);
    Ok(Pool::builder(manager).max_size(2).build()?)
}

/// Finds the user with this username, or inserts it.
async fn find_or_create_user(
    conn: &mut AsyncPgConnection,
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
