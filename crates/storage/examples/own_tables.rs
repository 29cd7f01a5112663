//! Your own table next to those of this crate: joined with posts, and changed in one transaction with hearts and
//! notifications.
//!
//! `DATABASE_URL=postgresql://… cargo run -p grateful-storage --example own_tables`, with a test database.
#![expect(clippy::disallowed_methods, reason = "an example uses the system clock")]

use std::env;
use std::error::Error;
use std::fmt::Write as _;
use std::time::SystemTime;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use grateful_domain::notification::{Act, Cause, Event, EventDetails};
use grateful_domain::{Content, Draft, Email, PasswordHash, Post, PostType, Username, Visibility};
use grateful_domain::{PostId, User, UserId, Viewer};
use grateful_storage::{
    Connection, Database, DatabaseConfig, NewHeart, NewUser, NotificationQuery, Participants,
    Repositories, StorageError, migrate,
};
use uuid::Uuid;

type ExampleResult<T> = Result<T, Box<dyn Error + Send + Sync>>;

// Your own table, and the columns of `posts` that the join needs.
diesel::table! {
    bookmarks (user_id, post_id) {
        user_id -> BigInt,
        post_id -> Uuid,
        note -> Text,
    }
}

diesel::table! {
    posts (id) {
        id -> Uuid,
        author_id -> BigInt,
    }
}

diesel::joinable!(bookmarks -> posts (post_id));
diesel::allow_tables_to_appear_in_same_query!(bookmarks, posts);

/// In an application, this is a migration. Bookmarks are deleted with their user or post.
const CREATE: &str = "CREATE TABLE IF NOT EXISTS bookmarks (
    user_id bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    post_id uuid NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
    note text NOT NULL CONSTRAINT bookmarks_note_check CHECK (length(note) <= 40),
    PRIMARY KEY (user_id, post_id)
)";

#[tokio::main]
async fn main() -> ExampleResult<()> {
    let url =
        env::var("DATABASE_URL").map_err(|_| "set DATABASE_URL to the URL of a test database")?;
    print!("{}", run(&url, SystemTime::now().into()).await?);
    Ok(())
}

/// Two users bookmark a post, which also adds a heart. The author gets one notification about both.
pub(crate) async fn run(url: &str, now: DateTime<Utc>) -> ExampleResult<String> {
    migrate(url).await?;
    let db = Database::connect_lazily(DatabaseConfig::new(url));
    let mut conn = db.acquire().await?;
    conn.batch_execute(CREATE).await?;
    let ana = find_or_create_user(&mut conn, "ana", now).await?;
    let ben = find_or_create_user(&mut conn, "ben", now).await?;
    let caro = find_or_create_user(&mut conn, "caro", now).await?;
    let post = create_post(&db, ana.id, now).await?;

    let mut output = String::new();
    for (user, note) in [(&ben, "for Sunday"), (&caro, "to read aloud"), (&ben, "once more")] {
        let is_new = add_bookmark(&db, user.id, &post, note, now).await?;
        let result = if is_new { "bookmarks it" } else { "has bookmarked it before" };
        writeln!(output, "{} {result}", user.username.as_str())?;
    }

    // If the bookmark is rejected, the transaction also rolls back the heart and the notification.
    let dan = find_or_create_user(&mut conn, "dan", now).await?;
    let too_long = "much more than fits into the margin of a page";
    let rejected = add_bookmark(&db, dan.id, &post, too_long, now).await;
    writeln!(output, "dan's bookmark is rejected: {}", rejected.is_err())?;

    // A join in Diesel's DSL.
    let bookmark_count: i64 = bookmarks::table
        .inner_join(posts::table)
        .filter(posts::author_id.eq(i64::from(ana.id)))
        .filter(posts::id.eq(Uuid::from(post.id)))
        .count()
        .get_result(&mut *conn)
        .await?;
    // Or load ids, and let the crate find the posts. It leaves out private posts and posts across a block.
    let ids: Vec<Uuid> = bookmarks::table
        .filter(bookmarks::user_id.eq(i64::from(ben.id)))
        .select(bookmarks::post_id)
        .load(&mut *conn)
        .await?;
    let ids: Vec<PostId> = ids.into_iter().map(PostId::from).collect();
    let posts = conn.posts().find_public(Viewer::User(ben.id), &ids).await?;
    let hearts = posts.get(&post.id).map_or(0, |item| item.post.engagement.hearts);
    writeln!(output, "{bookmark_count} bookmarks, {hearts} hearts")?;

    let inbox = conn.notifications().list(NotificationQuery::of(ana.id)).await?;
    for item in inbox.items.iter().filter(|item| item.notification.subject.post == Some(post.id)) {
        writeln!(output, "ana reads: {}", item.text.message)?;
    }
    Ok(output)
}

/// Bookmarks a post, adds a heart, and notifies the author of the post: everything, or nothing if a part fails. Idempotent: a
/// repetition changes nothing. Returns whether the bookmark is new.
async fn add_bookmark(
    db: &Database,
    user: UserId,
    post: &Post,
    note: &str,
    now: DateTime<Utc>,
) -> Result<bool, StorageError> {
    db.transaction(async |tx| {
        // The order of locks: first the users, so that no block is created in between, then other rows, then inboxes.
        tx.users()
            .lock_participants(Participants {
                users: &[user, post.author],
                ..Participants::default()
            })
            .await?;
        let bookmark = (
            bookmarks::user_id.eq(i64::from(user)),
            bookmarks::post_id.eq(Uuid::from(post.id)),
            bookmarks::note.eq(note),
        );
        let heart = NewHeart { id: Uuid::now_v7().into(), user, post: post.id, at: now };
        let is_new_heart = !tx.hearts().add(&[heart]).await?.is_empty();
        let inserted = diesel::insert_into(bookmarks::table)
            .values(bookmark)
            .on_conflict_do_nothing()
            .execute(tx)
            .await?;
        if is_new_heart {
            let act = Act::Heart { post: post.id };
            let event = Event {
                cause: Cause { recipient: post.author, actor: user, act },
                details: EventDetails::default(),
                at: now,
                id: Uuid::now_v7().into(),
                batch_id: Uuid::now_v7().into(),
            };
            tx.notifications().record(&[event]).await?;
        }
        Ok(inserted == 1)
    })
    .await
}

async fn create_post(db: &Database, author: UserId, now: DateTime<Utc>) -> ExampleResult<Post> {
    let draft = Draft {
        title: None,
        content: Content::parse("For a poem that a stranger left on a bench.", PostType::Daily)?,
        post_type: PostType::Daily,
        image_url: None,
        location: None,
        visibility: Visibility::Public,
    };
    let post = Post::publish(Uuid::now_v7().into(), author, draft, now);
    db.transaction(async |tx| tx.posts().insert(&post).await).await?;
    Ok(post)
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
