//! `/posts`: what people are thankful for.

mod bodies;
pub(crate) mod comments;
pub(crate) mod feed;
pub(crate) mod hearts;
pub(crate) mod reactions;
pub(crate) mod shares;
mod view;

use actix_web::http::header::{CACHE_CONTROL, ContentType, ETAG, EntityTag};
use actix_web::web::Data;
use actix_web::{HttpResponse, delete, get, patch, post};
use grateful_application::{App, RecordedResponse, posts};
use grateful_domain::PostForViewer;

use self::bodies::{NewPicturedPost, NewPost, PostForm, PostPatch};
use crate::error::ApiError;
use crate::request::{
    IdempotentBody, IfMatch, IfNoneMatch, JsonBody, MaybeSignedIn, PostPath, SignedIn,
};
use crate::response::{Problem, created, etag};

pub(crate) use self::view::{AuthorView, PostView};

/// Publishes a post.
#[utoipa::path(
    tag = "posts",
    request_body = NewPost,
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes it safe to send the request again")),
    responses((status = 201, body = PostView), (status = 409, body = Problem)),
)]
#[post("/posts")]
pub(crate) async fn create_post(
    app: Data<App>,
    me: SignedIn,
    IdempotentBody { body, idempotency }: IdempotentBody<NewPost>,
) -> Result<HttpResponse, ApiError> {
    let answer = posts::create(&app, me.user(), body.parse(false)?, idempotency, recorded).await?;
    Ok(published(answer))
}

/// Publishes a post, with a picture.
#[utoipa::path(
    tag = "posts",
    request_body(content = NewPicturedPost, content_type = "multipart/form-data"),
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes it safe to send the request again")),
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
pub(crate) async fn upload_post(
    app: Data<App>,
    me: SignedIn,
    PostForm { draft, picture, idempotency }: PostForm,
) -> Result<HttpResponse, ApiError> {
    Ok(published(match picture {
        Some(picture) => {
            posts::create_with_image(&app, me.user(), draft, picture, idempotency, recorded).await?
        }
        None => posts::create(&app, me.user(), draft, idempotency, recorded).await?,
    }))
}

/// One post.
#[utoipa::path(
    tag = "posts",
    params(
        ("id" = Uuid, Path, description = "The post"),
        ("If-None-Match" = Option<String>, Header, description = "The states that are known already"),
    ),
    responses((status = 200, body = PostView), (status = 304), (status = 404, body = Problem)),
)]
#[get("/posts/{id}")]
pub(crate) async fn get_post(
    app: Data<App>,
    MaybeSignedIn(viewer): MaybeSignedIn,
    PostPath(post): PostPath,
    known: IfNoneMatch,
) -> Result<HttpResponse, ApiError> {
    let seen = posts::get(&app, viewer, post).await?;
    Ok(if known.has(&etag(seen.post.revision())) { not_modified(&seen) } else { tagged(seen) })
}

/// Changes one's own post.
#[utoipa::path(
    tag = "posts",
    request_body = PostPatch,
    params(
        ("id" = Uuid, Path, description = "The post"),
        ("If-Match" = Option<String>, Header, description = "The states in which it may be changed"),
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
    expected: IfMatch,
    JsonBody(patch): JsonBody<PostPatch>,
) -> Result<HttpResponse, ApiError> {
    let allows = |revision| expected.allows(&etag(revision));
    Ok(tagged(posts::update(&app, me.user(), post, patch.parse()?, allows).await?))
}

/// Takes one's own post back, with all that hangs on it.
#[utoipa::path(
    tag = "posts",
    params(("id" = Uuid, Path, description = "The post")),
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

/// Anybody's copy must ask again before it is used: what others did to the post is not in its tag.
const REVALIDATE: (actix_web::http::header::HeaderName, &str) =
    (CACHE_CONTROL, "private, no-cache");

fn tagged(seen: PostForViewer) -> HttpResponse {
    let tag = etag(seen.post.revision());
    HttpResponse::Ok()
        .insert_header((ETAG, tag))
        .insert_header(REVALIDATE)
        .json(PostView::from(seen))
}

fn not_modified(seen: &PostForViewer) -> HttpResponse {
    let tag = etag(seen.post.revision());
    HttpResponse::NotModified().insert_header((ETAG, tag)).insert_header(REVALIDATE).finish()
}

/// The answer to a publication as it is kept for repeats: its tag, a line break, its body.
fn recorded(seen: &PostForViewer) -> Vec<u8> {
    let tag = etag(seen.post.revision());
    let body = serde_json::to_string(&PostView::from(seen.clone())).unwrap_or_default();
    format!("{}\n{body}", tag.tag()).into_bytes()
}

fn published(answer: RecordedResponse) -> HttpResponse {
    let (kept, mut response) = created(answer);
    let kept = String::from_utf8_lossy(&kept);
    let (tag, body) = kept.split_once('\n').unwrap_or_default();
    response.insert_header((ETAG, EntityTag::new_strong(tag.to_owned())));
    response.content_type(ContentType::json()).body(body.to_owned())
}
