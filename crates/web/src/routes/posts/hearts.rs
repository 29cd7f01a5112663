//! `/posts/{id}/heart`: hearts.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Json};
use actix_web::{Responder, delete, get, post};
use grateful_application::hearts::HeartStatus;
use grateful_application::{App, hearts};
use grateful_domain::{Heart, ListKind, PostId};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::ApiError;
use crate::request::{PageParams100, PostPath, QueryParameters, SignedIn};
use crate::response::{ListResponse, Problem, Timestamp};

/// How a post stands after one's heart was given or taken back.
#[derive(Serialize, ToSchema)]
pub(crate) struct HeartedView {
    hearts_count: i32,
    is_hearted: bool,
    post_id: Uuid,
}

impl HeartedView {
    fn new(post: PostId, status: HeartStatus) -> Self {
        Self { hearts_count: status.count, is_hearted: status.is_hearted, post_id: post.into() }
    }
}

/// How a post stands with its hearts.
#[derive(Serialize, ToSchema)]
pub(crate) struct HeartsView {
    hearts_count: i32,
    is_hearted: bool,
}

/// Who gave a heart. The one camelCase body of the API.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HeartView {
    id: Uuid,
    /// As text.
    user_id: String,
    user_name: String,
    user_image: Option<String>,
    created_at: Timestamp,
}

/// Gives a post a heart.
#[utoipa::path(
    tag = "hearts",
    params(("id" = Uuid, Path, description = "Post id")),
    responses(
        (status = 201, body = HeartedView),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
    ),
)]
#[post("/posts/{id}/heart")]
pub(crate) async fn add_heart(
    app: Data<App>,
    me: SignedIn,
    PostPath(post): PostPath,
) -> Result<impl Responder, ApiError> {
    let hearts = hearts::add(&app, me.user(), post).await?;
    Ok((Json(HeartedView::new(post, hearts)), StatusCode::CREATED))
}

/// Takes one's heart back.
#[utoipa::path(
    tag = "hearts",
    params(("id" = Uuid, Path, description = "Post id")),
    responses((status = 200, body = HeartedView), (status = 404, body = Problem)),
)]
#[delete("/posts/{id}/heart")]
pub(crate) async fn remove_heart(
    app: Data<App>,
    me: SignedIn,
    PostPath(post): PostPath,
) -> Result<Json<HeartedView>, ApiError> {
    let hearts = hearts::remove(&app, me.user(), post).await?;
    Ok(Json(HeartedView::new(post, hearts)))
}

/// How a post stands with its hearts.
#[utoipa::path(
    tag = "hearts",
    params(("id" = Uuid, Path, description = "Post id")),
    responses((status = 200, body = HeartsView), (status = 404, body = Problem)),
)]
#[get("/posts/{id}/hearts")]
pub(crate) async fn get_heart_count(
    app: Data<App>,
    me: SignedIn,
    PostPath(post): PostPath,
) -> Result<Json<HeartsView>, ApiError> {
    let HeartStatus { count, is_hearted } = hearts::get_status(&app, me.user(), post).await?;
    Ok(Json(HeartsView { hearts_count: count, is_hearted }))
}

/// Who gave a post a heart, newest first.
#[utoipa::path(
    tag = "hearts",
    params(("id" = Uuid, Path, description = "Post id"), PageParams100),
    responses((status = 200, body = [HeartView]), (status = 404, body = Problem)),
)]
#[get("/posts/{id}/hearts/users")]
pub(crate) async fn list_hearts(
    app: Data<App>,
    me: SignedIn,
    PostPath(post): PostPath,
    parameters: QueryParameters,
) -> Result<ListResponse<Vec<HeartView>>, ApiError> {
    let page = parameters.page(ListKind::Hearts)?;
    Ok(ListResponse::bare(hearts::list(&app, me.user(), post, page).await?, ListKind::Hearts))
}

impl From<Heart> for HeartView {
    fn from(heart: Heart) -> Self {
        Self {
            id: heart.id.into(),
            user_id: heart.by.id.to_string(),
            user_name: heart.by.name().to_owned(),
            user_image: heart.by.profile_image_url,
            created_at: heart.created_at.into(),
        }
    }
}
