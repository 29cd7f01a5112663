//! `/posts`: posts.

mod bodies;
pub(crate) mod comments;
pub(crate) mod feed;
pub(crate) mod hearts;
pub(crate) mod reactions;
pub(crate) mod shares;
mod tagged_post;
mod view;

use actix_web::HttpResponse;
use actix_web::web::Data;
use grateful_application::{App, posts};
use grateful_domain::PostForViewer;

use self::bodies::{NewPost, NewPostForm, PostForm, PostPatch};
use self::tagged_post::TaggedPost;
use crate::error::ApiError;
use crate::request::{
    IdempotentBody, IfMatch, IfNoneMatch, JsonBody, OptionalReader, PostPath, SignedIn,
};
use crate::response::Problem;

pub(crate) use self::view::{AuthorView, PostView};

/// Creates a post.
#[utoipa::path(
    post,
    path = "/posts",
    tag = "posts",
    request_body(content = NewPost, example = json!({
        "content": "Grateful for the first snow.", "title": "Winter", "location": "Porto",
    })),
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes retries of the request safe")),
    responses((status = 201, body = PostView, description = "The new post"), (status = 409, body = Problem)),
)]
pub(crate) async fn create_post(
    app: Data<App>,
    me: SignedIn,
    IdempotentBody { body, idempotency }: IdempotentBody<NewPost>,
) -> Result<HttpResponse, ApiError> {
    let draft = body.parse()?;
    let recorded = posts::create(&app, me.user(), draft, idempotency, stored_post).await?;
    Ok(TaggedPost::created_response(recorded))
}

/// Creates a post from a form, with or without an image.
#[utoipa::path(
    post,
    path = "/posts/upload",
    tag = "posts",
    request_body(content = NewPostForm, content_type = "multipart/form-data"),
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes retries of the request safe")),
    responses(
        (status = 201, body = PostView, description = "The new post"),
        (status = 409, body = Problem),
        (status = 413, body = Problem),
        (status = 415, body = Problem),
        (status = 422, body = Problem),
        (status = 503, body = Problem),
    ),
)]
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
    Ok(TaggedPost::created_response(recorded))
}

/// Returns a post.
#[utoipa::path(
    get,
    path = "/posts/{id}",
    tag = "posts",
    params(
        ("id" = Uuid, Path, description = "Post id"),
        ("If-None-Match" = Option<String>, Header, description = "Entity tags of the copies that the client has. If one is current, the response is 304"),
    ),
    responses(
        (status = 200, body = PostView, description = "The post"),
        (status = 304, description = "The copy of the client is current"),
        (status = 404, body = Problem),
    ),
)]
pub(crate) async fn get_post(
    app: Data<App>,
    reader: OptionalReader,
    PostPath(post): PostPath,
    if_none_match: IfNoneMatch,
) -> Result<HttpResponse, ApiError> {
    let post = reader.read(async |viewer| posts::get(&app, viewer, post).await).await?;
    Ok(TaggedPost::from(post).into_conditional_response(&if_none_match))
}

/// Updates a post of the caller.
#[utoipa::path(
    patch,
    path = "/posts/{id}",
    tag = "posts",
    request_body(content = PostPatch, example = json!({"content": "Grateful for the second snow."})),
    params(
        ("id" = Uuid, Path, description = "Post id"),
        ("If-Match" = Option<String>, Header, description = "Entity tags of the states in which the post may be updated. In any other state, the response is 412"),
    ),
    responses(
        (status = 200, body = PostView, description = "The post after the update"),
        (status = 403, body = Problem, description = "The post belongs to another user"),
        (status = 404, body = Problem),
        (status = 412, body = Problem, description = "The post is in another state than `If-Match` names"),
    ),
)]
pub(crate) async fn update_post(
    app: Data<App>,
    me: SignedIn,
    PostPath(post): PostPath,
    if_match: IfMatch,
    JsonBody(patch): JsonBody<PostPatch>,
) -> Result<HttpResponse, ApiError> {
    let allows = |revision| if_match.allows(revision);
    let post = posts::update(&app, me.user(), post, patch.parse()?, allows).await?;
    Ok(TaggedPost::from(post).into_response())
}

/// Deletes a post of the caller with its comments, hearts, reactions and shares.
#[utoipa::path(
    delete,
    path = "/posts/{id}",
    tag = "posts",
    params(
        ("id" = Uuid, Path, description = "Post id"),
        ("If-Match" = Option<String>, Header, description = "Entity tags of the states in which the post may be deleted. In any other state, the response is 412"),
    ),
    responses(
        (status = 204, description = "The post is deleted"),
        (status = 403, body = Problem, description = "The post belongs to another user"),
        (status = 404, body = Problem),
        (status = 412, body = Problem, description = "The post is in another state than `If-Match` names"),
    ),
)]
pub(crate) async fn delete_post(
    app: Data<App>,
    me: SignedIn,
    PostPath(post): PostPath,
    if_match: IfMatch,
) -> Result<HttpResponse, ApiError> {
    posts::delete(&app, me.user(), post, |revision| if_match.allows(revision)).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn stored_post(post: &PostForViewer) -> Vec<u8> {
    TaggedPost::from(post.clone()).into_stored()
}
