//! The `comments` table: what is said about posts, and how much.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::dsl::{self, AsSelect, IntoBoxed, not};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use grateful_domain::{
    Comment, CommentForViewer, CommentId, CommentText, Limit, Page, PageRequest, PostId, UserId,
    Viewer,
};
use uuid::Uuid;

use crate::query::{
    Direction, ListOrder, ReplyCount, Sql, blocked_by, blockers_of, paginate_by_time, statement,
    top_per_list,
};
use crate::rows::{AuthorRow, CommentRow};
use crate::schema::{comments, users};
use crate::{Connection, Result};

/// Comments, as seen through one connection.
pub struct Comments<'c> {
    pub(super) conn: &'c mut Connection,
}

impl Comments<'_> {
    /// The foreign key to the comment that is answered.
    pub const PARENT_KEY: &'static str = "comments_parent_id_fkey";

    /// Adds a comment and counts it. Tells whether it is there now; it is not where the post is gone or not its author's
    /// to see.
    ///
    /// # Errors
    /// `Missing` by [`Comments::PARENT_KEY`] where the comment that it answers is gone or on another post; by
    /// `comments_author_id_fkey` where its author is gone.
    pub async fn insert(&mut self, comment: &Comment) -> Result<bool> {
        let insert = InsertComment {
            id: comment.id.into(),
            author: comment.author.into(),
            post: comment.post.into(),
            parent: comment.parent.map(Uuid::from),
            text: comment.text.as_str().to_owned(),
            at: comment.created_at,
        };
        Ok(insert.get_result::<i32>(self.conn).await.optional()?.is_some())
    }

    /// Saves other words, under the lock of the post. Returns those that they replace, unless the comment is gone.
    pub async fn update(&mut self, comment: &Comment) -> Result<Option<CommentText>> {
        let update = UpdateComment {
            comment: comment.id.into(),
            post: comment.post.into(),
            text: comment.text.as_str().to_owned(),
            at: comment.updated_at,
        };
        let replaced: Option<String> = update.get_result(self.conn).await.optional()?;
        Ok(replaced.map(CommentText::from_stored))
    }

    /// Removes a comment with all answers to it, and counts them no more. Tells how many there were.
    ///
    /// Lock the post first: an answer that is being written would otherwise go uncounted.
    pub async fn delete(&mut self, post: PostId, comment: CommentId) -> Result<i64> {
        let delete = DeleteThread { comment: comment.into(), post: post.into() };
        Ok(delete.get_result(self.conn).await?)
    }

    /// Up to `limit` comments by this person, with the posts that they are on.
    pub async fn list_ids_by(
        &mut self,
        author: UserId,
        limit: i64,
    ) -> Result<Vec<(PostId, CommentId)>> {
        let rows: Vec<(Uuid, Uuid)> = comments::table
            .filter(comments::author_id.eq(i64::from(author)))
            .select((comments::post_id, comments::id))
            .order(comments::created_at.desc())
            .limit(limit)
            .load(self.conn)
            .await?;
        Ok(rows.into_iter().map(|(post, comment)| (post.into(), comment.into())).collect())
    }

    /// The comment with this id, unless it is gone or across a block. Whether its post may be seen is the caller's to ask.
    pub async fn find(
        &mut self,
        viewer: UserId,
        comment: CommentId,
    ) -> Result<Option<CommentForViewer>> {
        let row: Option<CommentForViewerRow> = visible_comments(viewer)
            .filter(comments::id.eq(Uuid::from(comment)))
            .first(self.conn)
            .await
            .optional()?;
        Ok(row.map(CommentForViewerRow::into))
    }

    /// What was said about a post itself, oldest first, nobody across a block.
    pub async fn list(
        &mut self,
        viewer: UserId,
        post: PostId,
        page: PageRequest,
    ) -> Result<Page<CommentForViewer>> {
        self.thread(viewer, Thread::OfPost(post), page).await
    }

    /// The answers to a comment, oldest first, nobody across a block.
    pub async fn list_replies(
        &mut self,
        viewer: UserId,
        comment: CommentId,
        page: PageRequest,
    ) -> Result<Page<CommentForViewer>> {
        self.thread(viewer, Thread::RepliesTo(comment), page).await
    }

    /// What was said about each of these posts itself, up to `limit` of each, oldest first, nobody across a block, in one
    /// statement. Posts about which nothing was said, or that `viewer` may not see, are not in the map.
    pub async fn list_on_each_post(
        &mut self,
        viewer: UserId,
        posts: &[PostId],
        limit: Limit,
    ) -> Result<HashMap<PostId, Vec<CommentForViewer>>> {
        let rows: Vec<CommentForViewerRow> = visible_comments(viewer)
            .filter(is_top_comment(viewer, posts, limit))
            .order((comments::created_at, comments::id))
            .load(self.conn)
            .await?;
        let mut comments: HashMap<PostId, Vec<CommentForViewer>> = HashMap::new();
        for row in rows {
            let seen = CommentForViewer::from(row);
            comments.entry(seen.comment.post).or_default().push(seen);
        }
        Ok(comments)
    }

    /// A comment and all answers to it, and to them. None is added while their post is locked.
    pub async fn list_thread_ids(&mut self, comment: CommentId) -> Result<Vec<CommentId>> {
        let ids: Vec<Uuid> = ThreadIds { comment: comment.into() }.load(self.conn).await?;
        Ok(ids.into_iter().map(CommentId::from).collect())
    }

    async fn thread(
        &mut self,
        viewer: UserId,
        thread: Thread,
        page: PageRequest,
    ) -> Result<Page<CommentForViewer>> {
        let query = visible_comments(viewer)
            // The parent is the same for all of them; where it is null, only its mention leads to the order of the index.
            .order((comments::parent_id, comments::created_at, comments::id));
        let query = match thread {
            Thread::OfPost(post) => query
                .filter(comments::post_id.eq(Uuid::from(post)))
                .filter(comments::parent_id.is_null()),
            Thread::RepliesTo(comment) => query.filter(comments::parent_id.eq(Uuid::from(comment))),
        };
        let rows: Vec<CommentForViewerRow> =
            paginate_by_time(query, page, "comments.created_at", Direction::Ascending)
                .load(self.conn)
                .await?;
        let seen = rows.into_iter().map(CommentForViewerRow::into).collect();
        Ok(Page::from_overfetch(seen, page.limit, |seen: &CommentForViewer| {
            seen.comment.position()
        }))
    }
}

