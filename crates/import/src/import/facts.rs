//! The first pass: what the mending of one row has to know of others.

use chrono::{DateTime, Utc};
use grateful_domain::{Engagement, FollowState, Preferences, find_mentions};
use serde_json::Value;

use super::{CHUNK, ImportSettings, Observer, Progress};
use crate::engagement::{
    LastPair, OldComment, OldReaction, OldShare, SharesSoFar, mend_comment, mend_heart,
    mend_reaction, mend_share,
};
use crate::error::ImportError;
use crate::follows::{self, OldFollow};
use crate::ids;
use crate::naming::Accounts;
use crate::posts::{self, OldPost};
use crate::profile;
use crate::report::Notes;
use crate::source::{FromRow, OldHeart, Order, Source};
use crate::users::OldUser;
use crate::world::{CommentFacts, Pictures, PostFacts, PostMention, UserFacts, World};

/// Collects the facts.
pub(super) async fn collect(
    source: &Source,
    pictures: Pictures,
    settings: ImportSettings,
    observer: &mut dyn Observer,
) -> Result<World, ImportError> {
    let ImportSettings { now, retention } = settings;
    let retained_since = now - retention;
    let mut world = World { now, retained_since, pictures, ..World::default() };
    let mut facts = Facts { source, observer, world: &mut world };
    facts.users().await?;
    facts.follows().await?;
    for row in source.earliest_answers().await? {
        facts.world.earliest_answers.insert(row.get(0), row.get::<_, DateTime<Utc>>(1));
    }
    facts.posts().await?;
    facts.engagement().await?;
    facts.comments().await?;
    Ok(world)
}

struct Facts<'f> {
    source: &'f Source,
    observer: &'f mut dyn Observer,
    world: &'f mut World,
}

impl Facts<'_> {
    /// Passes over a table.
    async fn each<R: FromRow>(
        &mut self,
        order: Order,
        mut take: impl FnMut(R, &mut World),
    ) -> Result<(), ImportError> {
        let (table, rows) = (R::TABLE.name(), self.source.rows(R::TABLE));
        self.observer.progress(Progress::Started { step: "reading", table, rows });
        let mut rows = self.source.stream::<R>(order).await?;
        loop {
            let chunk = rows.next::<R>(CHUNK).await?;
            if chunk.is_empty() {
                return Ok(());
            }
            self.observer.progress(Progress::Advanced(chunk.len() as u64));
            for row in chunk {
                take(row, self.world);
            }
        }
    }

    async fn users(&mut self) -> Result<(), ImportError> {
        let mut accounts = Vec::new();
        self.each(Order::Id, |old: OldUser, world| {
            let preferences = match profile::parse(old.preferences.as_deref()) {
                Some(Value::Object(preferences)) if preferences.contains_key("notifications") => {
                    Preferences::parse(preferences).ok().map(Box::new)
                }
                _ => None,
            };
            let created_at = old.created_at.unwrap_or(world.now).min(world.now);
            let facts = UserFacts { created_at, preferences, ..UserFacts::default() };
            world.users.insert(old.id, facts);
            accounts.push((old.id, old.username, old.email));
        })
        .await?;
        self.world.accounts = Accounts::assign(&accounts);
        Ok(())
    }

    /// The blocks first: they decide about the other edges.
    async fn follows(&mut self) -> Result<(), ImportError> {
        self.each(Order::Edge, |old: OldFollow, world| {
            if follows::state(&old.status) == Some(FollowState::Blocked) {
                world.blocks.insert((old.follower, old.followed));
            }
        })
        .await?;
        let mut last = None;
        self.each(Order::Edge, |old: OldFollow, world| {
            let pair = Some((old.follower, old.followed));
            if std::mem::replace(&mut last, pair) == pair {
                return;
            }
            let Ok(follow) = follows::mend(&old, world, &mut Notes::default()) else { return };
            let (follower, followed) = (old.follower, old.followed);
            match follow.state {
                FollowState::Active => {
                    change(world, follower, |facts| facts.following += 1);
                    change(world, followed, |facts| facts.followers += 1);
                }
                FollowState::Pending => {
                    change(world, followed, |facts| facts.awaited.push(follower));
                }
                FollowState::Blocked | FollowState::None => (),
            }
        })
        .await
    }

    async fn posts(&mut self) -> Result<(), ImportError> {
        self.each(Order::Id, |old: OldPost, world| {
            let id = ids::of_row(&old.id);
            let Ok(post) = posts::mend(&old, world, &mut Notes::default()) else {
                world.skipped_posts.insert(id);
                return;
            };
            let is_public = post.draft.visibility.is_public();
            let (author, created_at) = (old.author_id, post.created_at);
            let engagement = Engagement::default();
            world.posts.insert(id, PostFacts { author, created_at, is_public, engagement });
            change(world, author, |facts| {
                facts.posts += 1;
                facts.public_posts += i64::from(is_public);
            });
            if is_public {
                let names = find_mentions(post.draft.content.as_str());
                let users = names.iter().filter_map(|name| world.accounts.of_username(name));
                let others = users.filter(|user| *user != author);
                world.mentions.extend(others.map(|recipient| PostMention { recipient, post: id }));
            }
        })
        .await?;
        self.world.mentions.sort_unstable();
        self.world.mentions.dedup();
        Ok(())
    }

    async fn engagement(&mut self) -> Result<(), ImportError> {
        let order = Order::UserAndPost;
        let (mut last, mut notes) = (LastPair::default(), Notes::default());
        self.each(order, |old: OldHeart, world| {
            if mend_heart(&old.0, &mut last, world, &mut notes).is_ok() {
                count(world, &old.0.post_id, |engagement| &mut engagement.hearts);
            }
            notes = Notes::default();
        })
        .await?;
        let (mut last, mut notes) = (LastPair::default(), Notes::default());
        self.each(order, |old: OldReaction, world| {
            if mend_reaction(&old, &mut last, world, &mut notes).is_ok() {
                count(world, &old.post_id, |engagement| &mut engagement.reactions);
            }
            notes = Notes::default();
        })
        .await?;
        let mut so_far = SharesSoFar::default();
        self.each(order, |old: OldShare, world| {
            let share = mend_share(&old, &mut so_far, world, &mut Notes::default());
            if share.is_ok_and(|(_, is_counted)| is_counted) {
                count(world, &old.post_id, |engagement| &mut engagement.shares);
            }
        })
        .await
    }

    async fn comments(&mut self) -> Result<(), ImportError> {
        self.each(Order::Time, |old: OldComment, world| {
            let id = ids::of_row(&old.id);
            let Ok(comment) = mend_comment(&old, world, &mut Notes::default()) else {
                world.skipped_comments.insert(id);
                return;
            };
            let facts = CommentFacts { post: comment.post.into(), author: old.author_id };
            world.comments.insert(id, facts);
            count(world, &old.post_id, |engagement| &mut engagement.comments);
        })
        .await
    }
}

fn change(world: &mut World, user: i64, change: impl FnOnce(&mut UserFacts)) {
    if let Some(facts) = world.users.get_mut(&user) {
        change(facts);
    }
}

fn count(world: &mut World, post: &str, counter: impl FnOnce(&mut Engagement) -> &mut i32) {
    if let Some(facts) = world.posts.get_mut(&ids::of_row(post)) {
        *counter(&mut facts.engagement) += 1;
    }
}
