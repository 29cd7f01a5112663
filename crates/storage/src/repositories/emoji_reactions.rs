//! The `emoji_reactions` table: emoji on posts, and their number.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::dsl::{count_star, not};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use grateful_domain::{
    Emoji, EmojiCount, Page, PageRequest, Position, PostId, Reaction, ReactionId, UserId,
};
use uuid::Uuid;

use crate::query::{Direction, blocked_by, blockers_of, paginate_by_time, statement};
use crate::rows::{AuthorRow, emoji_from_code};
use crate::schema::{emoji_reactions, users};
use crate::{Connection, Result};

/// Emoji reactions, as seen through one connection.
pub struct EmojiReactions<'c> {
    pub(super) conn: &'c mut Connection,
}

/// An emoji that is about to be left.
#[derive(Debug, Clone, Copy)]
pub struct NewReaction {
    /// Its id, should it be this person's first on the post.
    pub id: ReactionId,
    /// Whose.
    pub user: UserId,
    /// On what.
    pub post: PostId,
    /// Which.
    pub emoji: Emoji,
    /// When.
    pub at: DateTime<Utc>,
}

/// What came of leaving an emoji.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SavedReaction {
    /// The reaction's id, which a change of mind keeps.
    pub id: ReactionId,
    /// When the first one was left.
    pub created_at: DateTime<Utc>,
    /// Whether this is the first.
    pub is_new: bool,
}

impl EmojiReactions<'_> {
    /// Leaves an emoji on a post, in place of an earlier one by the same person; counts the first. Nothing where the post
    /// is gone or not theirs to see.
    ///
    /// # Errors
    /// `Missing` where whoever leaves it is gone, by `emoji_reactions_user_id_fkey`.
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

    /// Takes an emoji back and counts it no more. Tells whether there was one.
    pub async fn remove(&mut self, user: UserId, post: PostId) -> Result<bool> {
        let delete = DeleteReaction { user: user.into(), post: post.into() };
        Ok(delete.get_result::<i32>(self.conn).await.optional()?.is_some())
    }

    /// Takes back up to `limit` of this person's emoji, whatever they were left on. Tells how many there were.
    pub async fn delete_batch_of(&mut self, user: UserId, limit: i64) -> Result<i64> {
        let delete = DeleteReactionsBatch { user: user.into(), limit };
        Ok(delete.get_result(self.conn).await?)
    }

    /// The emoji on a post and who left them, newest first, nobody across a block.
    pub async fn list(
        &mut self,
        viewer: UserId,
        post: PostId,
        page: PageRequest,
    ) -> Result<Page<Reaction>> {
        let query = emoji_reactions::table
            .inner_join(users::table)
            .filter(emoji_reactions::post_id.eq(Uuid::from(post)))
            .filter(not(emoji_reactions::user_id.eq_any(blockers_of(viewer.into()))))
            .filter(not(emoji_reactions::user_id.eq_any(blocked_by(viewer.into()))))
            .select((
                emoji_reactions::id,
                emoji_reactions::emoji_code,
                emoji_reactions::created_at,
                AuthorRow::as_select(),
            ))
            .order((emoji_reactions::created_at.desc(), emoji_reactions::id.desc()))
            .into_boxed();
        let rows: Vec<(Uuid, String, DateTime<Utc>, AuthorRow)> =
            paginate_by_time(query, page, "emoji_reactions.created_at", Direction::Descending)
                .load(self.conn)
                .await?;
        let reactions = rows.into_iter().map(|(id, code, created_at, by)| {
            let emoji = emoji_from_code(&code)?;
            Ok(Reaction { id: id.into(), post, by: by.into(), emoji, created_at })
        });
        let reactions = reactions.collect::<Result<Vec<_>>>()?;
        Ok(Page::from_overfetch(reactions, page.limit, |reaction| Position {
            at: reaction.created_at,
            id: reaction.id.into(),
        }))
    }

    /// How many times each emoji was left on each of these posts, in one statement.
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
    /// Locks the post before it touches anything below it, and counts what was really inserted: `xmax` is zero in a row
    /// that is new.
    UpsertReaction(
        id: Uuid as SqlUuid,
        user: i64 as BigInt,
        post: Uuid as SqlUuid,
        emoji: &'static str as Text,
        at: DateTime<Utc> as Timestamptz
    ) -> (SqlUuid, Timestamptz, Bool) {
        "post AS MATERIALIZED (
            SELECT id FROM posts WHERE id = $3 AND (is_public OR author_id = $2) FOR NO KEY UPDATE
        ), made AS (
            INSERT INTO emoji_reactions (id, user_id, post_id, emoji_code, created_at)
            SELECT $1, $2, id, $4, $5 FROM post
            ON CONFLICT (user_id, post_id) DO UPDATE SET emoji_code = excluded.emoji_code
            RETURNING id, post_id, created_at, xmax = 0 AS is_new
        ), counted AS (
            UPDATE posts SET reactions_count = reactions_count + 1
            FROM made WHERE posts.id = made.post_id AND made.is_new
        )
        SELECT id, created_at, is_new FROM made"
    }
}

statement! {
    /// As [`UpsertReaction`], the other way round.
    DeleteReaction(user: i64 as BigInt, post: Uuid as SqlUuid) -> Integer {
        "post AS MATERIALIZED (
            SELECT id FROM posts WHERE id = $2 AND (is_public OR author_id = $1) FOR NO KEY UPDATE
        ), gone AS (
            DELETE FROM emoji_reactions USING post
            WHERE emoji_reactions.post_id = post.id AND emoji_reactions.user_id = $1
            RETURNING emoji_reactions.post_id
        )
        UPDATE posts SET reactions_count = reactions_count - 1 FROM gone WHERE posts.id = gone.post_id
        RETURNING reactions_count"
    }
}

statement! {
    /// Locks the posts by id, so that two such statements do not wait for each other.
    DeleteReactionsBatch(user: i64 as BigInt, limit: i64 as BigInt) -> BigInt {
        "part AS MATERIALIZED (
            SELECT id, post_id FROM emoji_reactions WHERE user_id = $1 LIMIT $2
        ), post AS MATERIALIZED (
            SELECT id FROM posts WHERE id IN (SELECT post_id FROM part) ORDER BY id FOR NO KEY UPDATE
        ), gone AS (
            DELETE FROM emoji_reactions USING part, post
            WHERE emoji_reactions.id = part.id AND part.post_id = post.id
            RETURNING emoji_reactions.post_id
        ), counted AS (
            UPDATE posts SET reactions_count = reactions_count - 1 FROM gone WHERE posts.id = gone.post_id
        )
        SELECT count(*) FROM gone"
    }
}
