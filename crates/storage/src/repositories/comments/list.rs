//! Finding and listing comments for a viewer.

use chrono::{DateTime, Utc};
use diesel::dsl::{AsSelect, SqlTypeOf};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use grateful_domain::{
    Comment, CommentForViewer, CommentId, HiddenComment, HiddenComments, ListedComment, Page,
    PageRequest, PageStart, Position, PostId, UserId,
};
use uuid::Uuid;

use super::Comments;
use crate::query::statement;
use crate::rows::{AuthorRow, CommentRow};
use crate::{ReadConnection, Result};

impl<C: ReadConnection> Comments<'_, C> {
    /// Finds a comment by id, unless there is a block between its author and the viewer. The caller must check whether the
    /// viewer can see the post.
    pub async fn find(
        &mut self,
        viewer: UserId,
        comment: CommentId,
    ) -> Result<Option<CommentForViewer>> {
        let find = FindComment { viewer_id: viewer.into(), comment_id: comment.into() };
        let row: Option<CommentRowForViewer> = find.get_result(self.conn).await.optional()?;
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
        let find = FindPostOfListed { viewer_id: viewer.into(), comment_id: comment.into() };
        let post: Option<Uuid> = find.get_result(self.conn).await.optional()?;
        Ok(post.map(PostId::from))
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
        let (after_time, after_id, offset) = start(page);
        let list = ListComments {
            viewer_id: viewer.into(),
            post_id: post.into(),
            with_placeholders: hidden == HiddenComments::Placeholders,
            after_time,
            after_id,
            offset,
            limit: i64::from(page.limit) + 1,
        };
        Ok(comment_page(list.load(self.conn).await?, page))
    }

    /// Lists the replies to a comment, like [`Comments::list`].
    pub async fn list_replies(
        &mut self,
        viewer: UserId,
        comment: CommentId,
        hidden: HiddenComments,
        page: PageRequest,
    ) -> Result<Page<ListedComment>> {
        let (after_time, after_id, offset) = start(page);
        let list = ListReplies {
            viewer_id: viewer.into(),
            comment_id: comment.into(),
            with_placeholders: hidden == HiddenComments::Placeholders,
            after_time,
            after_id,
            offset,
            limit: i64::from(page.limit) + 1,
        };
        Ok(comment_page(list.load(self.conn).await?, page))
    }
}

/// The position before the first comment of a page, and the number of comments to skip from there.
fn start(page: PageRequest) -> (Option<DateTime<Utc>>, Uuid, i64) {
    match page.start {
        PageStart::Offset(offset) => (None, Uuid::nil(), offset.into()),
        PageStart::After(Position { at, id }) => (Some(at), id, 0),
    }
}

