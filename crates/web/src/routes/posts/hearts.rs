//! `/posts/{id}/heart`: hearts.

use actix_web::web::Data;
use grateful_application::hearts::HeartStatus;
use grateful_application::{App, hearts};
use grateful_domain::{Heart, PostId};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::cursors::ListKey;
use crate::error::ApiError;
use crate::request::{PageParams, PostPath, QueryParameters, SignedIn, SignedInReader};
use crate::response::{JsonResponse, Problem, Timestamp};

/// The hearts of a post after the caller's heart was added or removed.
#[derive(Serialize, ToSchema)]
pub(crate) struct HeartChangeView {
    /// 0 if the caller cannot see the post.
    hearts_count: i32,
    is_hearted: bool,
    post_id: Uuid,
}

impl HeartChangeView {
    fn new(post: PostId, status: HeartStatus) -> Self {
        Self { hearts_count: status.count, is_hearted: status.is_hearted, post_id: post.into() }
    }
}

/// The hearts of a post.
#[derive(Serialize, ToSchema)]
pub(crate) struct HeartStatusView {
    hearts_count: i32,
    is_hearted: bool,
}

/// A heart and its user. The only camelCase body of the API.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HeartView {
    id: Uuid,
    /// The id as a string.
    user_id: String,
    user_name: String,
    user_image: Option<String>,
    created_at: Timestamp,
}

/// Adds the caller's heart to a post.
#[utoipa::path(
    post,
    path = "/posts/{id}/heart",
    tag = "hearts",
    params(("id" = Uuid, Path, description = "Post id")),
    responses(
        (status = 201, body = HeartChangeView, description = "The hearts of the post, including the new one"),
        (status = 404, body = Problem),
        (status = 409, body = Problem, description = "The caller has already given a heart"),
    ),
)]
pub(crate) async fn add_heart(
    app: Data<App>,
    me: SignedIn,
    PostPath(post): PostPath,
) -> Result<JsonResponse<HeartChangeView>, ApiError> {
    let status = hearts::add(&app, me.user(), post).await?;
    Ok(JsonResponse::bare(HeartChangeView::new(post, status)).created())
}

/// Removes the caller's heart from a post, even if the caller can no longer see the post.
#[utoipa::path(
    delete,
    path = "/posts/{id}/heart",
    tag = "hearts",
    params(("id" = Uuid, Path, description = "Post id")),
    responses(
        (status = 200, body = HeartChangeView, description = "The remaining hearts of the post"),
        (status = 404, body = Problem, description = "The caller has not given a heart"),
    ),
)]
pub(crate) async fn remove_heart(
    app: Data<App>,
    me: SignedIn,
    PostPath(post): PostPath,
) -> Result<JsonResponse<HeartChangeView>, ApiError> {
    let status = hearts::remove(&app, me.user(), post).await?;
    Ok(JsonResponse::bare(HeartChangeView::new(post, status)))
}

/// Returns the number of hearts of a post, and whether the caller's is among them.
#[utoipa::path(
    get,
    path = "/posts/{id}/hearts",
    tag = "hearts",
    params(("id" = Uuid, Path, description = "Post id")),
    responses(
        (status = 200, body = HeartStatusView, description = "The hearts of the post"),
        (status = 404, body = Problem),
    ),
)]
pub(crate) async fn get_heart_status(
    app: Data<App>,
    me: SignedInReader,
    PostPath(post): PostPath,
) -> Result<JsonResponse<HeartStatusView>, ApiError> {
    let status = me.read(async |user| hearts::get_status(&app, user, post).await).await?;
    let HeartStatus { count, is_hearted } = status;
    Ok(JsonResponse::bare(HeartStatusView { hearts_count: count, is_hearted }))
}

/// Lists the hearts of a post with their users, newest first.
#[utoipa::path(
    get,
    path = "/posts/{id}/hearts/users",
    tag = "hearts",
    params(("id" = Uuid, Path, description = "Post id"), PageParams<100>),
    responses((status = 200, body = [HeartView], description = "A page of hearts"), (status = 404, body = Problem)),
)]
pub(crate) async fn list_hearts(
    app: Data<App>,
    me: SignedInReader,
    PostPath(post): PostPath,
    QueryParameters(page): QueryParameters<PageParams<100>>,
) -> Result<JsonResponse<Vec<HeartView>>, ApiError> {
    let request = page.parse(ListKey::Hearts(post))?;
    let page = me.read(async |user| hearts::list(&app, user, post, request).await).await?;
    Ok(JsonResponse::list(page, ListKey::Hearts(post)))
}

impl From<Heart> for HeartView {
    fn from(heart: Heart) -> Self {
        Self {
            id: heart.id.into(),
            user_id: heart.user.id.to_string(),
            user_name: heart.user.name().to_owned(),
            user_image: heart.user.profile_image_url,
            created_at: heart.created_at.into(),
        }
    }
}
