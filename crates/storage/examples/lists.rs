//! Lists: for which viewer, with which filters, in which order, with pages and totals.
//!
//! `DATABASE_URL=postgresql://… cargo run -p grateful-storage --example lists`, with a test database.
#![expect(clippy::disallowed_methods, reason = "an example uses the system clock")]

use std::env;
use std::error::Error;
use std::fmt::Write as _;
use std::time::SystemTime;

use chrono::{DateTime, TimeDelta, Utc};
use grateful_domain::{
    Content, Draft, Email, Follow, FollowState, Limit, Page, PageRequest, PageStart, PasswordHash,
    Post, PostForViewer, PostType, Total, User, UserId, Username, Viewer, Visibility,
};
use grateful_storage::{
    Connection, Database, DatabaseConfig, FollowQuery, NewHeart, NewUser, PostQuery, QueryLog,
    Repositories, Result, UserQuery, migrate,
};
use uuid::Uuid;

type ExampleResult<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main]
async fn main() -> ExampleResult<()> {
    let url =
        env::var("DATABASE_URL").map_err(|_| "set DATABASE_URL to the URL of a test database")?;
    print!("{}", run(&url, SystemTime::now().into()).await?);
    Ok(())
}

/// Ana has written a few posts, one of them private. Ben follows her.
pub(crate) async fn run(url: &str, now: DateTime<Utc>) -> ExampleResult<String> {
    let mut output = String::new();
    migrate(url).await?;
    let db = Database::connect_lazily(DatabaseConfig::new(url));
    let mut conn = db.acquire().await?;
    // New users on every run, so that the example can run repeatedly.
    let [ana, ben] = [create_user(&mut conn, now).await?, create_user(&mut conn, now).await?];
    write_posts(&db, ana.id, ben.id, now).await?;
    follow(&db, ben.id, ana.id, now).await?;
    let by_ana = PostQuery::visible_to(Viewer::User(ben.id)).by_author(ana.id);

    // Page by page: each starts after the last item of the previous one, even if posts are added in the meantime.
    let first = PageRequest::first(Limit::parse(2)?);
    let page = conn.posts().list(by_ana.clone().page(first).with_total(100)).await?;
    let total = page.total.map(format_total).unwrap_or_default();
    writeln!(output, "newest: {}{total}", contents(&page))?;
    let mut next = page.next;
    while let Some(position) = next {
        let following = PageRequest { start: PageStart::After(position), ..first };
        let page = conn.posts().list(by_ana.clone().page(following)).await?;
        writeln!(output, "then: {}", contents(&page))?;
        next = page.next;
    }
    let until_rain = by_ana.clone().until(now + TimeDelta::minutes(1));
    writeln!(output, "before the rain: {}", contents(&conn.posts().list(until_rain).await?))?;

    // Ana's list of her own posts includes the private one.
    let own = PostQuery::visible_to(Viewer::User(ana.id)).by_author(ana.id);
    writeln!(output, "her own: {} posts", conn.posts().list(own).await?.items.len())?;

    // Follows and users are listed in the same way.
    let followers = FollowQuery::visible_to(ana.id).followers_of(ana.id).with_total(100);
    let followers = conn.follows().list(followers).await?;
    let members = conn.users().list(UserQuery::visible_to(Viewer::User(ben.id))).await?;
    let newest = members.items.first().is_some_and(|member| member.author.id == ben.id);
    let total = followers.total.map(format_total).unwrap_or_default();
    writeln!(output, "her followers: {}{total}", followers.items.len())?;
    writeln!(output, "the newest member is Ben: {newest}")?;

    // The newest posts of several authors are loaded at once.
    let authors = [ana.id, ben.id];
    let (viewer, limit) = (Viewer::User(ben.id), Limit::parse(2)?);
    let mut posts = conn.posts();
    let (newest, log) = QueryLog::record(posts.list_by_each_author(viewer, &authors, limit)).await;
    let newest = newest?[&ana.id].len();
    writeln!(output, "{} statements for the newest {newest} posts of each author", log.total())?;
    Ok(output)
}

/// Inserts all posts in one transaction, which also updates the author's counters, and adds a heart to one of them.
async fn write_posts(
    db: &Database,
    ana: UserId,
    ben: UserId,
    now: DateTime<Utc>,
) -> ExampleResult<()> {
    let posts = [
        post(ana, "Bread", PostType::Daily, Visibility::Public, now)?,
        post(ana, "Rain", PostType::Spontaneous, Visibility::Public, now + TimeDelta::minutes(1))?,
        post(ana, "A secret", PostType::Daily, Visibility::Private, now + TimeDelta::minutes(2))?,
        post(ana, "Snow", PostType::Spontaneous, Visibility::Public, now + TimeDelta::minutes(3))?,
    ];
    let [_, rain, ..] = &posts;
    let heart = NewHeart { id: Uuid::now_v7().into(), user: ben, post: rain.id, at: now };
    db.transaction(async |tx| {
        tx.posts().insert_many(&posts).await?;
        tx.hearts().add(&[heart]).await
    })
    .await?;
    Ok(())
}

fn post(
    author: UserId,
    content: &str,
    post_type: PostType,
    visibility: Visibility,
    at: DateTime<Utc>,
) -> ExampleResult<Post> {
    let draft = Draft {
        title: None,
        content: Content::parse(content, post_type)?,
        post_type,
        image_url: None,
        location: None,
        visibility,
    };
    Ok(Post::publish(Uuid::now_v7().into(), author, draft, at))
}

/// Locks the rows of both users before the follow, so that its state does not change in between.
async fn follow(
    db: &Database,
    follower: UserId,
    followed: UserId,
    now: DateTime<Utc>,
) -> Result<()> {
    db.transaction(async |tx| {
        tx.users().lock_all(&[follower, followed]).await?;
        let before = tx.follows().find_relationship(follower, followed).await?.outgoing;
        let follow = Follow {
            id: Uuid::now_v7().into(),
            follower,
            followed,
            state: FollowState::Active,
            created_at: now,
        };
        tx.follows().set_states(&[(before, follow)]).await?;
        Ok(())
    })
    .await
}

fn contents(page: &Page<PostForViewer>) -> String {
    let contents: Vec<_> = page.items.iter().map(|item| item.post.draft.content.as_str()).collect();
    contents.join(", ")
}

fn format_total(total: Total) -> String {
    match total {
        Total::Exactly(number) => format!(" ({number} in all)"),
        Total::MoreThan(number) => format!(" (more than {number})"),
    }
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
