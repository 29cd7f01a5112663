//! A table of one's own beside those of the crate: joined with posts, changed in one transaction with hearts and what
//! people are told of them.
//!
//! `DATABASE_URL=postgresql://… cargo run -p grateful-storage --example own_tables`, with a database to try things out in.
#![expect(clippy::disallowed_methods, reason = "an example asks the clock of the machine")]

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

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

// A table of one's own, and of the crate's what is joined with it: of a table, as many columns as one needs.
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

/// In an application, a migration of its own. Whoever or whatever goes takes its bookmarks along.
const CREATE: &str = "CREATE TABLE IF NOT EXISTS bookmarks (
    user_id bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    post_id uuid NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
    note text NOT NULL CONSTRAINT bookmarks_note_check CHECK (length(note) <= 40),
    PRIMARY KEY (user_id, post_id)
)";

#[tokio::main]
async fn main() -> Outcome<()> {
    let url = env::var("DATABASE_URL")
        .map_err(|_| "set DATABASE_URL to the address of a database to try things out in")?;
    print!("{}", run(&url, SystemTime::now().into()).await?);
    Ok(())
}

/// Two people bookmark a post, which gives it a heart as well; its author is told of both at once.
pub(crate) async fn run(url: &str, now: DateTime<Utc>) -> Outcome<String> {
    migrate(url).await?;
    let db = Database::connect_lazily(DatabaseConfig::new(url));
    let mut conn = db.acquire().await?;
    conn.batch_execute(CREATE).await?;
    let ana = person(&mut conn, "ana", now).await?;
    let ben = person(&mut conn, "ben", now).await?;
    let caro = person(&mut conn, "caro", now).await?;
    let post = publish(&db, ana.id, now).await?;

    let mut page = String::new();
    for (who, note) in [(&ben, "for Sunday"), (&caro, "to read aloud"), (&ben, "once more")] {
        let kept = keep(&db, who.id, &post, note, now).await?;
        let done = if kept { "keeps it" } else { "has it already" };
        writeln!(page, "{} {done}", who.username.as_str())?;
    }

    // What fails, fails as a whole: there is no heart, and nobody is told, where there is no bookmark.
    let dan = person(&mut conn, "dan", now).await?;
    let too_long = "much more than fits into the margin of a page";
    let refused = keep(&db, dan.id, &post, too_long, now).await;
    writeln!(page, "dan's is refused: {}", refused.is_err())?;

    // A join, like any other of Diesel's.
    let kept_of_ana: i64 = bookmarks::table
        .inner_join(posts::table)
        .filter(posts::author_id.eq(i64::from(ana.id)))
        .filter(posts::id.eq(Uuid::from(post.id)))
        .count()
        .get_result(&mut *conn)
        .await?;
    // Or ids, for whatever the crate shows of posts: private ones and those across a block are not among it.
    let ids: Vec<Uuid> = bookmarks::table
        .filter(bookmarks::user_id.eq(i64::from(ben.id)))
        .select(bookmarks::post_id)
        .load(&mut *conn)
        .await?;
    let ids: Vec<PostId> = ids.into_iter().map(PostId::from).collect();
    let seen = conn.posts().find_public(Viewer::User(ben.id), &ids).await?;
    let hearts = seen.get(&post.id).map_or(0, |seen| seen.post.engagement.hearts);
    writeln!(page, "{kept_of_ana} bookmarks, {hearts} hearts")?;

    let inbox = conn.notifications().list(NotificationQuery::of(ana.id)).await?;
    for it in inbox.items.iter().filter(|it| it.notification.post == Some(post.id)) {
        writeln!(page, "ana reads: {}", it.notification.text.message)?;
    }
    Ok(page)
}

/// Bookmarks a post and gives it a heart, of which its author is told: all of it once, however often it is asked for, or
/// nothing. Tells whether it was news.
async fn keep(
    db: &Database,
    who: UserId,
    post: &Post,
    note: &str,
    now: DateTime<Utc>,
) -> Result<bool, StorageError> {
    db.transaction(async |tx| {
        // First the people, so that no block comes between them; then one's own rows; then what is told.
        tx.users()
            .lock_participants(Participants {
                users: &[who, post.author],
                ..Participants::default()
            })
            .await?;
        let bookmark = (
            bookmarks::user_id.eq(i64::from(who)),
            bookmarks::post_id.eq(Uuid::from(post.id)),
            bookmarks::note.eq(note),
        );
        let new = NewHeart { id: Uuid::now_v7().into(), user: who, post: post.id, at: now };
        let is_new = tx.hearts().add(&new).await?.is_some();
        let added = diesel::insert_into(bookmarks::table)
            .values(bookmark)
            .on_conflict_do_nothing()
            .execute(tx)
            .await?;
        if is_new {
            let act = Act::Heart { post: post.id };
            let event = Event {
                cause: Cause { recipient: post.author, actor: who, act },
                details: EventDetails::for_post(post.draft.content.as_str()),
                at: now,
                id: Uuid::now_v7().into(),
                batch_id: Uuid::now_v7().into(),
            };
            tx.notifications().record(&[event]).await?;
        }
        Ok(added == 1)
    })
    .await
}

async fn publish(db: &Database, author: UserId, now: DateTime<Utc>) -> Outcome<Post> {
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

/// Somebody with this username, who is added if there is nobody.
async fn person(conn: &mut Connection, name: &str, now: DateTime<Utc>) -> Outcome<User> {
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
