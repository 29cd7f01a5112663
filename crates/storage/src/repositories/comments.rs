//! The `comments` table, and the comment counters of posts.

use chrono::{DateTime, Utc};
use diesel::dsl::{self, AsSelect, IntoBoxed};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use grateful_domain::{
    Comment, CommentForViewer, CommentId, CommentText, HiddenComment, HiddenComments,
    ListedComment, Page, PageRequest, PostId, UserId,
};
use uuid::Uuid;

use crate::query::{CommentFilter, Direction, ReplyCount, Sql, paginate, statement};
use crate::rows::{AuthorRow, CommentRow};
use crate::schema::{comments, posts, users};
use crate::{Connection, Result};

/// The repository of comments.
pub struct Comments<'c> {
    pub(super) conn: &'c mut Connection,
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
            author: comment.author.into(),
            post: comment.post.into(),
            parent: comment.parent.map(Uuid::from),
            text: comment.text.as_str().to_owned(),
            at: comment.created_at,
        };
        Ok(insert.get_result::<i32>(self.conn).await.optional()?.is_some())
    }

    /// Updates the text of a comment under a lock on the post. Returns the previous text, or `None` if there is no such
    /// comment.
    pub async fn update(&mut self, comment: &Comment) -> Result<Option<CommentText>> {
        let update = UpdateComment {
            comment: comment.id.into(),
            post: comment.post.into(),
            text: comment.text.as_str().to_owned(),
            at: comment.updated_at,
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
        let list = match thread {
            Thread::OnPost(post) => ListDeepest { post: Some(post.into()), comment: None, limit },
            Thread::Below(comment) => {
                ListDeepest { post: None, comment: Some(comment.into()), limit }
            }
        };
        let ids: Vec<Uuid> = list.load(self.conn).await?;
        Ok(ids.into_iter().map(CommentId::from).collect())
    }

    /// Deletes these comments on a post, and their counts. The post must be locked, and none of the comments may have
    /// further replies. Returns the number of deleted comments.
    pub async fn delete_all(&mut self, post: PostId, comments: &[CommentId]) -> Result<i64> {
        let comments = comments.iter().copied().map(Uuid::from).collect();
        Ok(DeleteComments { post: post.into(), comments }.get_result(self.conn).await?)
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

    /// Finds a comment by id, unless there is a block between its author and the viewer. The caller must check whether the
    /// viewer can see the post.
    pub async fn find(
        &mut self,
        viewer: UserId,
        comment: CommentId,
    ) -> Result<Option<CommentForViewer>> {
        let is_visible = CommentFilter::visible_to(viewer).is_visible("comments");
        let replies = CommentFilter::reply_count_on_any_post(viewer);
        let row: Option<CommentRowForViewer> = comments_for_viewer(replies, Sql::new("true"))
            .filter(comments::id.eq(Uuid::from(comment)))
            .filter(is_visible)
            .first(self.conn)
            .await
            .optional()?;
        Ok(row.and_then(CommentRowForViewer::visible))
    }

    /// Finds the post of a comment whose replies the viewer can list: there is no block between its author and the viewer,
    /// or the viewer wrote the post and the comment has a visible reply. The caller must check whether the viewer can see
    /// the post.
    pub async fn find_post_of_listed(
        &mut self,
        viewer: UserId,
        comment: CommentId,
    ) -> Result<Option<PostId>> {
        let filter = CommentFilter::visible_to(viewer);
        let is_listed = filter
            .is_visible("comments")
            .sql(" OR posts.author_id = ")
            .value(viewer)
            .sql(" AND ")
            .append(filter.has_visible_replies("comments"));
        let post: Option<Uuid> = comments::table
            .inner_join(posts::table.on(posts::id.eq(comments::post_id)))
            .filter(comments::id.eq(Uuid::from(comment)))
            .filter(comments::deleted_at.is_null())
            .filter(Sql::new("(").append(is_listed).sql(")"))
            .select(comments::post_id)
            .first(self.conn)
            .await
            .optional()?;
        Ok(post.map(PostId::from))
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

    /// Lists the top-level comments of a post, oldest first. Of comments by authors with a block to or from the viewer, it
    /// shows what `hidden` says.
    ///
    /// Reads the comments on the page, and those across a block before and between them with their replies.
    pub async fn list(
        &mut self,
        viewer: UserId,
        post: PostId,
        hidden: HiddenComments,
        page: PageRequest,
    ) -> Result<Page<ListedComment>> {
        let filter = CommentFilter { viewer, hidden };
        self.list_by_parent(filter, CommentParent::Post(post), page).await
    }

    /// Lists the replies to a comment, like [`Comments::list`].
    pub async fn list_replies(
        &mut self,
        viewer: UserId,
        comment: CommentId,
        hidden: HiddenComments,
        page: PageRequest,
    ) -> Result<Page<ListedComment>> {
        let filter = CommentFilter { viewer, hidden };
        self.list_by_parent(filter, CommentParent::Comment(comment), page).await
    }

    async fn list_by_parent(
        &mut self,
        filter: CommentFilter,
        parent: CommentParent,
        page: PageRequest,
    ) -> Result<Page<ListedComment>> {
        let query = listed_comments(filter)
            // All comments have the same parent. If it is NULL, the planner uses the index only if the column is in the
            // order.
            .order((comments::parent_id, comments::created_at, comments::id));
        let query = match parent {
            CommentParent::Post(post) => query
                .filter(comments::post_id.eq(Uuid::from(post)))
                .filter(comments::parent_id.is_null()),
            CommentParent::Comment(comment) => {
                query.filter(comments::parent_id.eq(Uuid::from(comment)))
            }
        };
        let rows: Vec<CommentRowForViewer> =
            paginate(query, page, comments::created_at, comments::id, Direction::OldestFirst)
                .load(self.conn)
                .await?;
        let comments = rows.into_iter().map(ListedComment::from).collect();
        Ok(Page::from_overfetch(comments, page.limit, ListedComment::position))
    }
}

/// Selects the comments that a list shows.
fn listed_comments(filter: CommentFilter) -> IntoBoxed<'static, comments_for_viewer, Pg> {
    let is_visible = match filter.hidden {
        HiddenComments::LeftOut => Sql::new("true"),
        HiddenComments::Placeholders => filter.is_visible("comments"),
    };
    comments_for_viewer(filter.reply_count(), is_visible)
        .filter(filter.is_listed("comments"))
        .into_boxed()
}

/// Selects comments with their authors, their numbers of replies, and whether the viewer can see them.
#[dsl::auto_type]
fn comments_for_viewer(replies: ReplyCount, is_visible: Sql) -> _ {
    let comment: AsSelect<CommentRow, Pg> = CommentRow::as_select();
    let author: AsSelect<AuthorRow, Pg> = AuthorRow::as_select();
    comments::table.inner_join(users::table).select((comment, author, replies, is_visible))
}

/// Comments that are deleted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thread {
    /// All comments on a post.
    OnPost(PostId),
    /// A comment with all replies, direct and indirect.
    Below(CommentId),
}

