//! `/users/me/blocks` and `/users/{id}/block`: blocked users.

use actix_web::web::Data;
use actix_web::{delete, get, post};
use grateful_application::{App, follows};
use grateful_domain::ListKind;
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::request::{PageParams100, QueryParameters, SignedIn, UserPath};
use crate::response::{Envelope, EnvelopeResponse, ListResponse, Pagination, Problem};
use crate::routes::users::UserSummary;

#[derive(Serialize, ToSchema)]
pub(crate) struct BlockedView {
    blocked: bool,
}

/// A part of the list, and how it stands in the whole.
#[derive(Serialize, ToSchema)]
pub(crate) struct BlocksView {
    blocks: Vec<UserSummary>,
    #[serde(flatten)]
    part: Pagination,
}

/// Wants nothing to do with somebody: ends follows and requests both ways.
#[utoipa::path(
    tag = "follows",
    params(("id" = i64, Path, description = "User id")),
    responses(
        (status = 200, body = Envelope<BlockedView>),
        (status = 404, body = Problem),
        (status = 422, body = Problem),
    ),
)]
#[post("/users/{id}/block")]
pub(crate) async fn block_user(
    app: Data<App>,
    me: SignedIn,
    UserPath(other): UserPath,
) -> Result<EnvelopeResponse<BlockedView>, ApiError> {
    follows::block(&app, me.user(), other).await?;
    Ok(EnvelopeResponse::ok(BlockedView { blocked: true }))
}

/// Takes one's own block back.
#[utoipa::path(
    tag = "follows",
    params(("id" = i64, Path, description = "User id")),
    responses(
        (status = 200, body = Envelope<BlockedView>),
        (status = 404, body = Problem),
        (status = 422, body = Problem),
    ),
)]
#[delete("/users/{id}/block")]
pub(crate) async fn unblock_user(
    app: Data<App>,
    me: SignedIn,
    UserPath(other): UserPath,
) -> Result<EnvelopeResponse<BlockedView>, ApiError> {
    follows::unblock(&app, me.user(), other).await?;
    Ok(EnvelopeResponse::ok(BlockedView { blocked: false }))
}

/// Whom the caller has blocked, newest first.
#[utoipa::path(
    tag = "follows",
    params(PageParams100),
    responses((status = 200, body = Envelope<BlocksView>)),
)]
#[get("/users/me/blocks")]
pub(crate) async fn list_blocks(
    app: Data<App>,
    me: SignedIn,
    parameters: QueryParameters,
) -> Result<ListResponse<BlocksView>, ApiError> {
    let page = parameters.page(ListKind::Blocks)?;
    let (list, total) = follows::list_blocks(&app, me.user(), page).await?;
    let view = |blocks, part| BlocksView { blocks, part };
    Ok(ListResponse::with_pagination(list, ListKind::Blocks, page, total, view))
}
