//! Hearts, and the heart counters of posts.
//!
//! In the database they are called likes: the table is `likes`, and the notification type is `like`.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use grateful_domain::notification::{Act, Cause};
use grateful_domain::{Heart, HeartId, Page, PageRequest, Position, PostId, UserId};
use uuid::Uuid;

use super::posts::Posts;
use crate::query::{Direction, not_hidden, paginate, statement};
use crate::rows::AuthorRow;
use crate::schema::{likes, users};
use crate::{Connection, Result};

/// The repository of hearts.
pub struct Hearts<'c> {
    pub(super) conn: &'c mut Connection,
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
    /// The number of hearts that the post has left.
    pub count: i32,
    /// The author of the post.
    pub post_author: UserId,
}

impl Hearts<'_> {
    /// Adds a heart and counts it. Returns the new number of hearts, or `None` if the user has already given one, or if the
    /// post does not exist or is another user's private post.
    ///
    /// The caller must check for blocks.
    ///
    /// # Errors
    /// `ForeignKeyViolation` with `likes_user_id_fkey` if the user does not exist.
    pub async fn add(&mut self, heart: &NewHeart) -> Result<Option<i32>> {
        let insert = InsertHeart {
            id: heart.id.into(),
            user: heart.user.into(),
            post: heart.post.into(),
            at: heart.at,
        };
        Ok(insert.get_result::<i32>(self.conn).await.optional()?)
    }

    /// Removes a heart and its count, regardless of who can see the post. Returns `None` if there was no heart.
    ///
    /// Locks the post first, with a statement of its own: the second statement sees what was committed while the lock was
    /// awaited.
    pub async fn remove(&mut self, user: UserId, post: PostId) -> Result<Option<RemovedHeart>> {
        Posts { conn: self.conn }.lock_rows(&[post.into()]).await?;
        let delete = DeleteHeart { user: user.into(), post: post.into() };
        let row: Option<(i32, i64)> = delete.get_result(self.conn).await.optional()?;
        Ok(row.map(|(count, author)| RemovedHeart { count, post_author: author.into() }))
    }

    /// Adds several hearts and counts the new ones, in one statement. Skips hearts that exist already, and hearts to posts
    /// that do not exist or are another user's private posts. Returns the number of added hearts.
    ///
    /// # Errors
    /// `ForeignKeyViolation` with `likes_user_id_fkey` if one of the users does not exist. Then no heart is added.
    pub async fn add_many(&mut self, hearts: &[NewHeart]) -> Result<i64> {
        let insert = InsertHearts {
            ids: hearts.iter().map(|heart| heart.id.into()).collect(),
            users: hearts.iter().map(|heart| heart.user.into()).collect(),
            posts: hearts.iter().map(|heart| heart.post.into()).collect(),
            times: hearts.iter().map(|heart| heart.at).collect(),
        };
        Ok(insert.get_result(self.conn).await?)
    }

    /// Deletes up to `limit` hearts of a user, and their counts. Returns their causes, so that the caller can withdraw their
    /// notifications; none if there are no hearts left.
    pub async fn delete_batch_of(&mut self, user: UserId, limit: i64) -> Result<Vec<Cause>> {
        let posts: Vec<Uuid> = likes::table
            .filter(likes::user_id.eq(i64::from(user)))
            .select(likes::post_id)
            .limit(limit)
            .load(self.conn)
            .await?;
        if posts.is_empty() {
            return Ok(vec![]);
        }
        let authors = Posts { conn: self.conn }.lock_rows(&posts).await?;
        DeleteHeartsBatch { user: user.into(), posts }.execute(self.conn).await?;
        let cause = |(post, recipient)| Cause { recipient, actor: user, act: Act::Heart { post } };
        Ok(authors.into_iter().map(cause).collect())
    }

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
            .order((likes::created_at.desc(), likes::id.desc()))
            .into_boxed();
        let rows: Vec<(Uuid, DateTime<Utc>, AuthorRow)> =
            paginate(query, page, likes::created_at, likes::id, Direction::NewestFirst)
                .load(self.conn)
                .await?;
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

statement! {
    /// Locks the post before the heart, and counts only what was inserted.
    InsertHeart {
        id: Uuid as SqlUuid,
        user: i64 as BigInt,
        post: Uuid as SqlUuid,
        at: DateTime<Utc> as Timestamptz,
    } -> Integer,
    "WITH post AS MATERIALIZED (
        SELECT id FROM posts WHERE id = :post AND (is_public OR author_id = :user) FOR NO KEY UPDATE
    ), made AS (
        INSERT INTO likes (id, user_id, post_id, created_at) SELECT :id, :user, id, :at FROM post
        ON CONFLICT (user_id, post_id) DO NOTHING
        RETURNING post_id
    )
    UPDATE posts SET hearts_count = hearts_count + 1 FROM made WHERE posts.id = made.post_id
    RETURNING hearts_count"
}

statement! {
    /// The post is locked.
    DeleteHeart { user: i64 as BigInt, post: Uuid as SqlUuid } -> (Integer, BigInt),
    "WITH gone AS (
        DELETE FROM likes WHERE post_id = :post AND user_id = :user RETURNING post_id
    )
    UPDATE posts SET hearts_count = hearts_count - 1 FROM gone WHERE posts.id = gone.post_id
    RETURNING hearts_count, author_id"
}

statement! {
    /// Locks the posts in id order, so that concurrent statements do not deadlock.
    InsertHearts {
        ids: Vec<Uuid> as Array<SqlUuid>,
        users: Vec<i64> as Array<BigInt>,
        posts: Vec<Uuid> as Array<SqlUuid>,
        times: Vec<DateTime<Utc>> as Array<Timestamptz>,
    } -> BigInt,
    "WITH wanted AS (
        SELECT * FROM unnest(:ids, :users, :posts, :times) AS wanted (id, user_id, post_id, created_at)
    ), post AS MATERIALIZED (
        SELECT id, is_public, author_id FROM posts WHERE id = ANY (:posts) ORDER BY id FOR NO KEY UPDATE
    ), made AS (
        INSERT INTO likes (id, user_id, post_id, created_at)
        SELECT wanted.id, wanted.user_id, wanted.post_id, wanted.created_at
        FROM wanted JOIN post ON post.id = wanted.post_id
        WHERE post.is_public OR post.author_id = wanted.user_id
        ON CONFLICT (user_id, post_id) DO NOTHING
        RETURNING post_id
    ), counted AS (
        UPDATE posts SET hearts_count = hearts_count + new.hearts
        FROM (SELECT post_id, count(*)::integer AS hearts FROM made GROUP BY post_id) AS new
        WHERE posts.id = new.post_id
    )
    SELECT count(*) FROM made"
}

statement! {
    /// The posts are locked.
    DeleteHeartsBatch { user: i64 as BigInt, posts: Vec<Uuid> as Array<SqlUuid> } -> Integer,
    "WITH gone AS (
        DELETE FROM likes WHERE user_id = :user AND post_id = ANY (:posts) RETURNING post_id
    )
    UPDATE posts SET hearts_count = hearts_count - 1 FROM gone WHERE posts.id = gone.post_id"
}