/// The parent of the listed comments.
enum CommentParent {
    Post(PostId),
    Comment(CommentId),
}

/// A comment with its author, its number of replies, and whether the viewer can see it.
#[derive(Queryable)]
struct CommentRowForViewer {
    comment: CommentRow,
    author: AuthorRow,
    replies: i64,
    is_visible: bool,
}

impl CommentRowForViewer {
    fn visible(self) -> Option<CommentForViewer> {
        match ListedComment::from(self) {
            ListedComment::Visible(comment) => Some(comment),
            ListedComment::Hidden(_) => None,
        }
    }
}

impl From<CommentRowForViewer> for ListedComment {
    fn from(row: CommentRowForViewer) -> Self {
        let (comment, replies) = (Comment::from(row.comment), row.replies);
        if row.is_visible {
            Self::Visible(CommentForViewer { comment, author: row.author.into(), replies })
        } else {
            Self::Hidden(HiddenComment::new(&comment, replies))
        }
    }
}

statement! {
    /// Locks the post before the comment.
    InsertComment {
        id: Uuid as SqlUuid,
        author: i64 as BigInt,
        post: Uuid as SqlUuid,
        parent: Option<Uuid> as Nullable<SqlUuid>,
        text: String as Text,
        at: DateTime<Utc> as Timestamptz,
    } -> Integer,
    "WITH post AS MATERIALIZED (
        SELECT id FROM posts WHERE id = :post AND (is_public OR author_id = :author) FOR NO KEY UPDATE
    ), made AS (
        INSERT INTO comments (id, author_id, post_id, parent_id, content, created_at)
        SELECT :id, :author, id, :parent, :text, :at FROM post
        RETURNING post_id
    )
    UPDATE posts SET comments_count = comments_count + 1 FROM made WHERE posts.id = made.post_id
    RETURNING comments_count"
}

statement! {
    /// Locks the post before the comment, so that the returned text is the one that was replaced.
    UpdateComment {
        comment: Uuid as SqlUuid,
        post: Uuid as SqlUuid,
        text: String as Text,
        at: Option<DateTime<Utc>> as Nullable<Timestamptz>,
    } -> Text,
    "WITH post AS MATERIALIZED (
        SELECT id FROM posts WHERE id = :post FOR NO KEY UPDATE
    ), replaced AS MATERIALIZED (
        SELECT comments.id, comments.content FROM comments JOIN post ON post.id = comments.post_id
        WHERE comments.id = :comment FOR NO KEY UPDATE OF comments
    ), changed AS (
        UPDATE comments SET content = :text, updated_at = :at FROM replaced WHERE comments.id = replaced.id
    )
    SELECT content FROM replaced"
}

statement! {
    /// Reads the whole thread, by its index.
    ListDeepest {
        post: Option<Uuid> as Nullable<SqlUuid>,
        comment: Option<Uuid> as Nullable<SqlUuid>,
        limit: i64 as BigInt,
    } -> SqlUuid,
    "WITH tree AS (
        WITH RECURSIVE tree AS (
            SELECT id, 0 AS depth FROM comments WHERE post_id = :post AND parent_id IS NULL
            UNION ALL
            SELECT id, 0 FROM comments WHERE id = :comment
            UNION ALL
            SELECT comments.id, depth + 1 FROM comments JOIN tree ON comments.parent_id = tree.id
        )
        SELECT id, depth FROM tree
    )
    SELECT id FROM tree ORDER BY depth DESC LIMIT :limit"
}

statement! {
    /// The post is locked.
    DeleteComments { post: Uuid as SqlUuid, comments: Vec<Uuid> as Array<SqlUuid> } -> BigInt,
    "WITH gone AS (
        DELETE FROM comments WHERE post_id = :post AND id = ANY (:comments) RETURNING post_id
    ), lowered AS (
        SELECT post_id, count(*)::integer AS comments FROM gone GROUP BY post_id
    ), counted AS (
        UPDATE posts SET comments_count = comments_count - lowered.comments
        FROM lowered WHERE posts.id = lowered.post_id
    )
    SELECT count(*) FROM gone"
}
