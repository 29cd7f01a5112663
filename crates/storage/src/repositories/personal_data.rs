//! What one person has done all over, in parts of bounded size, for their own copy of it.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use grateful_domain::{
    Comment, Emoji, Position, PostId, Recipients, Share, ShareDetails, ShareId, ShareMessage,
    UserId,
};
use uuid::Uuid;

use crate::query::statement;
use crate::rows::{CommentRow, emoji_from_code};
use crate::schema::{comments, emoji_reactions, likes};
use crate::{Connection, Result};

/// What somebody has done, as seen through one connection. Each part goes on behind the last entry of the one before, and
/// has up to [`PersonalData::BATCH_SIZE`] entries; an empty one is the end.
pub struct PersonalData<'c> {
    pub(super) conn: &'c mut Connection,
}

/// A heart that somebody gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeartRecord {
    /// To what.
    pub post: PostId,
    /// When.
    pub at: DateTime<Utc>,
}

/// An emoji that somebody left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReactionRecord {
    /// On what.
    pub post: PostId,
    /// Which.
    pub emoji: Emoji,
    /// When.
    pub at: DateTime<Utc>,
}

/// A post that somebody was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedShare {
    /// By which message.
    pub share: ShareId,
    /// Which post.
    pub post: PostId,
    /// By whom: their username.
    pub by: String,
    /// In which words.
    pub message: Option<ShareMessage>,
    /// When.
    pub at: DateTime<Utc>,
}

impl PersonalData<'_> {
    /// The most entries of a part.
    pub const BATCH_SIZE: i64 = 500;

    /// Hearts given, by post.
    pub async fn hearts(
        &mut self,
        user: UserId,
        after: Option<PostId>,
    ) -> Result<Vec<HeartRecord>> {
        let rows: Vec<(Uuid, DateTime<Utc>)> = likes::table
            .filter(likes::user_id.eq(i64::from(user)))
            .filter(likes::post_id.gt(after.map_or(Uuid::nil(), Uuid::from)))
            .select((likes::post_id, likes::created_at))
            .order(likes::post_id)
            .limit(Self::BATCH_SIZE)
            .load(self.conn)
            .await?;
        Ok(rows.into_iter().map(|(post, at)| HeartRecord { post: post.into(), at }).collect())
    }

    /// Emoji left, by post.
    pub async fn reactions(
        &mut self,
        user: UserId,
        after: Option<PostId>,
    ) -> Result<Vec<ReactionRecord>> {
        let rows: Vec<(Uuid, String, DateTime<Utc>)> = emoji_reactions::table
            .filter(emoji_reactions::user_id.eq(i64::from(user)))
            .filter(emoji_reactions::post_id.gt(after.map_or(Uuid::nil(), Uuid::from)))
            .select((
                emoji_reactions::post_id,
                emoji_reactions::emoji_code,
                emoji_reactions::created_at,
            ))
            .order(emoji_reactions::post_id)
            .limit(Self::BATCH_SIZE)
            .load(self.conn)
            .await?;
        let reaction = |(post, code, at): (Uuid, String, DateTime<Utc>)| {
            Ok(ReactionRecord { post: post.into(), emoji: emoji_from_code(&code)?, at })
        };
        rows.into_iter().map(reaction).collect()
    }

    /// Posts passed on, by the id of the share.
    pub async fn shares(&mut self, user: UserId, after: Option<ShareId>) -> Result<Vec<Share>> {
        let created = CreatedShares {
            user: user.into(),
            after: after.map_or(Uuid::nil(), Uuid::from),
            limit: Self::BATCH_SIZE,
        };
        let rows: Vec<ShareColumns> = created.load(self.conn).await?;
        let share = |(id, post, message, created_at, to): ShareColumns| {
            let how = to.map_or(ShareDetails::Url, |to| ShareDetails::Message {
                recipients: Recipients::from_stored(to.into_iter().map(UserId::from).collect()),
                message: message.map(ShareMessage::from_stored),
            });
            Share { id: ShareId::from(id), by: user, post: post.into(), details: how, created_at }
        };
        Ok(rows.into_iter().map(share).collect())
    }

    /// Posts that others sent this person, by the id of the share.
    pub async fn received_shares(
        &mut self,
        user: UserId,
        after: Option<ShareId>,
    ) -> Result<Vec<ReceivedShare>> {
        let sent = ReceivedShares {
            user: user.into(),
            after: after.map_or(Uuid::nil(), Uuid::from),
            limit: Self::BATCH_SIZE,
        };
        let rows: Vec<SentColumns> = sent.load(self.conn).await?;
        let sent = |(share, post, by, message, at): SentColumns| ReceivedShare {
            share: share.into(),
            post: post.into(),
            by,
            message: message.map(ShareMessage::from_stored),
            at,
        };
        Ok(rows.into_iter().map(sent).collect())
    }

    /// What was said, newest first.
    pub async fn comments(
        &mut self,
        user: UserId,
        after: Option<Position>,
    ) -> Result<Vec<Comment>> {
        let query = comments::table
            .filter(comments::author_id.eq(i64::from(user)))
            .select(CommentRow::as_select())
            .order((comments::created_at.desc(), comments::id.desc()))
            .limit(Self::BATCH_SIZE)
            .into_boxed();
        let query = match after {
            None => query,
            // The index has the times; of those with the same, only the id tells which.
            Some(Position { at, id }) => query
                .filter(comments::created_at.le(at))
                .filter(comments::created_at.lt(at).or(comments::id.lt(id))),
        };
        let rows: Vec<CommentRow> = query.load(self.conn).await?;
        Ok(rows.into_iter().map(Comment::from).collect())
    }
}

