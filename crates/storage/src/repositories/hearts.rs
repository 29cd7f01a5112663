//! The `likes` table: hearts, and their number on posts.

use chrono::{DateTime, Utc};
use diesel::dsl::not;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use grateful_domain::{Heart, HeartId, Page, PageRequest, Position, PostId, UserId};
use uuid::Uuid;

use crate::query::{Direction, blocked_by, blockers_of, paginate_by_time, statement};
use crate::rows::AuthorRow;
use crate::schema::{likes, users};
use crate::{Connection, Result};

/// Hearts, as seen through one connection.
pub struct Hearts<'c> {
    pub(super) conn: &'c mut Connection,
}

/// A heart that is about to be given.
#[derive(Debug, Clone, Copy)]
pub struct NewHeart {
    /// Its id, should it be the first.
    pub id: HeartId,
    /// Whose.
    pub user: UserId,
    /// To what.
    pub post: PostId,
    /// When.
    pub at: DateTime<Utc>,
}

impl Hearts<'_> {
    /// Gives a post a heart and counts it. Returns the number of hearts after it, or nothing where this person's heart is
    /// there already, or where the post is gone or not theirs to see.
    ///
    /// Blocks are the caller's to ask for.
    ///
    /// # Errors
    /// `Missing` where whoever gives it is gone, by `likes_user_id_fkey`.
    pub async fn add(&mut self, like: &NewHeart) -> Result<Option<i32>> {
        let insert = InsertHeart {
            id: like.id.into(),
            user: like.user.into(),
            post: like.post.into(),
            at: like.at,
        };
        Ok(insert.get_result::<i32>(self.conn).await.optional()?)
    }

    /// Takes a heart back and counts it no more. Returns the number of hearts after it, or nothing where there was none.
    pub async fn remove(&mut self, user: UserId, post: PostId) -> Result<Option<i32>> {
        let delete = DeleteHeart { user: user.into(), post: post.into() };
        Ok(delete.get_result::<i32>(self.conn).await.optional()?)
    }

    /// Gives many hearts, each counted if it is new, in one statement. Those to posts that are gone or not their giver's to
    /// see are passed over, as are those that are there already. Returns how many were given.
    ///
    /// # Errors
    /// `Missing` where one of those who give them is gone, by `likes_user_id_fkey`: then none is given.
    pub async fn add_many(&mut self, likes: &[NewHeart]) -> Result<i64> {
        let insert = InsertHearts {
            ids: likes.iter().map(|like| like.id.into()).collect(),
            users: likes.iter().map(|like| like.user.into()).collect(),
            posts: likes.iter().map(|like| like.post.into()).collect(),
            times: likes.iter().map(|like| like.at).collect(),
        };
        Ok(insert.get_result(self.conn).await?)
    }

    /// Takes back up to `limit` of this person's hearts, whatever they were given to. Tells how many there were.
    pub async fn delete_batch_of(&mut self, user: UserId, limit: i64) -> Result<i64> {
        let delete = DeleteHeartsBatch { user: user.into(), limit };
        Ok(delete.get_result(self.conn).await?)
    }

    /// Who gave a post a heart, newest first, nobody across a block.
    pub async fn list(
        &mut self,
        viewer: UserId,
        post: PostId,
        page: PageRequest,
    ) -> Result<Page<Heart>> {
        let query = likes::table
            .inner_join(users::table)
            .filter(likes::post_id.eq(Uuid::from(post)))
            .filter(not(likes::user_id.eq_any(blockers_of(viewer.into()))))
            .filter(not(likes::user_id.eq_any(blocked_by(viewer.into()))))
            .select((likes::id, likes::created_at, AuthorRow::as_select()))
            .order((likes::created_at.desc(), likes::id.desc()))
            .into_boxed();
        let rows: Vec<(Uuid, DateTime<Utc>, AuthorRow)> =
            paginate_by_time(query, page, "likes.created_at", Direction::Descending)
                .load(self.conn)
                .await?;
        let hearts = rows.into_iter().map(|(id, created_at, by)| Heart {
            id: id.into(),
            by: by.into(),
            created_at,
        });
        Ok(Page::from_overfetch(hearts.collect(), page.limit, |heart| Position {
            at: heart.created_at,
            id: heart.id.into(),
        }))
    }
}

statement! {
    /// Locks the post before it touches anything below it, and counts what was really inserted.
    InsertHeart(id: Uuid as SqlUuid, user: i64 as BigInt, post: Uuid as SqlUuid, at: DateTime<Utc> as Timestamptz) -> Integer {
        "post AS MATERIALIZED (
            SELECT id FROM posts WHERE id = $3 AND (is_public OR author_id = $2) FOR NO KEY UPDATE
        ), made AS (
            INSERT INTO likes (id, user_id, post_id, created_at) SELECT $1, $2, id, $4 FROM post
            ON CONFLICT (user_id, post_id) DO NOTHING
            RETURNING post_id
        )
        UPDATE posts SET hearts_count = hearts_count + 1 FROM made WHERE posts.id = made.post_id
        RETURNING hearts_count"
    }
}

statement! {
    /// As [`InsertHeart`], the other way round.
    DeleteHeart(user: i64 as BigInt, post: Uuid as SqlUuid) -> Integer {
        "post AS MATERIALIZED (
            SELECT id FROM posts WHERE id = $2 AND (is_public OR author_id = $1) FOR NO KEY UPDATE
        ), gone AS (
            DELETE FROM likes USING post WHERE likes.post_id = post.id AND likes.user_id = $1
            RETURNING likes.post_id
        )
        UPDATE posts SET hearts_count = hearts_count - 1 FROM gone WHERE posts.id = gone.post_id
        RETURNING hearts_count"
    }
}

statement! {
    /// Locks the posts by id, so that two such statements do not wait for each other.
    InsertHearts(
        ids: Vec<Uuid> as Array<SqlUuid>,
        users: Vec<i64> as Array<BigInt>,
        posts: Vec<Uuid> as Array<SqlUuid>,
        times: Vec<DateTime<Utc>> as Array<Timestamptz>
    ) -> BigInt {
        "wanted AS (
            SELECT * FROM unnest($1, $2, $3, $4) AS wanted (id, user_id, post_id, created_at)
        ), post AS MATERIALIZED (
            SELECT id, is_public, author_id FROM posts WHERE id = ANY ($3) ORDER BY id FOR NO KEY UPDATE
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
}

statement! {
    /// As [`InsertHearts`], the other way round, for one person.
    DeleteHeartsBatch(user: i64 as BigInt, limit: i64 as BigInt) -> BigInt {
        "part AS MATERIALIZED (
            SELECT id, post_id FROM likes WHERE user_id = $1 LIMIT $2
        ), post AS MATERIALIZED (
            SELECT id FROM posts WHERE id IN (SELECT post_id FROM part) ORDER BY id FOR NO KEY UPDATE
        ), gone AS (
            DELETE FROM likes USING part, post WHERE likes.id = part.id AND part.post_id = post.id
            RETURNING likes.post_id
        ), counted AS (
            UPDATE posts SET hearts_count = hearts_count - 1 FROM gone WHERE posts.id = gone.post_id
        )
        SELECT count(*) FROM gone"
    }
}
