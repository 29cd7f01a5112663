//! Asking for lists: whom they are for, what is in them, in which order, how they go on, and how long they are.
//!
//! `DATABASE_URL=postgresql://… cargo run -p grateful-storage --example lists`, with a database to try things out in.
#![expect(clippy::disallowed_methods, reason = "an example asks the clock of the machine")]

use std::env;
use std::error::Error;
use std::fmt::Write as _;
use std::time::SystemTime;

use chrono::{DateTime, TimeDelta, Utc};
use grateful_domain::{
    Content, CountMode, Draft, Email, Follow, FollowState, Limit, Page, PasswordHash, Post,
    PostForViewer, PostType, Total, User, UserId, Username, Viewer, Visibility,
};
use grateful_storage::{
    Connection, Database, DatabaseConfig, FollowQuery, NewHeart, NewUser, PostQuery, QueryLog,
    Repositories, Result, UserLock, UserQuery, migrate,
};
use uuid::Uuid;

type Outcome<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main]
async fn main() -> Outcome<()> {
    let url = env::var("DATABASE_URL")
        .map_err(|_| "set DATABASE_URL to the address of a database to try things out in")?;
    print!("{}", run(&url, SystemTime::now().into()).await?);
    Ok(())
}

/// Ana has written a few posts, one of them for herself; Ben follows her.
pub(crate) async fn run(url: &str, now: DateTime<Utc>) -> Outcome<String> {
    let mut page = String::new();
    migrate(url).await?;
    let db = Database::connect_lazily(DatabaseConfig::new(url));
    let mut conn = db.acquire().await?;
    // People whom nobody has met before, so that this may run again.
    let [ana, ben] = [person(&mut conn, now).await?, person(&mut conn, now).await?];
    write_posts(&db, ana.id, ben.id, now).await?;
    follow(&db, ben.id, ana.id, now).await?;
    let seen_by_ben = PostQuery::visible_to(Viewer::User(ben.id));

    // Part by part, each right behind the last entry of the one before, whatever is written meanwhile.
    let mut place = None;
    loop {
        let query = seen_by_ben.clone().by_author(ana.id).limit(Limit::parse(2)?);
        let query = match place {
            Some(place) => query.after(place),
            None => query.with_total(CountMode::UpTo(100)),
        };
        let part = conn.posts().list(query).await?;
        let total = part.total.map(in_words);
        writeln!(page, "newest: {}{}", words(&part), total.unwrap_or_default())?;
        place = part.next;
        if place.is_none() {
            break;
        }
    }

    // Other orders, and narrower. What no index answers in that order does not compile.
    let best = conn.posts().list(seen_by_ben.clone().by_author(ana.id).by_rank()).await?;
    writeln!(page, "best: {}", words(&best))?;
    let daily = seen_by_ben.clone().by_author(ana.id).of_type(PostType::Daily);
    writeln!(page, "daily: {}", words(&conn.posts().list(daily).await?))?;
    let followed = conn.posts().list(seen_by_ben.by_followed().limit(Limit::parse(1)?)).await?;
    writeln!(page, "of those he follows: {}", words(&followed))?;

    // Her own list has what is for her alone, too.
    let own = PostQuery::visible_to(Viewer::User(ana.id)).by_author(ana.id).limit(Limit::MAX);
    writeln!(page, "her own: {} posts", conn.posts().list(own).await?.items.len())?;

    // People are lists as well.
    let followers =
        FollowQuery::visible_to(ana.id).followers_of(ana.id).with_total(CountMode::Estimated);
    let followers = conn.follows().list(followers).await?;
    let known = UserQuery::visible_to(Viewer::User(ben.id)).with_ids(&[ana.id, ben.id]);
    let known = conn.users().list(known.by_username()).await?;
    let total = followers.total.map(in_words).unwrap_or_default();
    writeln!(
        page,
        "her followers: {}{total}; known: {}",
        followers.items.len(),
        known.items.len()
    )?;

    // What is shown beside the entries of a list is read for all of them at once, however many there are.
    let (beside, log) = QueryLog::record(async {
        let posts: Vec<_> = best.items.iter().map(|seen| seen.post.id).collect();
        let newest = Limit::parse(1)?;
        let each = conn
            .posts()
            .list_by_each_author(Viewer::User(ben.id), &[ana.id, ben.id], newest)
            .await?;
        let standing = conn.posts().find_viewer_engagement(ben.id, &posts).await?;
        Ok::<_, Box<dyn Error + Send + Sync>>((each.len(), standing.len()))
    })
    .await;
    let (writers, standings) = beside?;
    writeln!(
        page,
        "{} statements tell who of two has written ({writers}), and how he stands with {standings} posts",
        log.total()
    )?;
    Ok(page)
}

/// All of them in one transaction, with the numbers of their author; then a heart for one of them.
async fn write_posts(db: &Database, ana: UserId, ben: UserId, now: DateTime<Utc>) -> Outcome<()> {
    let posts = [
        post(ana, "Bread", PostType::Daily, Visibility::Public, now)?,
        post(ana, "Rain", PostType::Spontaneous, Visibility::Public, now + TimeDelta::minutes(1))?,
        post(ana, "A secret", PostType::Daily, Visibility::Private, now + TimeDelta::minutes(2))?,
        post(ana, "Snow", PostType::Spontaneous, Visibility::Public, now + TimeDelta::minutes(3))?,
    ];
    let [_, rain, ..] = &posts;
    let like = NewHeart { id: Uuid::now_v7().into(), user: ben, post: rain.id, at: now };
    db.transaction(async |tx| {
        tx.posts().insert_many(&posts).await?;
        tx.hearts().add(&like).await
    })
    .await?;
    Ok(())
}

fn post(
    author: UserId,
    words: &str,
    post_type: PostType,
    visibility: Visibility,
    at: DateTime<Utc>,
) -> Outcome<Post> {
    let draft = Draft {
        title: None,
        content: Content::parse(words, post_type)?,
        post_type,
        image_url: None,
        location: None,
        visibility,
    };
    Ok(Post::publish(Uuid::now_v7().into(), author, draft, at))
}

/// The rows of both are locked before the edge between them, so that what it is does not change meanwhile.
async fn follow(db: &Database, who: UserId, whom: UserId, now: DateTime<Utc>) -> Result<()> {
    db.transaction(async |tx| {
        tx.users().lock_all(&[who, whom], UserLock::ForFollows).await?;
        let before = tx.follows().find_relationship(who, whom).await?.outgoing;
        let follow = Follow {
            id: Uuid::now_v7().into(),
            follower: who,
            followed: whom,
            state: FollowState::Active,
            created_at: now,
        };
        tx.follows().set_state(before, &follow).await?;
        Ok(())
    })
    .await
}

fn words<P>(part: &Page<PostForViewer, P>) -> String {
    let words: Vec<_> = part.items.iter().map(|it| it.post.draft.content.as_str()).collect();
    words.join(", ")
}

fn in_words(total: Total) -> String {
    match total {
        Total::Exactly(number) => format!(" ({number} in all)"),
        Total::MoreThan(number) => format!(" (more than {number})"),
        Total::About(number) => format!(" (about {number})"),
    }
}

async fn person(conn: &mut Connection, now: DateTime<Utc>) -> Outcome<User> {
    let name = format!("person_{}", Uuid::now_v7().simple());
    let new = NewUser {
        username: Username::parse(&name)?,
        email: Email::parse(&format!("{name}@example.org"))?,
        // No password has this hash: nobody signs in here.
        password: PasswordHash::from("!".to_owned()),
        created_at: now,
    };
    Ok(conn.users().insert(&new).await?)
}