/// Which share of which post, in which words, when, and to whom where it is no link.
type ShareColumns = (Uuid, Uuid, Option<String>, DateTime<Utc>, Option<Vec<i64>>);

/// Which share of which post, by whom, in which words, and when.
type SentColumns = (Uuid, Uuid, String, Option<String>, DateTime<Utc>);

statement! {
    /// A link goes to nobody: it has no recipients, where a message has some, or none who are left. All that is theirs is
    /// looked at, since nothing has it by id: else PostgreSQL may go through everybody's in that order.
    CreatedShares(user: i64 as BigInt, after: Uuid as SqlUuid, limit: i64 as BigInt)
        -> (SqlUuid, SqlUuid, Nullable<Text>, Timestamptz, Nullable<Array<BigInt>>) {
        "theirs AS MATERIALIZED (
            SELECT id, post_id, share_method, message_content, created_at FROM shares
            WHERE user_id = $1 AND id > $2
        ), part AS (
            SELECT * FROM theirs ORDER BY id LIMIT $3
        )
        SELECT id, post_id, message_content, created_at, CASE share_method WHEN 'message' THEN
            ARRAY(SELECT user_id FROM share_recipients WHERE share_id = part.id ORDER BY user_id)
        END
        FROM part ORDER BY id"
    }
}

statement! {
    /// As [`CreatedShares`]; each share and its sender are looked up by themselves, so that no plan goes through all of them.
    ReceivedShares(user: i64 as BigInt, after: Uuid as SqlUuid, limit: i64 as BigInt)
        -> (SqlUuid, SqlUuid, Text, Nullable<Text>, Timestamptz) {
        "theirs AS MATERIALIZED (
            SELECT share_id FROM share_recipients WHERE user_id = $1 AND share_id > $2
        ), part AS (
            SELECT share_id FROM theirs ORDER BY share_id LIMIT $3
        )
        SELECT sent.id, sent.post_id, sender.username, sent.message_content, sent.created_at
        FROM part, LATERAL (
            SELECT * FROM shares WHERE shares.id = part.share_id LIMIT 1
        ) AS sent, LATERAL (
            SELECT username FROM users WHERE users.id = sent.user_id LIMIT 1
        ) AS sender
        ORDER BY sent.id"
    }
}