/// Comments as this person sees them, none across a block.
fn visible_comments(viewer: UserId) -> IntoBoxed<'static, comments_with_authors, Pg> {
    comments_with_authors(ReplyCount::visible_to(viewer))
        .filter(not(comments::author_id.eq_any(blockers_of(viewer.into()))))
        .filter(not(comments::author_id.eq_any(blocked_by(viewer.into()))))
        .into_boxed()
}

#[dsl::auto_type]
fn comments_with_authors(replies: ReplyCount) -> _ {
    let comment: AsSelect<CommentRow, Pg> = CommentRow::as_select();
    let author: AsSelect<AuthorRow, Pg> = AuthorRow::as_select();
    comments::table.inner_join(users::table).select((comment, author, replies))
}

/// Whether a comment is among the first about one of these posts, which `viewer` may see.
///
/// Reads so many comments of each, and those before them by people across a block.
fn is_top_comment(viewer: UserId, posts: &[PostId], limit: Limit) -> Sql {
    let not_blocked = |person: &str| Sql::not_blocked(Viewer::User(viewer), Sql::new(person));
    let ids: Vec<Uuid> = posts.iter().copied().map(Uuid::from).collect();
    let posts = Sql::new("SELECT id FROM posts WHERE id = ANY (")
        .value(ids)
        .sql(") AND (is_public OR author_id = ")
        .value(viewer)
        .sql(") AND ")
        .append(not_blocked("author_id"));
    let about = |post: &str| {
        Sql::new("SELECT it.id, it.created_at, ").append(not_blocked("it.author_id")).sql(format!(
            " AS seen FROM comments AS it WHERE it.post_id = {post} AND it.parent_id IS NULL"
        ))
    };
    let is_top_comment = top_per_list(posts, about, ListOrder::OldestInThread, limit);
    Sql::new("comments.id = ANY (ARRAY(").append(is_top_comment).sql("))")
}

