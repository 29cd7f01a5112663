//! The data of one user across all tables, in batches, for the personal data export.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use grateful_domain::{
    Comment, HeartRecord, Position, PostId, ReactionRecord, ReceivedShare, Recipients, Share,
    ShareDetails, ShareId, ShareMessage, UserId,
};
use uuid::Uuid;

use crate::query::statement;
use crate::rows::{CommentRow, emoji_from_code};
use crate::schema::{comments, emoji_reactions, likes};
use crate::{Connection, Result};

/// The repository of the data of one user. Each list is read in batches of at most [`PersonalData::BATCH_SIZE`] items. A
/// batch starts after the last item of the previous one, and an empty batch is the end.
pub struct PersonalData<'c, C = Connection> {
    pub(super) conn: &'c mut C,
}

impl PersonalData<'_> {
    /// The maximum number of items in a batch.
    pub const BATCH_SIZE: i64 = 500;

    /// Lists the hearts that the user gave, by post id.
    pub async fn list_hearts(
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

    /// Lists the user's reactions, by post id.
    pub async fn list_reactions(
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

    /// Lists the shares that the user made, by share id.
    pub async fn list_shares(
        &mut self,
        user: UserId,
        after: Option<ShareId>,
    ) -> Result<Vec<Share>> {
        let list = CreatedShares {
            user: user.into(),
            after: after.map_or(Uuid::nil(), Uuid::from),
            limit: Self::BATCH_SIZE,
        };
        let rows: Vec<ShareColumns> = list.load(self.conn).await?;
        let share = |(id, post, message, created_at, recipients): ShareColumns| {
            let recipients = recipients.map(|ids| ids.into_iter().map(UserId::from).collect());
            let details =
                recipients.map_or(ShareDetails::Url, |recipients| ShareDetails::Message {
                    recipients: Recipients::from_stored(recipients),
                    message: message.map(ShareMessage::from_stored),
                });
            Share { id: ShareId::from(id), user, post: post.into(), details, created_at }
        };
        Ok(rows.into_iter().map(share).collect())
    }

    /// Lists the message shares that the user received, by share id.
    pub async fn list_received_shares(
        &mut self,
        user: UserId,
        after: Option<ShareId>,
    ) -> Result<Vec<ReceivedShare>> {
        let list = ReceivedShares {
            user: user.into(),
            after: after.map_or(Uuid::nil(), Uuid::from),
            limit: Self::BATCH_SIZE,
        };
        let rows: Vec<ReceivedColumns> = list.load(self.conn).await?;
        let received = |(share, post, by, message, at): ReceivedColumns| ReceivedShare {
            share: share.into(),
            post: post.into(),
            by,
            message: message.map(ShareMessage::from_stored),
            at,
        };
        Ok(rows.into_iter().map(received).collect())
    }

    /// Lists the user's comments, newest first.
    pub async fn list_comments(
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
            // The index has only the time. Among comments of the same time, the id decides.
            Some(Position { at, id }) => query
                .filter(comments::created_at.le(at))
                .filter(comments::created_at.lt(at).or(comments::id.lt(id))),
        };
        let rows: Vec<CommentRow> = query.load(self.conn).await?;
        Ok(rows.into_iter().map(Comment::from).collect())
    }
}

/// The id of the share, the post, the message text, the time, and the recipients unless it is a link share.
type ShareColumns = (Uuid, Uuid, Option<String>, DateTime<Utc>, Option<Vec<i64>>);

/// The id of the share, the post, the username of the sender, the message text, and the time.
type ReceivedColumns = (Uuid, Uuid, String, Option<String>, DateTime<Utc>);

statement! {
    /// A link share has no recipients (NULL). A message share has some, or an empty array if all of them are deleted. Reads
    /// all shares of the user first, because no index has them by id. Otherwise PostgreSQL might scan all shares in id
    /// order.
    CreatedShares {
        user: i64 as BigInt,
        after: Uuid as SqlUuid,
        limit: i64 as BigInt,
    } -> (SqlUuid, SqlUuid, Nullable<Text>, Timestamptz, Nullable<Array<BigInt>>),
    "WITH theirs AS MATERIALIZED (
        SELECT id, post_id, share_method, message_content, created_at FROM shares
        WHERE user_id = :user AND id > :after
    ), part AS (
        SELECT * FROM theirs ORDER BY id LIMIT :limit
    )
    SELECT id, post_id, message_content, created_at, CASE share_method WHEN 'message' THEN
        ARRAY(SELECT user_id FROM share_recipients WHERE share_id = part.id ORDER BY user_id)
    END
    FROM part ORDER BY id"
}

statement! {
    /// Like [`CreatedShares`]. Each share and its sender is a lookup of its own, so that no plan scans all shares or users.
    ReceivedShares {
        user: i64 as BigInt,
        after: Uuid as SqlUuid,
        limit: i64 as BigInt,
    } -> (SqlUuid, SqlUuid, Text, Nullable<Text>, Timestamptz),
    "WITH theirs AS MATERIALIZED (
        SELECT share_id FROM share_recipients WHERE user_id = :user AND share_id > :after
    ), part AS (
        SELECT share_id FROM theirs ORDER BY share_id LIMIT :limit
    )
    SELECT sent.id, sent.post_id, sender.username,
        CASE WHEN NOT (sent.user_id = ANY (SELECT user_id FROM hidden_users(:user))) THEN sent.message_content END,
        sent.created_at
    FROM part, LATERAL (
        SELECT * FROM shares WHERE shares.id = part.share_id LIMIT 1
    ) AS sent, LATERAL (
        SELECT username FROM users WHERE users.id = sent.user_id LIMIT 1
    ) AS sender
    ORDER BY sent.id"
}
