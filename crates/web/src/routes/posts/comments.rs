//! `/posts/{id}/comments` and `/comments`: comments and replies.

use actix_web::HttpResponse;
use actix_web::web::Data;
use grateful_application::comments::CommentDraft;
use grateful_application::{App, comments};
use grateful_domain::{
    CommentForViewer, CommentId, CommentText, FieldValidator, HiddenComment, ListedComment, PostId,
    ValidationError,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::cursors::ListKey;
use crate::error::ApiError;
use crate::request::{
    CommentPath, Field, IdempotentBody, JsonBody, PageParams, PostPath, QueryParameters, SignedIn,
    SignedInReader,
};
use crate::response::{Envelope, JsonResponse, Problem, RecordedJson, Timestamp, stored_body};
use crate::routes::posts::AuthorView;

#[derive(Deserialize, ToSchema)]
pub(crate) struct NewComment {
    #[serde(default)]
    #[schema(value_type = String, required, max_length = 500)]
    content: Field<String>,
    /// The comment that this one replies to.
    #[serde(default)]
    #[schema(value_type = Option<Uuid>)]
    parent_id: Field<String>,
}

impl NewComment {
    fn parse(self, post: PostId) -> Result<CommentDraft, ValidationError> {
        let mut fields = FieldValidator::default();
        let text = fields.check("content", self.content.required(|raw| CommentText::parse(&raw)));
        let parent =
            self.parent_id.optional(|raw| Uuid::parse_str(&raw).map_err(|_| "must be a UUID"));
        let parent = fields.check("parent_id", parent);
        fields.finish(|| {
            Some(CommentDraft { post, parent: parent?.map(CommentId::from), text: text? })
        })
    }
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct CommentPatch {
    #[serde(default)]
    #[schema(value_type = String, required, max_length = 500)]
    content: Field<String>,
}

impl CommentPatch {
    fn parse(self) -> Result<CommentText, ValidationError> {
        let mut fields = FieldValidator::default();
        let text = fields.check("content", self.content.required(|raw| CommentText::parse(&raw)));
        fields.finish(|| text)
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct CommentView {
    id: Uuid,
    post_id: Uuid,
    author: AuthorView,
    parent_id: Option<Uuid>,
    content: String,
    created_at: Timestamp,
    updated_at: Option<Timestamp>,
    /// The number of replies that the caller may see, and of placeholders among them.
    replies_count: i64,
}

/// A comment in a list, or the placeholder for one across a block: `hidden` is true, and `author` and `content` are null.
///
/// Only the author of the post gets placeholders, for comments with replies that they may see.
#[derive(Serialize, ToSchema)]
pub(crate) struct ListedCommentView {
    id: Uuid,
    post_id: Uuid,
    author: Option<AuthorView>,
    parent_id: Option<Uuid>,
    content: Option<String>,
    created_at: Timestamp,
    updated_at: Option<Timestamp>,
    /// The number of replies that the caller may see, and of placeholders among them.
    replies_count: i64,
    /// True for a placeholder, otherwise absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    hidden: Option<bool>,
}

/// Creates a comment on a post, or a reply to a comment.
#[utoipa::path(
    post,
    path = "/posts/{id}/comments",
    tag = "comments",
    request_body(content = NewComment, example = json!({"content": "Me too!"})),
    params(
        ("id" = Uuid, Path, description = "Post id"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes retries of the request safe"),
    ),
    responses(
        (status = 201, body = Envelope<CommentView>, description = "The new comment"),
        (status = 404, body = Problem, description = "The post or the parent comment does not exist, or the caller cannot see it"),
        (status = 409, body = Problem),
    ),
)]
pub(crate) async fn create_comment(
    app: Data<App>,
    me: SignedIn,
    PostPath(post): PostPath,
    IdempotentBody { body, idempotency }: IdempotentBody<NewComment>,
) -> Result<RecordedJson, ApiError> {
    let record = |comment: &CommentForViewer| stored_body(&CommentView::from(comment.clone()));
    let draft = body.parse(post)?;
    let recorded = comments::create(&app, me.user(), draft, idempotency, record).await?;
    Ok(JsonResponse::recorded(recorded).in_envelope().created())
}

/// Lists the top-level comments on a post, oldest first.
#[utoipa::path(
    get,
    path = "/posts/{id}/comments",
    tag = "comments",
    params(("id" = Uuid, Path, description = "Post id"), PageParams<100>),
    responses(
        (status = 200, body = Envelope<Vec<ListedCommentView>>, description = "A page of comments"),
        (status = 404, body = Problem),
    ),
)]
pub(crate) async fn list_comments(
    app: Data<App>,
    me: SignedInReader,
    PostPath(post): PostPath,
    QueryParameters(page): QueryParameters<PageParams<100>>,
) -> Result<JsonResponse<Vec<ListedCommentView>>, ApiError> {
    let request = page.parse(ListKey::Comments(post))?;
    let page = me.read(async |user| comments::list(&app, user, post, request).await).await?;
    Ok(JsonResponse::list(page, ListKey::Comments(post)).in_envelope())
}

/// Lists the replies to a comment, oldest first.
#[utoipa::path(
    get,
    path = "/comments/{id}/replies",
    tag = "comments",
    params(("id" = Uuid, Path, description = "Comment id"), PageParams<100>),
    responses(
        (status = 200, body = Envelope<Vec<ListedCommentView>>, description = "A page of replies"),
        (status = 404, body = Problem),
    ),
)]
pub(crate) async fn list_replies(
    app: Data<App>,
    me: SignedInReader,
    CommentPath(comment): CommentPath,
    QueryParameters(page): QueryParameters<PageParams<100>>,
) -> Result<JsonResponse<Vec<ListedCommentView>>, ApiError> {
    let request = page.parse(ListKey::Replies(comment))?;
    let list = async |user| comments::list_replies(&app, user, comment, request).await;
    let page = me.read(list).await?;
    Ok(JsonResponse::list(page, ListKey::Replies(comment)).in_envelope())
}