/// Which comments stand beside each other.
enum Thread {
    OfPost(PostId),
    RepliesTo(CommentId),
}

/// A comment with its author and the number of answers to it.
#[derive(Queryable)]
struct CommentForViewerRow {
    comment: CommentRow,
    author: AuthorRow,
    replies: i64,
}

impl From<CommentForViewerRow> for CommentForViewer {
    fn from(row: CommentForViewerRow) -> Self {
        Self { comment: row.comment.into(), author: row.author.into(), replies: row.replies }
    }
}

statement! {
    /// Locks the post before it touches anything below it.
    InsertComment(
        id: Uuid as SqlUuid,
        author: i64 as BigInt,
        post: Uuid as SqlUuid,
        parent: Option<Uuid> as Nullable<SqlUuid>,
        text: String as Text,
        at: DateTime<Utc> as Timestamptz
    ) -> Integer {
        "post AS MATERIALIZED (
            SELECT id FROM posts WHERE id = $3 AND (is_public OR author_id = $2) FOR NO KEY UPDATE
        ), made AS (
            INSERT INTO comments (id, author_id, post_id, parent_id, content, created_at)
            SELECT $1, $2, id, $4, $5, $6 FROM post
            RETURNING post_id
        )
        UPDATE posts SET comments_count = comments_count + 1 FROM made WHERE posts.id = made.post_id
        RETURNING comments_count"
    }
}

statement! {
    /// Locks the post before the comment, so that other words are compared with those that they really replace.
    UpdateComment(
        comment: Uuid as SqlUuid,
        post: Uuid as SqlUuid,
        text: String as Text,
        at: Option<DateTime<Utc>> as Nullable<Timestamptz>
    ) -> Text {
        "post AS MATERIALIZED (
            SELECT id FROM posts WHERE id = $2 FOR NO KEY UPDATE
        ), replaced AS MATERIALIZED (
            SELECT comments.id, comments.content FROM comments JOIN post ON post.id = comments.post_id
            WHERE comments.id = $1 FOR NO KEY UPDATE OF comments
        ), changed AS (
            UPDATE comments SET content = $3, updated_at = $4 FROM replaced WHERE comments.id = replaced.id
        )
        SELECT content FROM replaced"
    }
}

statement! {
    ThreadIds(comment: Uuid as SqlUuid) -> SqlUuid {
        "tree AS (
            WITH RECURSIVE tree AS (
                SELECT id FROM comments WHERE id = $1
                UNION ALL
                SELECT comments.id FROM comments JOIN tree ON comments.parent_id = tree.id
            )
            SELECT id FROM tree
        )
        SELECT id FROM tree"
    }
}

statement! {
    /// Counts the whole tree, which the foreign key alone would take away uncounted.
    DeleteThread(comment: Uuid as SqlUuid, post: Uuid as SqlUuid) -> BigInt {
        "tree AS (
            WITH RECURSIVE tree AS (
                SELECT id FROM comments WHERE id = $1 AND post_id = $2
                UNION ALL
                SELECT comments.id FROM comments JOIN tree ON comments.parent_id = tree.id
            )
            SELECT id FROM tree
        ), gone AS (
            DELETE FROM comments WHERE id IN (SELECT id FROM tree) RETURNING id
        ), counted AS (
            UPDATE posts SET comments_count = comments_count - (SELECT count(*) FROM gone)::integer
            WHERE id = $2
        )
        SELECT count(*) FROM gone"
    }
}
