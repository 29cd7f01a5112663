//! The `emoji_reactions` table, and the reaction counters of posts.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use grateful_domain::notification::{Act, Cause};
use grateful_domain::{
    Emoji, EmojiCount, Page, PageRequest, Position, PostId, Reaction, ReactionId, UserId,
};
use uuid::Uuid;

use super::posts::Posts;
use crate::query::{Direction, not_hidden, paginate, statement};
use crate::rows::{AuthorRow, emoji_from_code};
use crate::schema::{emoji_reactions, users};
use crate::{Connection, Result};

/// The repository of emoji reactions.
pub struct EmojiReactions<'c> {
    pub(super) conn: &'c mut Connection,
}

/// An emoji reaction to set.
#[derive(Debug, Clone, Copy)]
pub struct NewReaction {
    /// The id of the reaction. Not used if the user already has one on the post.
    pub id: ReactionId,
    /// The user who reacts.
    pub user: UserId,
    /// The post.
    pub post: PostId,
    /// The emoji.
    pub emoji: Emoji,
    /// When the user reacts.
    pub at: DateTime<Utc>,
}

/// A reaction as stored after [`EmojiReactions::set`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SavedReaction {
    /// The id of the reaction. Changing the emoji keeps it.
    pub id: ReactionId,
    /// When the user first reacted.
    pub created_at: DateTime<Utc>,
    /// Whether the reaction was inserted rather than changed.
    pub is_new: bool,
}

impl EmojiReactions<'_> {
    /// Sets a user's emoji on a post. Replaces an earlier emoji, or inserts and counts the reaction. Returns `None` if the
    /// post does not exist or is another user's private post.
    ///
    /// # Errors
    /// `ForeignKeyViolation` with `emoji_reactions_user_id_fkey` if the user does not exist.
    pub async fn set(&mut self, new: &NewReaction) -> Result<Option<SavedReaction>> {
        let upsert = UpsertReaction {
            id: new.id.into(),
            user: new.user.into(),
            post: new.post.into(),
            emoji: new.emoji.code(),
            at: new.at,
        };
        let row: Option<(Uuid, DateTime<Utc>, bool)> =
            upsert.get_result(self.conn).await.optional()?;
        Ok(row.map(|(id, created_at, is_new)| SavedReaction { id: id.into(), created_at, is_new }))
    }

    /// Removes a user's reaction and its count, regardless of who can see the post. Returns the author of the post, or
    /// `None` if there was no reaction.
    ///
    /// Locks the post first, like [`Hearts::remove`](crate::Hearts::remove).
    pub async fn remove(&mut self, user: UserId, post: PostId) -> Result<Option<UserId>> {
        Posts { conn: self.conn }.lock_rows(&[post.into()]).await?;
        let delete = DeleteReaction { user: user.into(), post: post.into() };
        let post_author: Option<i64> = delete.get_result(self.conn).await.optional()?;
        Ok(post_author.map(UserId::from))
    }

    /// Deletes up to `limit` reactions of a user, and their counts. Returns their causes, like
    /// [`Hearts::delete_batch_of`](crate::Hearts::delete_batch_of).
    pub async fn delete_batch_of(&mut self, user: UserId, limit: i64) -> Result<Vec<Cause>> {
        let posts: Vec<Uuid> = emoji_reactions::table
            .filter(emoji_reactions::user_id.eq(i64::from(user)))
            .select(emoji_reactions::post_id)
            .limit(limit)
            .load(self.conn)
            .await?;
        if posts.is_empty() {
            return Ok(vec![]);
        }
        let authors = Posts { conn: self.conn }.lock_rows(&posts).await?;
        DeleteReactionsBatch { user: user.into(), posts }.execute(self.conn).await?;
        let cause =
            |(post, recipient)| Cause { recipient, actor: user, act: Act::Reaction { post } };
        Ok(authors.into_iter().map(cause).collect())
    }

    /// Lists the reactions to a post, newest first, without users with a block to or from the viewer.
    pub async fn list(
        &mut self,
        viewer: UserId,
        post: PostId,
        page: PageRequest,
    ) -> Result<Page<Reaction>> {
        let query = emoji_reactions::table
            .inner_join(users::table)
            .filter(emoji_reactions::post_id.eq(Uuid::from(post)))
            .filter(not_hidden(Some(viewer.into()), emoji_reactions::user_id))
            .select((
                emoji_reactions::id,
                emoji_reactions::emoji_code,
                emoji_reactions::created_at,
                AuthorRow::as_select(),
            ))
            .order((emoji_reactions::created_at.desc(), emoji_reactions::id.desc()))
            .into_boxed();
        let rows: Vec<(Uuid, String, DateTime<Utc>, AuthorRow)> = paginate(
            query,
            page,
            emoji_reactions::created_at,
            emoji_reactions::id,
            Direction::NewestFirst,
        )
        .load(self.conn)
        .await?;
        let reactions = rows.into_iter().map(|(id, code, created_at, user)| {
            let emoji = emoji_from_code(&code)?;
            Ok(Reaction { id: id.into(), post, user: user.into(), emoji, created_at })
        });
        let reactions = reactions.collect::<Result<Vec<_>>>()?;
        Ok(Page::from_overfetch(reactions, page.limit, |reaction| Position {
            at: reaction.created_at,
            id: reaction.id.into(),
        }))
    }

    /// Counts the reactions to each of these posts by emoji, in one statement.
    pub async fn count_by_emoji(
        &mut self,
        posts: &[PostId],
    ) -> Result<HashMap<PostId, Vec<EmojiCount>>> {
        let ids: Vec<Uuid> = posts.iter().copied().map(Uuid::from).collect();
        let rows: Vec<(Uuid, String, i64)> = emoji_reactions::table
            .filter(emoji_reactions::post_id.eq_any(ids))
            .group_by((emoji_reactions::post_id, emoji_reactions::emoji_code))
            .select((emoji_reactions::post_id, emoji_reactions::emoji_code, count_star()))
            .load(self.conn)
            .await?;
        let mut counts: HashMap<PostId, Vec<EmojiCount>> = HashMap::new();
        for (post, code, count) in rows {
            let emoji = emoji_from_code(&code)?;
            counts.entry(post.into()).or_default().push(EmojiCount { emoji, count });
        }
        Ok(counts)
    }
}

