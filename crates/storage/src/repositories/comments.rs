//! The `comments` table, and the comment counters of posts.

mod list;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use grateful_domain::{Comment, CommentId, CommentText, PostId, UserId};
use uuid::Uuid;

use super::engagement::{deletion, insertion};
use crate::query::statement;
use crate::schema::{comments, posts};
use crate::{Connection, Result};

/// The repository of comments.
pub struct Comments<'c, C = Connection> {
    pub(super) conn: &'c mut C,
}

/// The post of a comment, and the two users who may delete the comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommentOwners {
    /// The post.
    pub post: PostId,
    /// The author of the comment.
    pub author: UserId,
    /// The author of the post.
    pub post_author: UserId,
}

impl Comments<'_> {
    /// The foreign key to the parent comment.
    pub const PARENT_KEY: &'static str = "comments_parent_id_fkey";

    /// Inserts a comment and counts it. Returns whether it was inserted. It is not inserted if the post does not exist or is
    /// another user's private post.
    ///
    /// # Errors
    /// `ForeignKeyViolation` with [`Comments::PARENT_KEY`] if the parent comment does not exist or is on another post; with
    /// `comments_author_id_fkey` if the author does not exist.
    pub async fn insert(&mut self, comment: &Comment) -> Result<bool> {
        let insert = InsertComment {
            id: comment.id.into(),
            author_id: comment.author.into(),
            post_id: comment.post.into(),
            parent_id: comment.parent.map(Uuid::from),
            content: comment.text.as_str().to_owned(),
            created_at: comment.created_at,
        };
        Ok(insert.get_result::<i32>(self.conn).await.optional()?.is_some())
    }

    /// Updates the text of a comment under a lock on the post. Returns the previous text, or `None` if there is no such
    /// comment.
    pub async fn update(&mut self, comment: &Comment) -> Result<Option<CommentText>> {
        let update = UpdateComment {
            comment_id: comment.id.into(),
            post_id: comment.post.into(),
            content: comment.text.as_str().to_owned(),
            updated_at: comment.updated_at,
        };
        let previous: Option<String> = update.get_result(self.conn).await.optional()?;
        Ok(previous.map(CommentText::from_stored))
    }

    /// Marks a comment as deleted, so that readers no longer find it. A background job deletes it with its replies. Returns
    /// whether it exists and was not marked before.
    pub async fn mark_deleted(&mut self, comment: CommentId, now: DateTime<Utc>) -> Result<bool> {
        let unmarked =
            comments::table.find(Uuid::from(comment)).filter(comments::deleted_at.is_null());
        let mark = diesel::update(unmarked).set(comments::deleted_at.eq(now));
        Ok(mark.execute(self.conn).await? == 1)
    }

    /// Finds the post of a comment, also of a deleted one.
    pub async fn find_post(&mut self, comment: CommentId) -> Result<Option<PostId>> {
        let post: Option<Uuid> = comments::table
            .find(Uuid::from(comment))
            .select(comments::post_id)
            .first(self.conn)
            .await
            .optional()?;
        Ok(post.map(PostId::from))
    }

    /// Lists up to `limit` comments below a post or below a comment (which is included), deepest first. So deleting these
    /// deletes no other replies, as long as the post is locked.
    pub async fn list_deepest(&mut self, thread: Thread, limit: i64) -> Result<Vec<CommentId>> {
        let (post_id, comment_id) = match thread {
            Thread::OnPost(post) => (Some(post.into()), None),
            Thread::Below(comment) => (None, Some(comment.into())),
        };
        let ids: Vec<Uuid> =
            ListDeepestComments { post_id, comment_id, limit }.load(self.conn).await?;
        Ok(ids.into_iter().map(CommentId::from).collect())
    }

    /// Deletes these comments on a post, and their counts. The post must be locked, and none of the comments may have
    /// further replies. Returns the number of deleted comments.
    pub async fn delete_all(&mut self, post: PostId, comments: &[CommentId]) -> Result<i64> {
        let comment_ids = comments.iter().copied().map(Uuid::from).collect();
        Ok(DeleteComments { post_id: post.into(), comment_ids }.get_result(self.conn).await?)
    }

    /// Finds an author's oldest comment, also if it is deleted. Of the author's comments in one thread, it has
    /// the others below it.
    pub async fn find_oldest_by(&mut self, author: UserId) -> Result<Option<CommentId>> {
        let comment: Option<Uuid> = comments::table
            .filter(comments::author_id.eq(i64::from(author)))
            .select(comments::id)
            .order(comments::created_at)
            .first(self.conn)
            .await
            .optional()?;
        Ok(comment.map(CommentId::from))
    }

    /// Finds the owners of a comment, regardless of blocks and of the visibility of its post.
    pub async fn find_owners(&mut self, comment: CommentId) -> Result<Option<CommentOwners>> {
        let row: Option<(Uuid, i64, i64)> = comments::table
            .inner_join(posts::table.on(posts::id.eq(comments::post_id)))
            .filter(comments::id.eq(Uuid::from(comment)))
            .filter(comments::deleted_at.is_null())
            .filter(posts::deleted_at.is_null())
            .select((comments::post_id, comments::author_id, posts::author_id))
            .first(self.conn)
            .await
            .optional()?;
        Ok(row.map(|(post, author, post_author)| CommentOwners {
            post: post.into(),
            author: author.into(),
            post_author: post_author.into(),
        }))
    }
}

