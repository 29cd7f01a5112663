//! `/posts`: posts.

mod bodies;
pub(crate) mod comments;
pub(crate) mod feed;
pub(crate) mod hearts;
pub(crate) mod reactions;
pub(crate) mod shares;
mod view;

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, ContentType, ETAG, EntityTag};
use actix_web::web::Data;
use actix_web::{HttpResponse, delete, get, patch, post};
use grateful_application::{App, RecordedResponse, posts};
use grateful_domain::PostForViewer;

use self::bodies::{NewPost, NewPostForm, PostForm, PostPatch};
use crate::error::ApiError;
use crate::request::{
    IdempotentBody, IfMatch, IfNoneMatch, JsonBody, MaybeSignedIn, PostPath, SignedIn,
};
use crate::response::{Problem, etag, replayable_builder};

pub(crate) use self::view::{AuthorView, PostView};

/// Creates a post.
#[utoipa::path(
    tag = "posts",
    request_body = NewPost,
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes retries of the request safe")),
    responses((status = 201, body = PostView), (status = 409, body = Problem)),
)]
#[post("/posts")]
pub(crate) async fn create_post(
    app: Data<App>,
    me: SignedIn,
    IdempotentBody { body, idempotency }: IdempotentBody<NewPost>,
) -> Result<HttpResponse, ApiError> {
    let draft = body.parse()?;
    let recorded = posts::create(&app, me.user(), draft, idempotency, stored_post).await?;
    Ok(created_response(recorded))
}

/// Creates a post from a form, with or without an image.
#[utoipa::path(
    tag = "posts",
    request_body(content = NewPostForm, content_type = "multipart/form-data"),
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes retries of the request safe")),
    responses(
        (status = 201, body = PostView),
        (status = 409, body = Problem),
        (status = 413, body = Problem),
        (status = 415, body = Problem),
        (status = 422, body = Problem),
        (status = 503, body = Problem),
    ),
)]
#[post("/posts/upload")]
pub(crate) async fn create_post_with_image(
    app: Data<App>,
    me: SignedIn,
    PostForm { draft, image, idempotency }: PostForm,
) -> Result<HttpResponse, ApiError> {
    let author = me.user();
    let recorded = match image {
        Some(image) => {
            posts::create_with_image(&app, author, draft, image, idempotency, stored_post).await?
        }
        None => posts::create(&app, author, draft, idempotency, stored_post).await?,
    };
    Ok(created_response(recorded))
}

/// Returns a post.
#[utoipa::path(
    tag = "posts",
    params(
        ("id" = Uuid, Path, description = "Post id"),
        ("If-None-Match" = Option<String>, Header, description = "Entity tags of the copies that the client has. If one is current, the response is 304"),
    ),
    responses((status = 200, body = PostView), (status = 304), (status = 404, body = Problem)),
)]
#[get("/posts/{id}")]
pub(crate) async fn get_post(
    app: Data<App>,
    MaybeSignedIn(viewer): MaybeSignedIn,
    PostPath(post): PostPath,
    if_none_match: IfNoneMatch,
) -> Result<HttpResponse, ApiError> {
    let post = posts::get(&app, viewer, post).await?;
    let is_current = if_none_match.matches(&etag(post.post.revision()));
    Ok(if is_current { not_modified(&post) } else { tagged(post) })
}

/// Updates a post of the caller.
#[utoipa::path(
    tag = "posts",
    request_body = PostPatch,
    params(
        ("id" = Uuid, Path, description = "Post id"),
        ("If-Match" = Option<String>, Header, description = "Entity tags of the states in which the post may be updated. In any other state, the response is 412"),
    ),
    responses(
        (status = 200, body = PostView),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 412, body = Problem),
    ),
)]
#[patch("/posts/{id}")]
pub(crate) async fn update_post(
    app: Data<App>,
    me: SignedIn,
    PostPath(post): PostPath,
    if_match: IfMatch,
    JsonBody(patch): JsonBody<PostPatch>,
) -> Result<HttpResponse, ApiError> {
    let allows = |revision| if_match.allows(&etag(revision));
    Ok(tagged(posts::update(&app, me.user(), post, patch.parse()?, allows).await?))
}

/// Deletes a post of the caller with its comments, hearts, reactions and shares.
#[utoipa::path(
    tag = "posts",
    params(("id" = Uuid, Path, description = "Post id")),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem)),
)]
#[delete("/posts/{id}")]
pub(crate) async fn delete_post(
    app: Data<App>,
    me: SignedIn,
    PostPath(post): PostPath,
) -> Result<HttpResponse, ApiError> {
    posts::delete(&app, me.user(), post).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Every copy must be revalidated before use: the tag does not cover what other users do to the post.
const REVALIDATE: (actix_web::http::header::HeaderName, &str) =
    (CACHE_CONTROL, "private, no-cache");

fn tagged(post: PostForViewer) -> HttpResponse {
    let tag = etag(post.post.revision());
    HttpResponse::Ok()
        .insert_header((ETAG, tag))
        .insert_header(REVALIDATE)
        .json(PostView::from(post))
}

fn not_modified(post: &PostForViewer) -> HttpResponse {
    let tag = etag(post.post.revision());
    HttpResponse::NotModified().insert_header((ETAG, tag)).insert_header(REVALIDATE).finish()
}

/// A created post as it is stored for replays: its entity tag, a line break, its body.
fn stored_post(post: &PostForViewer) -> Vec<u8> {
    let tag = etag(post.post.revision());
    let body = serde_json::to_string(&PostView::from(post.clone())).unwrap_or_default();
    format!("{}\n{body}", tag.tag()).into_bytes()
}

fn created_response(recorded: RecordedResponse) -> HttpResponse {
    let (stored, mut response) = replayable_builder(recorded, StatusCode::CREATED);
    let stored = String::from_utf8_lossy(&stored);
    let (tag, body) = stored.split_once('\n').unwrap_or_default();
    response.insert_header((ETAG, EntityTag::new_strong(tag.to_owned())));
    response.content_type(ContentType::json()).body(body.to_owned())
}