statement! {
    /// Locks the post before the reaction, and counts only what was inserted: `xmax` is zero in an inserted row.
    UpsertReaction {
        id: Uuid as SqlUuid,
        user: i64 as BigInt,
        post: Uuid as SqlUuid,
        emoji: &'static str as Text,
        at: DateTime<Utc> as Timestamptz,
    } -> (SqlUuid, Timestamptz, Bool),
    "WITH post AS MATERIALIZED (
        SELECT id FROM posts WHERE id = :post AND (is_public OR author_id = :user) FOR NO KEY UPDATE
    ), made AS (
        INSERT INTO emoji_reactions (id, user_id, post_id, emoji_code, created_at)
        SELECT :id, :user, id, :emoji, :at FROM post
        ON CONFLICT (user_id, post_id) DO UPDATE SET emoji_code = excluded.emoji_code
        RETURNING id, post_id, created_at, xmax = 0 AS is_new
    ), counted AS (
        UPDATE posts SET reactions_count = reactions_count + 1
        FROM made WHERE posts.id = made.post_id AND made.is_new
    )
    SELECT id, created_at, is_new FROM made"
}

statement! {
    /// The post is locked.
    DeleteReaction { user: i64 as BigInt, post: Uuid as SqlUuid } -> BigInt,
    "WITH gone AS (
        DELETE FROM emoji_reactions WHERE post_id = :post AND user_id = :user RETURNING post_id
    )
    UPDATE posts SET reactions_count = reactions_count - 1 FROM gone WHERE posts.id = gone.post_id
    RETURNING author_id"
}

statement! {
    /// The posts are locked.
    DeleteReactionsBatch { user: i64 as BigInt, posts: Vec<Uuid> as Array<SqlUuid> } -> Integer,
    "WITH gone AS (
        DELETE FROM emoji_reactions WHERE user_id = :user AND post_id = ANY (:posts) RETURNING post_id
    )
    UPDATE posts SET reactions_count = reactions_count - 1 FROM gone WHERE posts.id = gone.post_id"
}
