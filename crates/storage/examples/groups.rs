//! Acts of many users in one transaction, with their notifications: a game that collects what its players do for a moment and
//! stores all of it at once.
//!
//! `DATABASE_URL=postgresql://… cargo run -p grateful-storage --example groups`, with a test database.
#![expect(clippy::disallowed_methods, reason = "an example uses the system clock")]

use std::env;
use std::error::Error;
use std::fmt::Write as _;
use std::time::SystemTime;

use chrono::{DateTime, TimeDelta, Utc};
use grateful_domain::notification::{Act, Cause, Event, EventDetails, InboxUpdate};
use grateful_domain::{Content, Draft, Email, PasswordHash, Post, PostType, Username, Visibility};
use grateful_domain::{PostId, User, UserId};
use grateful_storage::{
    Connection, Database, DatabaseConfig, NewHeart, NewUser, NotificationQuery, Participants,
    QueryLog, Repositories, StorageError, migrate,
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

/// Thirty players give a heart to one post, and the first takes it back.
pub(crate) async fn run(url: &str, now: DateTime<Utc>) -> ExampleResult<String> {
    migrate(url).await?;
    let db = Database::connect_lazily(DatabaseConfig::new(url));
    let mut conn = db.acquire().await?;
    let author = create_user(&mut conn, now).await?;
    let post = create_post(&db, author.id, now).await?;
    let mut players = vec![];
    for _ in 0..30 {
        players.push(create_user(&mut conn, now).await?.id);
    }

    let mut output = String::new();
    let (added, log) = QueryLog::record(add_hearts(&db, &players, &post, now)).await;
    writeln!(output, "{} hearts in {} statements", added?, log.total())?;
    let repeated = add_hearts(&db, &players[..2], &post, now).await?;
    writeln!(output, "{repeated} hearts once more")?;
    undo_and_repeat(&db, players[0], &post, now + TimeDelta::minutes(1)).await?;

    let inbox = conn.notifications().list(NotificationQuery::of(author.id)).await?;
    for item in &inbox.items {
        writeln!(output, "the author reads: {}", item.text.message)?;
    }
    Ok(output)
}

/// Adds hearts of many users to a post and notifies its author of each. Returns how many were new. A heart that exists is
/// skipped, and the others are not.
async fn add_hearts(
    db: &Database,
    players: &[UserId],
    post: &Post,
    now: DateTime<Utc>,
) -> Result<usize, StorageError> {
    db.transaction(async |tx| {
        // The order of locks: users, posts, inboxes. Each statement takes its locks in the order of ids.
        let everyone = [players, &[post.author]].concat();
        tx.users()
            .lock_participants(Participants { users: &everyone, ..Participants::default() })
            .await?;
        let pairs: Vec<(UserId, PostId)> = players.iter().map(|user| (*user, post.id)).collect();
        let visible = tx.posts().find_visible(&pairs).await?;
        let hearts: Vec<NewHeart> = visible
            .keys()
            .map(|(user, post)| NewHeart {
                id: Uuid::now_v7().into(),
                user: *user,
                post: *post,
                at: now,
            })
            .collect();
        let added = tx.hearts().add(&hearts).await?;
        let is_added = |heart: &&NewHeart| added.contains_key(&heart.id);
        let events: Vec<Event> = hearts
            .iter()
            .filter(is_added)
            .map(|heart| event(cause(heart.user, post), heart.at))
            .collect();
        // Thirty events of one recipient and one batch are as many statements as one event.
        tx.notifications().record(&events).await?;
        Ok(events.len())
    })
    .await
}

/// Updates of one act in one call are applied in their order: the notification is withdrawn, and then restored as it was.
async fn undo_and_repeat(
    db: &Database,
    player: UserId,
    post: &Post,
    now: DateTime<Utc>,
) -> Result<(), StorageError> {
    let cause = cause(player, post);
    let updates = [
        InboxUpdate::Withdraw { cause, at: now },
        InboxUpdate::Record(event(cause, now + TimeDelta::seconds(1))),
    ];
    db.transaction(async |tx| tx.notifications().update(&updates).await.map(drop)).await
}

fn cause(actor: UserId, post: &Post) -> Cause {
    Cause { recipient: post.author, actor, act: Act::Heart { post: post.id } }
}

fn event(cause: Cause, at: DateTime<Utc>) -> Event {
    Event {
        cause,
        details: EventDetails::default(),
        at,
        id: Uuid::now_v7().into(),
        batch_id: Uuid::now_v7().into(),
    }
}

async fn create_post(db: &Database, author: UserId, now: DateTime<Utc>) -> ExampleResult<Post> {
    let draft = Draft {
        title: None,
        content: Content::parse("For everyone who stayed until the end.", PostType::Daily)?,
        post_type: PostType::Daily,
        image_url: None,
        location: None,
        visibility: Visibility::Public,
    };
    let post = Post::publish(Uuid::now_v7().into(), author, draft, now);
    db.transaction(async |tx| tx.posts().insert(&post).await).await?;
    Ok(post)
}

async fn create_user(conn: &mut Connection, now: DateTime<Utc>) -> ExampleResult<User> {
    let name = format!("user_{}", Uuid::now_v7().simple());
    let new = NewUser {
        username: Username::parse(&name)?,
        email: Email::parse(&format!("{name}@example.org"))?,
        // No password has this hash, so no one can sign in as this user.
        password: PasswordHash::from("!".to_owned()),
        created_at: now,
    };
    Ok(conn.users().insert(&new).await?)
}
