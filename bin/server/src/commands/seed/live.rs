//! `grateful seed --live`: the users of the dataset go on acting, through the use cases.

use std::collections::HashMap;
use std::fmt;
use std::io::Write as _;

use anyhow::ensure;
use chrono::DateTime;
use grateful_application::{App, Error, Result, comments, feed, follows, hearts, posts, reactions};
use grateful_domain::{Limit, PageRequest, Post, UserId, Viewer};
use grateful_seed::{LiveActKind, LiveActs, LiveEngagement, email_of, username_of};
use grateful_storage::Repositories as _;
use tokio::time::MissedTickBehavior;

use crate::commands::shutdown_signal::ShutdownSignal;
use crate::config::SeedArgs;

/// The maximum number of users who act. In a larger dataset the first ones do.
const MAX_USERS: usize = 1_000;

/// Finds the users of the dataset who exist, by name and email address: an account that only has the name belongs to
/// another person.
pub(super) async fn find_users(app: &App, args: &SeedArgs) -> anyhow::Result<Vec<UserId>> {
    let mut conn = app.db.acquire().await?;
    let mut found = Vec::new();
    for index in 0..args.size().users.min(MAX_USERS) {
        let username = username_of(args.seed, index);
        let user = conn.users().find_by_username(username.as_str()).await?;
        found.extend(user.filter(|user| user.email == email_of(&username)).map(|user| user.id));
    }
    Ok(found)
}

/// Performs acts at the requested rate until a signal arrives or the requested number is reached. An act that has begun
/// is completed.
pub(super) async fn run(app: &App, args: &SeedArgs) -> anyhow::Result<()> {
    let mut shutdown = ShutdownSignal::listen()?;
    let users = find_users(app, args).await?;
    ensure!(!users.is_empty(), "no user of this dataset has the generated email address any more");
    let newest = newest_posts(app, Viewer::Guest).await?;
    let newest = newest.first().map_or(DateTime::UNIX_EPOCH, |post| post.created_at);
    let acts = LiveActs::new(args.seed, users.len(), newest);
    print_line(&format!("live users: {}, one act every {:?}", users.len(), args.interval()))?;

    let mut interval = tokio::time::interval(args.interval());
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut counts = Counts::default();
    for act in acts.take(args.acts.unwrap_or(usize::MAX)) {
        tokio::select! {
            _ = interval.tick() => (),
            () = shutdown.wait() => break,
        }
        counts.add(perform(app, users[act.user], act.kind).await);
    }
    print_line(&counts.to_string())
}

/// What an act did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Outcome {
    Post,
    Heart,
    Reaction,
    Comment,
    Follow,
    /// No post has the rank.
    Nothing,
}

async fn perform(app: &App, user: UserId, act: LiveActKind) -> Result<Outcome> {
    let (rank, with) = match act {
        LiveActKind::Publish(draft) => {
            posts::create(app, user, draft, None, |_| Vec::new()).await?;
            return Ok(Outcome::Post);
        }
        LiveActKind::Engage { rank, with } => (rank, with),
    };
    let newest = newest_posts(app, Viewer::User(user)).await?;
    let of_others = newest.into_iter().filter(|post| post.author != user);
    let Some(post) = of_others.take(rank + 1).last() else { return Ok(Outcome::Nothing) };
    engage(app, user, &post, with).await
}

async fn engage(app: &App, user: UserId, post: &Post, with: LiveEngagement) -> Result<Outcome> {
    Ok(match with {
        LiveEngagement::Heart => {
            hearts::add(app, user, post.id).await?;
            Outcome::Heart
        }
        LiveEngagement::Reaction(emoji) => {
            reactions::set(app, user, post.id, emoji).await?;
            Outcome::Reaction
        }
        LiveEngagement::Comment(text) => {
            let draft = comments::CommentDraft { post: post.id, parent: None, text };
            comments::create(app, user, draft, None, |_| Vec::new()).await?;
            Outcome::Comment
        }
        LiveEngagement::FollowAuthor => {
            follows::follow(app, user, post.author).await?;
            Outcome::Follow
        }
    })
}

/// More public posts than there are ranks: a user's own posts have none.
async fn newest_posts(app: &App, viewer: Viewer) -> Result<Vec<Post>> {
    let page = feed::list_newest(app, viewer, PageRequest::first(Limit::MAX)).await?;
    Ok(page.items.into_iter().map(|item| item.post).collect())
}

/// How often acts had each outcome.
#[derive(Debug, Default)]
struct Counts {
    done: HashMap<Outcome, u64>,
    refused: u64,
    failed: u64,
}

impl Counts {
    /// Counts an act, and logs a failure that is not the user's. The next act tries again.
    fn add(&mut self, result: Result<Outcome>) {
        match result {
            Ok(outcome) => *self.done.entry(outcome).or_default() += 1,
            Err(error @ (Error::Unavailable(_) | Error::Contended(_) | Error::Internal(_))) => {
                self.failed += 1;
                let error = format!("{:#}", anyhow::Error::from(error));
                tracing::warn!(error, "An act of a live user failed");
            }
            // The user has hearted this post before, follows the author, or is blocked.
            Err(_) => self.refused += 1,
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = [
            (Outcome::Post, "posts"),
            (Outcome::Heart, "hearts"),
            (Outcome::Reaction, "emoji reactions"),
            (Outcome::Comment, "comments"),
            (Outcome::Follow, "follows"),
        ];
        for (kind, label) in kinds {
            let count = self.done.get(&kind).copied().unwrap_or_default();
            write!(f, "{count} {label}, ")?;
        }
        write!(f, "{} refused as repeated, {} failed", self.refused, self.failed)
    }
}

/// Prints a line at once, also to a pipe.
fn print_line(line: &str) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{line}")?;
    Ok(stdout.flush()?)
}