/// Comments that are deleted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thread {
    /// All comments on a post.
    OnPost(PostId),
    /// A comment with all replies, direct and indirect.
    Below(CommentId),
}

statement! {
    InsertComment {
        id: Uuid as SqlUuid,
        author_id: i64 as BigInt,
        post_id: Uuid as SqlUuid,
        parent_id: Option<Uuid> as Nullable<SqlUuid>,
        content: String as Text,
        created_at: DateTime<Utc> as Timestamptz,
    } -> Integer,
    insertion(
        "= :post_id",
        "changed AS (
            INSERT INTO comments (id, author_id, post_id, parent_id, content, created_at)
            SELECT :id, :author_id, id, :parent_id, :content, :created_at
            FROM post WHERE is_public OR author_id = :author_id
            RETURNING post_id
        )",
        ["comments_count", "count(*)"],
        "SELECT number FROM counted",
    )
}

statement! {
    /// Locks the post before the comment, so that the returned text is the one that was replaced.
    UpdateComment {
        comment_id: Uuid as SqlUuid,
        post_id: Uuid as SqlUuid,
        content: String as Text,
        updated_at: Option<DateTime<Utc>> as Nullable<Timestamptz>,
    } -> Text,
    "WITH post AS MATERIALIZED (
        SELECT id FROM posts WHERE id = :post_id FOR NO KEY UPDATE
    ), replaced AS MATERIALIZED (
        SELECT comments.id, comments.content FROM comments JOIN post ON post.id = comments.post_id
        WHERE comments.id = :comment_id FOR NO KEY UPDATE OF comments
    ), changed AS (
        UPDATE comments SET content = :content, updated_at = :updated_at FROM replaced WHERE comments.id = replaced.id
    )
    SELECT content FROM replaced"
}

statement! {
    /// Reads the whole thread, by its index.
    ListDeepestComments {
        post_id: Option<Uuid> as Nullable<SqlUuid>,
        comment_id: Option<Uuid> as Nullable<SqlUuid>,
        limit: i64 as BigInt,
    } -> SqlUuid,
    "WITH RECURSIVE tree AS (
        SELECT id, 0 AS depth FROM comments WHERE post_id = :post_id AND parent_id IS NULL
        UNION ALL
        SELECT id, 0 FROM comments WHERE id = :comment_id
        UNION ALL
        SELECT comments.id, depth + 1 FROM comments JOIN tree ON comments.parent_id = tree.id
    )
    SELECT id FROM tree ORDER BY depth DESC LIMIT :limit"
}

statement! {
    /// The post is locked.
    DeleteComments { post_id: Uuid as SqlUuid, comment_ids: Vec<Uuid> as Array<SqlUuid> } -> BigInt,
    deletion(
        "comments",
        "post_id = :post_id AND id = ANY (:comment_ids)",
        ["comments_count", "count(*)"],
        "SELECT count(*) FROM changed",
    )
}