/// Updates a comment of the caller.
#[utoipa::path(
    patch,
    path = "/comments/{id}",
    tag = "comments",
    request_body(content = CommentPatch, example = json!({"content": "So am I!"})),
    params(("id" = Uuid, Path, description = "Comment id")),
    responses(
        (status = 200, body = Envelope<CommentView>, description = "The comment after the update"),
        (status = 403, body = Problem, description = "The comment belongs to another user"),
        (status = 404, body = Problem),
    ),
)]
pub(crate) async fn update_comment(
    app: Data<App>,
    me: SignedIn,
    CommentPath(comment): CommentPath,
    JsonBody(patch): JsonBody<CommentPatch>,
) -> Result<JsonResponse<CommentView>, ApiError> {
    let comment = comments::update(&app, me.user(), comment, patch.parse()?).await?;
    Ok(JsonResponse::enveloped(comment.into()))
}

/// Deletes a comment and all its replies. Allowed to its author, even if they can no longer see the post, and to the
/// author of the post, even across a block.
#[utoipa::path(
    delete,
    path = "/comments/{id}",
    tag = "comments",
    params(("id" = Uuid, Path, description = "Comment id")),
    responses(
        (status = 204, description = "The comment is deleted"),
        (status = 403, body = Problem, description = "Neither the comment nor the post belongs to the caller"),
        (status = 404, body = Problem),
    ),
)]
pub(crate) async fn delete_comment(
    app: Data<App>,
    me: SignedIn,
    CommentPath(comment): CommentPath,
) -> Result<HttpResponse, ApiError> {
    comments::delete(&app, me.user(), comment).await?;
    Ok(HttpResponse::NoContent().finish())
}

impl From<CommentForViewer> for CommentView {
    fn from(comment: CommentForViewer) -> Self {
        let CommentForViewer { comment, author, replies } = comment;
        Self {
            id: comment.id.into(),
            post_id: comment.post.into(),
            author: author.into(),
            parent_id: comment.parent.map(Uuid::from),
            content: comment.text.into(),
            created_at: comment.created_at.into(),
            updated_at: comment.updated_at.map(Into::into),
            replies_count: replies,
        }
    }
}

impl From<ListedComment> for ListedCommentView {
    fn from(comment: ListedComment) -> Self {
        match comment {
            ListedComment::Visible(comment) => CommentView::from(comment).into(),
            ListedComment::Hidden(comment) => comment.into(),
        }
    }
}

impl From<CommentView> for ListedCommentView {
    fn from(comment: CommentView) -> Self {
        Self {
            id: comment.id,
            post_id: comment.post_id,
            author: Some(comment.author),
            parent_id: comment.parent_id,
            content: Some(comment.content),
            created_at: comment.created_at,
            updated_at: comment.updated_at,
            replies_count: comment.replies_count,
            hidden: None,
        }
    }
}

impl From<HiddenComment> for ListedCommentView {
    fn from(comment: HiddenComment) -> Self {
        Self {
            id: comment.id.into(),
            post_id: comment.post.into(),
            author: None,
            parent_id: comment.parent.map(Uuid::from),
            content: None,
            created_at: comment.created_at.into(),
            updated_at: comment.updated_at.map(Into::into),
            replies_count: comment.replies,
            hidden: Some(true),
        }
    }
}
