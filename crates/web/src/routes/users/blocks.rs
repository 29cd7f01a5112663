//! `/users/me/blocks` and `/users/{id}/block`: blocked users.

use actix_web::web::Data;
use grateful_application::{App, follows};
use serde::Serialize;
use utoipa::ToSchema;

use crate::cursors::ListKey;
use crate::error::ApiError;
use crate::request::{PageParams, QueryParameters, SignedIn, SignedInReader, UserPath};
use crate::response::{Envelope, JsonResponse, Pagination, Problem};
use crate::routes::user_summary::UserSummaryView;

#[derive(Serialize, ToSchema)]
pub(crate) struct BlockStatusView {
    blocked: bool,
}

/// A page of blocked users.
#[derive(Serialize, ToSchema)]
pub(crate) struct BlockListView {
    blocks: Vec<UserSummaryView>,
    #[serde(flatten)]
    pagination: Pagination,
}

/// Blocks a user. Ends follows and follow requests in both directions.
#[utoipa::path(
    post,
    path = "/users/{id}/block",
    tag = "follows",
    params(("id" = i64, Path, description = "User id")),
    responses(
        (status = 200, body = Envelope<BlockStatusView>, description = "The user is blocked"),
        (status = 404, body = Problem, description = "The user does not exist"),
        (status = 422, body = Problem),
    ),
)]
pub(crate) async fn block_user(
    app: Data<App>,
    me: SignedIn,
    UserPath(other): UserPath,
) -> Result<JsonResponse<BlockStatusView>, ApiError> {
    follows::block(&app, me.user(), other).await?;
    Ok(JsonResponse::enveloped(BlockStatusView { blocked: true }))
}

/// Unblocks a user.
#[utoipa::path(
    delete,
    path = "/users/{id}/block",
    tag = "follows",
    params(("id" = i64, Path, description = "User id")),
    responses(
        (status = 200, body = Envelope<BlockStatusView>, description = "The user is not blocked"),
        (status = 404, body = Problem, description = "The user does not exist"),
        (status = 422, body = Problem),
    ),
)]
pub(crate) async fn unblock_user(
    app: Data<App>,
    me: SignedIn,
    UserPath(other): UserPath,
) -> Result<JsonResponse<BlockStatusView>, ApiError> {
    follows::unblock(&app, me.user(), other).await?;
    Ok(JsonResponse::enveloped(BlockStatusView { blocked: false }))
}

/// Lists the users that the caller has blocked, newest block first.
#[utoipa::path(
    get,
    path = "/users/me/blocks",
    tag = "follows",
    params(PageParams<100>),
    responses((status = 200, body = Envelope<BlockListView>, description = "A page of blocked users")),
)]
pub(crate) async fn list_blocks(
    app: Data<App>,
    me: SignedInReader,
    QueryParameters(page): QueryParameters<PageParams<100>>,
) -> Result<JsonResponse<BlockListView>, ApiError> {
    let request = page.parse(ListKey::Blocks)?;
    let list = async |user| follows::list_blocks(&app, user, request).await;
    let (page, total) = me.read(list).await?;
    let body = |blocks, pagination| BlockListView { blocks, pagination };
    Ok(JsonResponse::with_pagination(page, ListKey::Blocks, request, total, body))
}
