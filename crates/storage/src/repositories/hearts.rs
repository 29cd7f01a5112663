//! Hearts, and the heart counters of posts.
//!
//! In the database they are called likes: the table is `likes`, and the notification type is `like`.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use grateful_domain::notification::{Act, Cause};
use grateful_domain::{Heart, HeartId, Page, PageRequest, Position, PostId, UserId};
use uuid::Uuid;

use super::engagement::{deletion, insertion, lock_posts};
use crate::query::{not_hidden, paginate, statement};
use crate::rows::AuthorRow;
use crate::schema::{likes, users};
use crate::{Connection, ReadConnection, Result};

/// The repository of hearts.
pub struct Hearts<'c, C = Connection> {
    pub(super) conn: &'c mut C,
}

/// A heart to add.
#[derive(Debug, Clone, Copy)]
pub struct NewHeart {
    /// The id of the heart. Not used if the user has already given one.
    pub id: HeartId,
    /// The user who gives the heart.
    pub user: UserId,
    /// The post.
    pub post: PostId,
    /// When the heart is given.
    pub at: DateTime<Utc>,
}

/// A heart that was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RemovedHeart {
    /// The cause of its notification.
    pub cause: Cause,
    /// The number of hearts that the post has left.
    pub count: i32,
}

impl<C: ReadConnection> Hearts<'_, C> {
    /// Lists the hearts of a post, newest first, without users with a block to or from the viewer.
    pub async fn list(
        &mut self,
        viewer: UserId,
        post: PostId,
        page: PageRequest,
    ) -> Result<Page<Heart>> {
        let query = likes::table
            .inner_join(users::table)
            .filter(likes::post_id.eq(Uuid::from(post)))
            .filter(not_hidden(Some(viewer.into()), likes::user_id))
            .select((likes::id, likes::created_at, AuthorRow::as_select()))
            .order((likes::created_at.desc(), likes::id.desc()));
        let rows: Vec<(Uuid, DateTime<Utc>, AuthorRow)> =
            paginate(query, page, likes::created_at, likes::id).load(self.conn).await?;
        let hearts = rows.into_iter().map(|(id, created_at, user)| Heart {
            id: id.into(),
            user: user.into(),
            created_at,
        });
        Ok(Page::from_overfetch(hearts.collect(), page.limit, |heart| Position {
            at: heart.created_at,
            id: heart.id.into(),
        }))
    }
}

impl Hearts<'_> {
    /// Adds hearts and counts the new ones. Returns the new number of hearts of the post for each heart that was added.
    /// Skips a heart if the user has already given one to the post (of two in the same call, one is added), or if the post
    /// does not exist or is another user's private post.
    ///
    /// The caller must check for blocks.
    ///
    /// # Errors
    /// `ForeignKeyViolation` with `likes_user_id_fkey` if one of the users does not exist. Then no heart is added.
    pub async fn add(&mut self, hearts: &[NewHeart]) -> Result<HashMap<HeartId, i32>> {
        let insert = InsertHearts {
            ids: hearts.iter().map(|heart| heart.id.into()).collect(),
            user_ids: hearts.iter().map(|heart| heart.user.into()).collect(),
            post_ids: hearts.iter().map(|heart| heart.post.into()).collect(),
            times: hearts.iter().map(|heart| heart.at).collect(),
        };
        let rows: Vec<(Uuid, i32)> = insert.load(self.conn).await?;
        Ok(rows.into_iter().map(|(id, count)| (id.into(), count)).collect())
    }

    /// Removes the hearts of these users on these posts and their counts, regardless of who can see the posts. Returns those
    /// that existed.
    pub async fn remove(&mut self, hearts: &[(UserId, PostId)]) -> Result<Vec<RemovedHeart>> {
        let (user_ids, post_ids) = lock_posts(self.conn, hearts).await?;
        let delete = DeleteHearts { user_ids, post_ids };
        let rows: Vec<(i64, Uuid, i64, i32)> = delete.load(self.conn).await?;
        let removed = |(user, post, author, count): (i64, Uuid, i64, i32)| {
            let act = Act::Heart { post: post.into() };
            let cause = Cause { recipient: author.into(), actor: user.into(), act };
            RemovedHeart { cause, count }
        };
        Ok(rows.into_iter().map(removed).collect())
    }
}

statement! {
    /// Counts only what was inserted.
    InsertHearts {
        ids: Vec<Uuid> as Array<SqlUuid>,
        user_ids: Vec<i64> as Array<BigInt>,
        post_ids: Vec<Uuid> as Array<SqlUuid>,
        times: Vec<DateTime<Utc>> as Array<Timestamptz>,
    } -> (SqlUuid, Integer),
    insertion(
        "= ANY (:post_ids)",
        "changed AS (
            INSERT INTO likes (id, user_id, post_id, created_at)
            SELECT heart.* FROM unnest(:ids, :user_ids, :post_ids, :times) AS heart (id, user_id, post_id, created_at)
            JOIN post ON post.id = heart.post_id AND (post.is_public OR post.author_id = heart.user_id)
            ON CONFLICT (user_id, post_id) DO NOTHING
            RETURNING id, post_id
        )",
        ["hearts_count", "count(*)"],
        "SELECT changed.id, counted.number FROM changed JOIN counted ON counted.id = changed.post_id",
    )
}

statement! {
    /// The posts are locked.
    DeleteHearts {
        user_ids: Vec<i64> as Array<BigInt>,
        post_ids: Vec<Uuid> as Array<SqlUuid>,
    } -> (BigInt, SqlUuid, BigInt, Integer),
    deletion(
        "likes",
        "(user_id, post_id) IN (SELECT * FROM unnest(:user_ids, :post_ids))",
        ["hearts_count", "count(*)"],
        "SELECT changed.user_id, changed.post_id, counted.author_id, counted.number
        FROM changed JOIN counted ON counted.id = changed.post_id",
    )
}