fn comment_page(rows: Vec<CommentRowForViewer>, page: PageRequest) -> Page<ListedComment> {
    let comments = rows.into_iter().map(ListedComment::from).collect();
    Page::from_overfetch(comments, page.limit, ListedComment::position)
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

/// The columns of [`CommentRowForViewer`].
type CommentColumns =
    (SqlTypeOf<AsSelect<CommentRow, Pg>>, SqlTypeOf<AsSelect<AuthorRow, Pg>>, BigInt, Bool);

statement! {
    FindComment { viewer_id: i64 as BigInt, comment_id: Uuid as SqlUuid } -> CommentColumns,
    format!(
        "SELECT {COMMENT_COLUMNS}, {replies}, true
        FROM comments JOIN users ON users.id = comments.author_id JOIN posts ON posts.id = comments.post_id
        WHERE comments.id = :comment_id AND comments.deleted_at IS NULL AND {is_visible}",
        replies = reply_count("posts.author_id = :viewer_id"),
        is_visible = is_visible("comments"),
    )
}

statement! {
    FindPostOfListed { viewer_id: i64 as BigInt, comment_id: Uuid as SqlUuid } -> SqlUuid,
    format!(
        "SELECT posts.id FROM comments JOIN posts ON posts.id = comments.post_id
        WHERE comments.id = :comment_id AND {}",
        is_listed("comments", "posts.author_id = :viewer_id"),
    )
}

statement! {
    ListComments {
        viewer_id: i64 as BigInt,
        post_id: Uuid as SqlUuid,
        with_placeholders: bool as Bool,
        after_time: Option<DateTime<Utc>> as Nullable<Timestamptz>,
        after_id: Uuid as SqlUuid,
        offset: i64 as BigInt,
        limit: i64 as BigInt,
    } -> CommentColumns,
    listed_comments("comments.post_id = :post_id AND comments.parent_id IS NULL")
}

statement! {
    ListReplies {
        viewer_id: i64 as BigInt,
        comment_id: Uuid as SqlUuid,
        with_placeholders: bool as Bool,
        after_time: Option<DateTime<Utc>> as Nullable<Timestamptz>,
        after_id: Uuid as SqlUuid,
        offset: i64 as BigInt,
        limit: i64 as BigInt,
    } -> CommentColumns,
    listed_comments("comments.parent_id = :comment_id")
}

/// The columns of a comment and its author.
const COMMENT_COLUMNS: &str =
    "comments.id, comments.author_id, comments.post_id, comments.parent_id, comments.content, comments.created_at,
        comments.updated_at, users.id, users.username, users.display_name, users.profile_image_url";

/// True if the author of the row `comment` is not hidden from the viewer (`:viewer_id`).
fn is_visible(comment: &str) -> String {
    format!("NOT ({comment}.author_id = ANY (SELECT user_id FROM hidden_users(:viewer_id)))")
}

/// True if the row `comment` is in the list: it is not deleted, and it is visible, or has a placeholder, because a reply below
/// it is visible. `with_placeholders` is the condition that the viewer gets placeholders.
///
/// Reads the replies until it finds a visible one, level by level, and none below a visible one.
fn is_listed(comment: &str, with_placeholders: &str) -> String {
    let (is_visible, is_reply_visible) = (is_visible(comment), is_visible("reply"));
    format!(
        "{comment}.deleted_at IS NULL AND (
            {is_visible}
            OR {with_placeholders} AND EXISTS (
                WITH RECURSIVE below AS (
                    SELECT reply.id, {is_reply_visible} AS is_visible
                    FROM comments AS reply WHERE reply.parent_id = {comment}.id AND reply.deleted_at IS NULL
                    UNION ALL
                    SELECT reply.id, {is_reply_visible}
                    FROM below JOIN comments AS reply ON reply.parent_id = below.id
                    WHERE NOT below.is_visible AND reply.deleted_at IS NULL
                )
                SELECT FROM below WHERE is_visible
            )
        )"
    )
}

/// The number of replies to a row of `comments` that the list of replies shows.
fn reply_count(with_placeholders: &str) -> String {
    let is_listed = is_listed("replies", with_placeholders);
    format!(
        "(
            SELECT count(*) FROM comments AS replies WHERE replies.parent_id = comments.id AND {is_listed}
        ) AS replies"
    )
}

/// Selects a page of comments, oldest first. `parent` is the condition that a row of `comments` belongs to the list.
fn listed_comments(parent: &str) -> String {
    let is_listed = is_listed("comments", ":with_placeholders");
    let (is_visible, replies) = (is_visible("comments"), reply_count(":with_placeholders"));
    // All comments have the same parent. If it is NULL, the planner uses the index only if the column is in the order.
    format!(
        "SELECT {COMMENT_COLUMNS},
        {replies},
        {is_visible} AS is_visible
        FROM comments JOIN users ON users.id = comments.author_id
        WHERE {parent} AND {is_listed}
            AND ROW(comments.created_at, comments.id) > ROW(coalesce(:after_time, '-infinity'), :after_id)
        ORDER BY comments.parent_id, comments.created_at, comments.id
        LIMIT :limit OFFSET :offset"
    )
}
