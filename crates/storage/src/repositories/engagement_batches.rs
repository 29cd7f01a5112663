//! Deletes hearts, reactions and shares together, of a user or of a post.

use diesel::sql_types::{BigInt, Nullable, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use grateful_domain::notification::Cause;
use grateful_domain::{PostId, UserId};
use uuid::Uuid;

use super::emoji_reactions::EmojiReactions;
use super::hearts::Hearts;
use super::posts::Posts;
use super::shares::Shares;
use crate::Result;
use crate::query::statement;

/// Engagement that is deleted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngagementOf {
    /// What this user gave.
    User(UserId),
    /// What this post received.
    Post(PostId),
}

impl Posts<'_> {
    /// Deletes the hearts, reactions and shares of up to `limit` pairs of a user and a post, and their counts. Returns their
    /// causes, so that the caller can withdraw their notifications, or `None` if there is nothing left.
    pub async fn delete_engagement_batch(
        &mut self,
        of: EngagementOf,
        limit: i64,
    ) -> Result<Option<Vec<Cause>>> {
        let (user_id, post_id) = match of {
            EngagementOf::User(user) => (Some(user.into()), None),
            EngagementOf::Post(post) => (None, Some(post.into())),
        };
        let find = FindEngagement { user_id, post_id, limit };
        let pairs: Vec<(i64, Uuid)> = find.load(self.conn).await?;
        if pairs.is_empty() {
            return Ok(None);
        }
        let pairs: Vec<_> =
            pairs.into_iter().map(|(user, post)| (user.into(), post.into())).collect();
        let hearts = Hearts { conn: self.conn }.remove(&pairs).await?;
        let hearts = hearts.into_iter().map(|heart| heart.cause).collect();
        let reactions = EmojiReactions { conn: self.conn }.remove(&pairs).await?;
        let shares = Shares { conn: self.conn }.delete_all(&pairs).await?;
        Ok(Some([hearts, reactions, shares].concat()))
    }
}

statement! {
    /// Pairs of a user and a post: what the user gave, or what the post received.
    FindEngagement {
        user_id: Option<i64> as Nullable<BigInt>,
        post_id: Option<Uuid> as Nullable<SqlUuid>,
        limit: i64 as BigInt,
    } -> (BigInt, SqlUuid),
    {
        let tables = ["likes", "emoji_reactions", "shares"];
        let of = |column: &str| {
            tables.map(|table| {
                format!("(SELECT user_id, post_id FROM {table} WHERE {column} = :{column} LIMIT :limit)")
            })
        };
        let pairs = [of("user_id"), of("post_id")].concat().join("\n        UNION ");
        format!("SELECT user_id, post_id FROM (\n        {pairs}\n    ) AS pair LIMIT :limit")
    }
}
