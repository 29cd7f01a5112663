//! The `shares` and `share_recipients` tables, and the share counters of posts.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use grateful_domain::notification::{Act, Cause};
use grateful_domain::{
    MAX_CLOCK_SKEW, PostId, Recipients, Share, ShareDetails, ShareId, ShareMessage, ShareMethod,
    ShareQuota, UserId,
};
use uuid::Uuid;

use super::posts::Posts;
use crate::query::statement;
use crate::schema::shares;
use crate::{Connection, Result};

/// The repository of shares.
pub struct Shares<'c> {
    pub(super) conn: &'c mut Connection,
}

impl Shares<'_> {
    /// Creates a share of a public post and counts it. For each user and post, a link share counts once, and all messages
    /// together also count once. Returns whether the share was created. It is not created if the post does not exist or is
    /// private, or if the user already has a link share of it.
    ///
    /// Messages of one user must not be created concurrently. Lock the user's row first, and check the quota after that.
    ///
    /// # Errors
    /// `ForeignKeyViolation` with `shares_user_id_fkey` if the user does not exist, or with `share_recipients_user_id_fkey`
    /// if a recipient does not exist.
    pub async fn create(&mut self, share: &Share) -> Result<bool> {
        match &share.details {
            ShareDetails::Url => self.create_link(share).await,
            ShareDetails::Message { recipients, message } => {
                self.create_message(share, recipients, message.as_ref()).await
            }
        }
    }

    /// Deletes a user's link share of a post, and its count, regardless of who can see the post. Returns the author of the
    /// post, or `None` if there was no link share.
    ///
    /// Locks the post first, like [`Hearts::remove`](crate::Hearts::remove).
    pub async fn delete_link(&mut self, user: UserId, post: PostId) -> Result<Option<UserId>> {
        Posts { conn: self.conn }.lock_rows(&[post.into()]).await?;
        let delete = DeleteLinkShare { user: user.into(), post: post.into() };
        let post_author: Option<i64> = delete.get_result(self.conn).await.optional()?;
        Ok(post_author.map(UserId::from))
    }

    /// Deletes all shares that a user made of up to `limit` posts, and their counts. Returns their causes, like
    /// [`Hearts::delete_batch_of`](crate::Hearts::delete_batch_of).
    ///
    /// All shares of a post are deleted together, because all messages about it count once.
    pub async fn delete_batch_of(&mut self, user: UserId, limit: i64) -> Result<Vec<Cause>> {
        let posts: Vec<Uuid> = shares::table
            .filter(shares::user_id.eq(i64::from(user)))
            .select(shares::post_id)
            .distinct()
            .limit(limit)
            .load(self.conn)
            .await?;
        if posts.is_empty() {
            return Ok(vec![]);
        }
        let authors = Posts { conn: self.conn }.lock_rows(&posts).await?;
        let list = ListSharesOf { user: user.into(), posts: posts.clone() };
        let rows: Vec<(Uuid, Uuid, Vec<i64>)> = list.load(self.conn).await?;
        DeleteSharesBatch { user: user.into(), posts }.execute(self.conn).await?;
        let message_causes = rows.into_iter().flat_map(|(share, post, recipients)| {
            let act = Act::MessageShare { post: post.into(), share: share.into() };
            recipients.into_iter().map(move |recipient| Cause {
                recipient: recipient.into(),
                actor: user,
                act,
            })
        });
        let link_causes = authors.into_iter().map(|(post, recipient)| Cause {
            recipient,
            actor: user,
            act: Act::LinkShare { post },
        });
        Ok(link_causes.chain(message_causes).collect())
    }

    /// Finds a user's link share of a post.
    pub async fn find_link(&mut self, user: UserId, post: PostId) -> Result<Option<Share>> {
        let row: Option<(Uuid, DateTime<Utc>)> = shares::table
            .filter(shares::user_id.eq(i64::from(user)))
            .filter(shares::post_id.eq(Uuid::from(post)))
            .filter(shares::share_method.eq(ShareMethod::Url.code()))
            .select((shares::id, shares::created_at))
            .first(self.conn)
            .await
            .optional()?;
        Ok(row.map(|(id, created_at)| Share {
            id: ShareId::from(id),
            user,
            post,
            details: ShareDetails::Url,
            created_at,
        }))
    }

    /// Returns the time of the oldest message that counts for the hourly message quota if the quota is used up: one hour
    /// after that time, the user can send again. Returns `None` if the quota is not used up.
    pub async fn quota_exhausted_since(
        &mut self,
        user: UserId,
        now: DateTime<Utc>,
    ) -> Result<Option<DateTime<Utc>>> {
        let oldest_counted = shares::table
            .filter(shares::user_id.eq(i64::from(user)))
            .filter(shares::share_method.eq(ShareMethod::Message.code()))
            .filter(shares::created_at.gt(now - TimeDelta::hours(1)))
            .filter(shares::created_at.lt(now + MAX_CLOCK_SKEW))
            .select(shares::created_at)
            .order(shares::created_at.desc())
            .offset(i64::from(ShareQuota::MAX_PER_HOUR) - 1)
            .first(self.conn)
            .await
            .optional()?;
        Ok(oldest_counted)
    }

    async fn create_link(&mut self, share: &Share) -> Result<bool> {
        let insert = InsertLinkShare {
            id: share.id.into(),
            user: share.user.into(),
            post: share.post.into(),
            at: share.created_at,
        };
        Ok(insert.get_result::<i32>(self.conn).await.optional()?.is_some())
    }

    async fn create_message(
        &mut self,
        share: &Share,
        recipients: &Recipients,
        message: Option<&ShareMessage>,
    ) -> Result<bool> {
        let insert = InsertMessageShare {
            id: share.id.into(),
            user: share.user.into(),
            post: share.post.into(),
            message: message.map(|message| message.as_str().to_owned()),
            at: share.created_at,
            recipients: recipients.as_slice().iter().copied().map(i64::from).collect(),
        };
        Ok(insert.get_result::<Uuid>(self.conn).await.optional()?.is_some())
    }
}

