//! `/follows/requests`: requests to follow the caller.

use actix_web::web::Data;
use actix_web::{get, post};
use grateful_application::{App, follows};
use grateful_domain::{FollowListItem, FollowState, ListKind};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::request::{PageParams100, QueryParameters, SignedIn, UserPath};
use crate::response::{Envelope, EnvelopeResponse, ListResponse, Pagination, Problem, Timestamp};
use crate::routes::users::UserSummary;

/// What became of a request.
#[derive(Serialize, ToSchema)]
#[schema(as = AnsweredView)]
pub(crate) struct FollowRequestStatusView {
    status: Option<&'static str>,
}

/// Somebody who has asked to follow.
#[derive(Serialize, ToSchema)]
#[schema(as = RequestView)]
pub(crate) struct FollowRequestView {
    user: UserSummary,
    /// When they asked.
    created_at: Timestamp,
}

/// A part of the list, and how it stands in the whole.
#[derive(Serialize, ToSchema)]
#[schema(as = RequestsView)]
pub(crate) struct FollowRequestsView {
    requests: Vec<FollowRequestView>,
    #[serde(flatten)]
    part: Pagination,
}

/// Who has asked to follow the caller, newest first.
#[utoipa::path(
    tag = "follows",
    params(PageParams100),
    responses((status = 200, body = Envelope<FollowRequestsView>)),
)]
#[get("/follows/requests")]
pub(crate) async fn list_follow_requests(
    app: Data<App>,
    me: SignedIn,
    parameters: QueryParameters,
) -> Result<ListResponse<FollowRequestsView>, ApiError> {
    let page = parameters.page(ListKind::FollowRequests)?;
    let (list, total) = follows::list_requests(&app, me.user(), page).await?;
    let view = |requests, part| FollowRequestsView { requests, part };
    Ok(ListResponse::with_pagination(list, ListKind::FollowRequests, page, total, view))
}

/// Lets somebody follow who asked to.
#[utoipa::path(
    tag = "follows",
    params(("id" = i64, Path, description = "Id of the user who sent the request")),
    responses((status = 200, body = Envelope<FollowRequestStatusView>), (status = 404, body = Problem)),
)]
#[post("/follows/requests/{id}/accept")]
pub(crate) async fn accept_follow_request(
    app: Data<App>,
    me: SignedIn,
    UserPath(asker): UserPath,
) -> Result<EnvelopeResponse<FollowRequestStatusView>, ApiError> {
    follows::accept_request(&app, me.user(), asker).await?;
    Ok(EnvelopeResponse::ok(FollowRequestStatusView { status: FollowState::Active.code() }))
}

/// Does not let somebody follow who asked to.
#[utoipa::path(
    tag = "follows",
    params(("id" = i64, Path, description = "Id of the user who sent the request")),
    responses((status = 200, body = Envelope<FollowRequestStatusView>), (status = 404, body = Problem)),
)]
#[post("/follows/requests/{id}/decline")]
pub(crate) async fn decline_follow_request(
    app: Data<App>,
    me: SignedIn,
    UserPath(asker): UserPath,
) -> Result<EnvelopeResponse<FollowRequestStatusView>, ApiError> {
    follows::decline_request(&app, me.user(), asker).await?;
    Ok(EnvelopeResponse::ok(FollowRequestStatusView { status: FollowState::None.code() }))
}

impl From<FollowListItem> for FollowRequestView {
    fn from(listed: FollowListItem) -> Self {
        Self { created_at: listed.position.at.into(), user: listed.user.into() }
    }
}
