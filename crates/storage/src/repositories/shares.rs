//! The `shares` and `share_recipients` tables, and the share counters of posts.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use futures_util::future::join;
use grateful_domain::notification::{Act, Cause};
use grateful_domain::{
    MAX_CLOCK_SKEW, PostId, Share, ShareDetails, ShareId, ShareMethod, ShareQuota, UserId,
};
use uuid::Uuid;

use super::engagement::{deletion, insertion, lock_posts};
use crate::query::statement;
use crate::schema::shares;
use crate::{Connection, ReadConnection, Result};

/// The repository of shares.
pub struct Shares<'c, C = Connection> {
    pub(super) conn: &'c mut C,
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
        let details = &share.details;
        let method = match details {
            ShareDetails::Url => ShareMethod::Url,
            ShareDetails::Message { .. } => ShareMethod::Message,
        };
        let insert = InsertShare {
            id: share.id.into(),
            user_id: share.user.into(),
            post_id: share.post.into(),
            share_method: method.code(),
            message: details.message().map(|message| message.as_str().to_owned()),
            created_at: share.created_at,
            recipient_ids: details.recipients().iter().copied().map(i64::from).collect(),
        };
        Ok(insert.get_result::<Uuid>(self.conn).await.optional()?.is_some())
    }

    /// Deletes a user's link share of a post, and its count, regardless of who can see the post. Returns the cause of its
    /// notification, or `None` if there was no link share.
    pub async fn delete_link(&mut self, user: UserId, post: PostId) -> Result<Option<Cause>> {
        let (mut locking, mut deleting): (&Connection, &Connection) = (self.conn, self.conn);
        let delete = DeleteLinkShare { user_id: user.into(), post_id: post.into() };
        // Sent together.
        let (locked, author) = join(
            lock_posts(&mut locking, &[(user, post)]),
            delete.get_result::<i64>(&mut deleting),
        )
        .await;
        locked?;
        let author = author.optional()?;
        let act = Act::LinkShare { post };
        Ok(author.map(|author| Cause { recipient: author.into(), actor: user, act }))
    }

    /// Deletes all shares of posts that have one of these posts and one of these users, and their counts. All shares of a user
    /// and a post are deleted together, because their messages count once. Returns the causes of their notifications.
    pub(super) async fn delete_all(&mut self, shares: &[(UserId, PostId)]) -> Result<Vec<Cause>> {
        let (user_ids, post_ids) = lock_posts(self.conn, shares).await?;
        let delete = DeleteShares { user_ids, post_ids };
        let rows: Vec<(Uuid, i64, Uuid, String, Vec<i64>)> = delete.load(self.conn).await?;
        let causes = rows.into_iter().flat_map(|(share, user, post, method, recipients)| {
            let post = post.into();
            let act = if method == ShareMethod::Url.code() {
                Act::LinkShare { post }
            } else {
                Act::MessageShare { post, share: share.into() }
            };
            recipients.into_iter().map(move |recipient| Cause {
                recipient: recipient.into(),
                actor: user.into(),
                act,
            })
        });
        Ok(causes.collect())
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
}

impl<C: ReadConnection> Shares<'_, C> {
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
}

statement! {
    /// Counts a link share that was inserted, and the first message of a user about a post: the row of the user is locked, so
    /// all earlier messages are visible.
    InsertShare {
        id: Uuid as SqlUuid,
        user_id: i64 as BigInt,
        post_id: Uuid as SqlUuid,
        share_method: &'static str as Text,
        message: Option<String> as Nullable<Text>,
        created_at: DateTime<Utc> as Timestamptz,
        recipient_ids: Vec<i64> as Array<BigInt>,
    } -> SqlUuid,
    insertion(
        "= :post_id",
        "changed AS (
            INSERT INTO shares (id, user_id, post_id, share_method, message_content, created_at)
            SELECT :id, :user_id, id, :share_method, :message, :created_at FROM post WHERE is_public
            ON CONFLICT (user_id, post_id) WHERE share_method = 'url' DO NOTHING
            RETURNING id, post_id
        ), sent AS (
            INSERT INTO share_recipients (share_id, user_id) SELECT id, unnest(:recipient_ids) FROM changed
        ), earlier AS (
            SELECT FROM shares WHERE user_id = :user_id AND post_id = :post_id AND share_method = :share_method LIMIT 1
        )",
        ["shares_count", "count(*) FILTER (WHERE NOT EXISTS (SELECT FROM earlier))"],
        "SELECT id FROM changed",
    )
}

statement! {
    /// The post is locked.
    DeleteLinkShare { user_id: i64 as BigInt, post_id: Uuid as SqlUuid } -> BigInt,
    deletion(
        "shares",
        "user_id = :user_id AND post_id = :post_id AND share_method = 'url'",
        ["shares_count", "count(*)"],
        "SELECT author_id FROM counted",
    )
}

statement! {
    /// The posts are locked. Returns the users who were notified of the shares: the author of the post, or the recipients.
    DeleteShares {
        user_ids: Vec<i64> as Array<BigInt>,
        post_ids: Vec<Uuid> as Array<SqlUuid>,
    } -> (SqlUuid, BigInt, SqlUuid, Text, Array<BigInt>),
    deletion(
        "shares",
        "user_id = ANY (:user_ids) AND post_id = ANY (:post_ids)",
        ["shares_count", "count(DISTINCT (user_id, share_method))"],
        "SELECT changed.id, changed.user_id, changed.post_id, changed.share_method,
            CASE changed.share_method
                WHEN 'url' THEN ARRAY[counted.author_id]
                ELSE ARRAY(SELECT user_id FROM share_recipients WHERE share_id = changed.id)
            END
        FROM changed JOIN counted ON counted.id = changed.post_id",
    )
}