statement! {
    /// Locks the post before the share, and counts only what was inserted.
    InsertLinkShare {
        id: Uuid as SqlUuid,
        user: i64 as BigInt,
        post: Uuid as SqlUuid,
        at: DateTime<Utc> as Timestamptz,
    } -> Integer,
    "WITH post AS MATERIALIZED (
        SELECT id FROM posts WHERE id = :post AND is_public FOR NO KEY UPDATE
    ), made AS (
        INSERT INTO shares (id, user_id, post_id, share_method, created_at)
        SELECT :id, :user, id, 'url', :at FROM post
        ON CONFLICT (user_id, post_id) WHERE share_method = 'url' DO NOTHING
        RETURNING post_id
    )
    UPDATE posts SET shares_count = shares_count + 1 FROM made WHERE posts.id = made.post_id
    RETURNING shares_count"
}

statement! {
    /// The post is locked.
    DeleteLinkShare { user: i64 as BigInt, post: Uuid as SqlUuid } -> BigInt,
    "WITH gone AS (
        DELETE FROM shares WHERE post_id = :post AND user_id = :user AND share_method = 'url' RETURNING post_id
    )
    UPDATE posts SET shares_count = shares_count - 1 FROM gone WHERE posts.id = gone.post_id
    RETURNING author_id"
}

statement! {
    /// Counts only the first message of a user about a post. The row of the user is locked, so all earlier ones are visible.
    InsertMessageShare {
        id: Uuid as SqlUuid,
        user: i64 as BigInt,
        post: Uuid as SqlUuid,
        message: Option<String> as Nullable<Text>,
        at: DateTime<Utc> as Timestamptz,
        recipients: Vec<i64> as Array<BigInt>,
    } -> SqlUuid,
    "WITH post AS MATERIALIZED (
        SELECT id FROM posts WHERE id = :post AND is_public FOR NO KEY UPDATE
    ), earlier AS (
        SELECT FROM shares WHERE user_id = :user AND post_id = :post AND share_method = 'message' LIMIT 1
    ), made AS (
        INSERT INTO shares (id, user_id, post_id, share_method, message_content, created_at)
        SELECT :id, :user, id, 'message', :message, :at FROM post
        RETURNING id, post_id
    ), told AS (
        INSERT INTO share_recipients (share_id, user_id) SELECT id, unnest(:recipients) FROM made
    ), counted AS (
        UPDATE posts SET shares_count = shares_count + 1
        FROM made WHERE posts.id = made.post_id AND NOT EXISTS (SELECT FROM earlier)
    )
    SELECT id FROM made"
}

statement! {
    /// The message shares of these posts, with their recipients.
    ListSharesOf { user: i64 as BigInt, posts: Vec<Uuid> as Array<SqlUuid> } -> (SqlUuid, SqlUuid, Array<BigInt>),
    "WITH message AS (
        SELECT id, post_id FROM shares
        WHERE user_id = :user AND post_id = ANY (:posts) AND share_method = 'message'
    )
    SELECT id, post_id, ARRAY(SELECT user_id FROM share_recipients WHERE share_id = message.id) FROM message"
}

statement! {
    /// The posts are locked.
    DeleteSharesBatch { user: i64 as BigInt, posts: Vec<Uuid> as Array<SqlUuid> } -> Integer,
    "WITH gone AS (
        DELETE FROM shares WHERE user_id = :user AND post_id = ANY (:posts) RETURNING post_id, share_method
    ), lowered AS (
        SELECT post_id, count(DISTINCT share_method)::integer AS shares FROM gone GROUP BY post_id
    )
    UPDATE posts SET shares_count = shares_count - lowered.shares
    FROM lowered WHERE posts.id = lowered.post_id"
}
