//! The `emoji_reactions` table, and the reaction counters of posts.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use grateful_domain::notification::{Act, Cause};
use grateful_domain::{
    Emoji, EmojiCount, Page, PageRequest, Position, PostId, Reaction, ReactionId, UserId,
};
use uuid::Uuid;

use super::engagement::{deletion, insertion, lock_posts};
use crate::query::{not_hidden, paginate, statement};
use crate::rows::{AuthorRow, emoji_from_code};
use crate::schema::{emoji_reactions, users};
use crate::{Connection, ReadConnection, Result};

/// The repository of emoji reactions.
pub struct EmojiReactions<'c, C = Connection> {
    pub(super) conn: &'c mut C,
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
    /// The user who reacted.
    pub user: UserId,
    /// The post.
    pub post: PostId,
    /// When the user first reacted.
    pub created_at: DateTime<Utc>,
    /// Whether the reaction was inserted rather than changed.
    pub is_new: bool,
}

impl<C: ReadConnection> EmojiReactions<'_, C> {
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
            .order((emoji_reactions::created_at.desc(), emoji_reactions::id.desc()));
        let rows: Vec<(Uuid, String, DateTime<Utc>, AuthorRow)> =
            paginate(query, page, emoji_reactions::created_at, emoji_reactions::id)
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

impl EmojiReactions<'_> {
    /// Sets the emoji of users on posts, at most one for each pair. Replaces an earlier emoji, or inserts and counts the
    /// reaction. Skips posts that do not exist or are another user's private posts.
    ///
    /// # Errors
    /// `ForeignKeyViolation` with `emoji_reactions_user_id_fkey` if one of the users does not exist. Then no emoji is set.
    pub async fn set(&mut self, reactions: &[NewReaction]) -> Result<Vec<SavedReaction>> {
        let upsert = UpsertReactions {
            ids: reactions.iter().map(|new| new.id.into()).collect(),
            user_ids: reactions.iter().map(|new| new.user.into()).collect(),
            post_ids: reactions.iter().map(|new| new.post.into()).collect(),
            emoji: reactions.iter().map(|new| new.emoji.code()).collect(),
            times: reactions.iter().map(|new| new.at).collect(),
        };
        let rows: Vec<(Uuid, i64, Uuid, DateTime<Utc>, bool)> = upsert.load(self.conn).await?;
        let saved = |(id, user, post, created_at, is_new): (Uuid, i64, Uuid, _, _)| SavedReaction {
            id: id.into(),
            user: user.into(),
            post: post.into(),
            created_at,
            is_new,
        };
        Ok(rows.into_iter().map(saved).collect())
    }

    /// Removes the reactions of these users to these posts and their counts, regardless of who can see the posts. Returns the
    /// causes of the notifications of those that existed.
    pub async fn remove(&mut self, reactions: &[(UserId, PostId)]) -> Result<Vec<Cause>> {
        let (user_ids, post_ids) = lock_posts(self.conn, reactions).await?;
        let delete = DeleteReactions { user_ids, post_ids };
        let rows: Vec<(i64, Uuid, i64)> = delete.load(self.conn).await?;
        let cause = |(user, post, author): (i64, Uuid, i64)| {
            let act = Act::Reaction { post: post.into() };
            Cause { recipient: author.into(), actor: user.into(), act }
        };
        Ok(rows.into_iter().map(cause).collect())
    }
}

statement! {
    /// Counts only what was inserted: `xmax` is zero in an inserted row.
    UpsertReactions {
        ids: Vec<Uuid> as Array<SqlUuid>,
        user_ids: Vec<i64> as Array<BigInt>,
        post_ids: Vec<Uuid> as Array<SqlUuid>,
        emoji: Vec<&'static str> as Array<Text>,
        times: Vec<DateTime<Utc>> as Array<Timestamptz>,
    } -> (SqlUuid, BigInt, SqlUuid, Timestamptz, Bool),
    insertion(
        "= ANY (:post_ids)",
        "changed AS (
            INSERT INTO emoji_reactions (id, user_id, post_id, emoji_code, created_at)
            SELECT reaction.* FROM unnest(:ids, :user_ids, :post_ids, :emoji, :times)
                AS reaction (id, user_id, post_id, emoji_code, created_at)
            JOIN post ON post.id = reaction.post_id AND (post.is_public OR post.author_id = reaction.user_id)
            ON CONFLICT (user_id, post_id) DO UPDATE SET emoji_code = excluded.emoji_code
            RETURNING id, user_id, post_id, created_at, xmax = 0 AS is_new
        )",
        ["reactions_count", "count(*) FILTER (WHERE is_new)"],
        "SELECT id, user_id, post_id, created_at, is_new FROM changed",
    )
}

statement! {
    /// The posts are locked.
    DeleteReactions {
        user_ids: Vec<i64> as Array<BigInt>,
        post_ids: Vec<Uuid> as Array<SqlUuid>,
    } -> (BigInt, SqlUuid, BigInt),
    deletion(
        "emoji_reactions",
        "(user_id, post_id) IN (SELECT * FROM unnest(:user_ids, :post_ids))",
        ["reactions_count", "count(*)"],
        "SELECT changed.user_id, changed.post_id, counted.author_id
        FROM changed JOIN counted ON counted.id = changed.post_id",
    )
}
