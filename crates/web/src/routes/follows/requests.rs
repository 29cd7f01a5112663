//! `/follows/requests`: requests to follow the caller.

use actix_web::web::Data;
use grateful_application::{App, follows};
use grateful_domain::{FollowListItem, FollowState};
use serde::Serialize;
use utoipa::ToSchema;

use crate::cursors::ListKey;
use crate::error::ApiError;
use crate::request::{PageParams, QueryParameters, SignedIn, SignedInReader, UserPath};
use crate::response::codes::FollowStateCode;
use crate::response::{Envelope, JsonResponse, Pagination, Problem, Timestamp};
use crate::routes::user_summary::UserSummaryView;

/// The state of a follow request after it was accepted or declined.
#[derive(Serialize, ToSchema)]
pub(crate) struct FollowRequestStatusView {
    /// `active` if the request was accepted, null if it was declined.
    #[schema(value_type = Option<FollowStateCode>)]
    status: Option<&'static str>,
}

/// A user in a list of follow requests. The export also lists followers, followed users and blocked users in this form.
#[derive(Serialize, ToSchema)]
pub(crate) struct FollowListItemView {
    user: UserSummaryView,
    /// When the request was sent. In the export, the time of the follow, the request or the block.
    created_at: Timestamp,
}

/// A page of follow requests.
#[derive(Serialize, ToSchema)]
pub(crate) struct FollowRequestsView {
    requests: Vec<FollowListItemView>,
    #[serde(flatten)]
    pagination: Pagination,
}

/// Lists the pending requests to follow the caller, newest first.
#[utoipa::path(
    get,
    path = "/follows/requests",
    tag = "follows",
    params(PageParams<100>),
    responses((status = 200, body = Envelope<FollowRequestsView>, description = "A page of follow requests")),
)]
pub(crate) async fn list_follow_requests(
    app: Data<App>,
    me: SignedInReader,
    QueryParameters(page): QueryParameters<PageParams<100>>,
) -> Result<JsonResponse<FollowRequestsView>, ApiError> {
    let request = page.parse(ListKey::FollowRequests)?;
    let list = async |user| follows::list_requests(&app, user, request).await;
    let (page, total) = me.read(list).await?;
    let body = |requests, pagination| FollowRequestsView { requests, pagination };
    Ok(JsonResponse::with_pagination(page, ListKey::FollowRequests, request, total, body))
}

/// Accepts a request to follow the caller.
#[utoipa::path(
    post,
    path = "/follows/requests/{id}/accept",
    tag = "follows",
    params(("id" = i64, Path, description = "Id of the user who sent the request")),
    responses(
        (status = 200, body = Envelope<FollowRequestStatusView>, description = "The request is accepted"),
        (status = 404, body = Problem, description = "The user has not requested to follow the caller"),
    ),
)]
pub(crate) async fn accept_follow_request(
    app: Data<App>,
    me: SignedIn,
    UserPath(requester): UserPath,
) -> Result<JsonResponse<FollowRequestStatusView>, ApiError> {
    follows::accept_request(&app, me.user(), requester).await?;
    Ok(JsonResponse::enveloped(FollowRequestStatusView { status: FollowState::Active.code() }))
}

/// Declines a request to follow the caller.
#[utoipa::path(
    post,
    path = "/follows/requests/{id}/decline",
    tag = "follows",
    params(("id" = i64, Path, description = "Id of the user who sent the request")),
    responses(
        (status = 200, body = Envelope<FollowRequestStatusView>, description = "The request is declined"),
        (status = 404, body = Problem, description = "The user has not requested to follow the caller"),
    ),
)]
pub(crate) async fn decline_follow_request(
    app: Data<App>,
    me: SignedIn,
    UserPath(requester): UserPath,
) -> Result<JsonResponse<FollowRequestStatusView>, ApiError> {
    follows::decline_request(&app, me.user(), requester).await?;
    Ok(JsonResponse::enveloped(FollowRequestStatusView { status: FollowState::None.code() }))
}

impl From<FollowListItem> for FollowListItemView {
    fn from(item: FollowListItem) -> Self {
        Self { created_at: item.position.at.into(), user: item.user.into() }
    }
}
