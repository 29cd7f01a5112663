//! The repositories on a connection and a pool of one's own, watched by what the crate watches its own with.
//!
//! `DATABASE_URL=postgresql://… cargo run -p grateful-storage --example own_pool`, with a database to try things out in.
#![expect(clippy::disallowed_methods, reason = "an example asks the clock of the machine")]

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

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main]
async fn main() -> Outcome<()> {
    let url = env::var("DATABASE_URL")
        .map_err(|_| "set DATABASE_URL to the address of a database to try things out in")?;
    print!("{}", run(&url, SystemTime::now().into()).await?);
    Ok(())
}

/// Publishes a post through a connection, and reads it through a pool.
pub(crate) async fn run(url: &str, now: DateTime<Utc>) -> Outcome<String> {
    let mut page = String::new();
    migrate(url).await?;

    // Whatever opened it, a connection has the repositories.
    let mut conn = AsyncPgConnection::establish(url).await?;
    let ana = person(&mut conn, "ana", now).await?;
    let draft = Draft {
        title: None,
        content: Content::parse("For a bench in the sun.", PostType::Spontaneous)?,
        post_type: PostType::Spontaneous,
        image_url: None,
        location: None,
        visibility: Visibility::Public,
    };
    let post = Post::publish(Uuid::now_v7().into(), ana.id, draft, now);
    // It and the number of its author's posts belong together; so do they in a transaction of Diesel's own.
    conn.transaction(async |tx| tx.posts().insert(&post).await).await?;

    // So does a connection of whatever pool there is already. Statements are counted where its connections are watched.
    let pool = pool(url)?;
    let (read, log) = QueryLog::record(async {
        let mut conn = pool.get().await?;
        let newest = PostQuery::visible_to(Viewer::Guest).by_author(ana.id);
        Ok::<_, Box<dyn Error + Send + Sync>>(conn.posts().list(newest).await?)
    })
    .await;
    let read = read?;
    for seen in read.items.iter().take(1) {
        let words = seen.post.draft.content.as_str();
        writeln!(page, "{} writes: {words}", seen.author.name())?;
    }
    writeln!(page, "{} statement", log.total())?;
    Ok(page)
}

/// A pool as an application has one, whose connections are watched from the moment they are opened.
fn pool(url: &str) -> Outcome<Pool<AsyncPgConnection>> {
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

/// Somebody with this username, who is added if there is nobody.
async fn person(conn: &mut AsyncPgConnection, name: &str, now: DateTime<Utc>) -> Outcome<User> {
    if let Some(user) = conn.users().find_by_username(name).await? {
        return Ok(user);
    }
    let new = NewUser {
        username: Username::parse(name)?,
        email: Email::parse(&format!("{name}@example.org"))?,
        // No password has this hash: nobody signs in here.
        password: PasswordHash::from("!".to_owned()),
        created_at: now,
    };
    Ok(conn.users().insert(&new).await?)
}
