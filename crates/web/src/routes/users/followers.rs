//! `/users/{id}/followers`, `/users/{id}/following` and `/users/{id}/follow-stats`.

use actix_web::web::Data;
use grateful_application::{App, follows};
use grateful_domain::{FollowCounts, FollowListItem, UserListItem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::cursors::ListKey;
use crate::error::ApiError;
use crate::request::{PageParams, QueryParameters, SignedIn, SignedInReader, UserPath};
use crate::response::{Envelope, JsonResponse, Pagination, Problem, Timestamp};

/// A follower or a followed user.
#[derive(Serialize, ToSchema)]
pub(crate) struct FollowerView {
    id: i64,
    username: String,
    bio: Option<String>,
    profile_image_url: Option<String>,
    /// When the user signed up.
    created_at: Timestamp,
    /// Whether the caller follows the user.
    is_following: bool,
}

/// A page of followers.
#[derive(Serialize, ToSchema)]
pub(crate) struct FollowerListView {
    followers: Vec<FollowerView>,
    #[serde(flatten)]
    pagination: Pagination,
}

/// A page of followed users.
#[derive(Serialize, ToSchema)]
pub(crate) struct FollowingListView {
    following: Vec<FollowerView>,
    #[serde(flatten)]
    pagination: Pagination,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct FollowStatsView {
    followers_count: i64,
    following_count: i64,
    /// The number of pending requests to follow the caller. 0 for other users.
    pending_requests: i64,
    /// The number of pending requests that the caller sent. 0 for other users.
    pending_sent: i64,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct RemovedFollowerView {
    success: bool,
    message: &'static str,
}

/// Removes a follower of the caller. The follower is not notified.
#[utoipa::path(
    delete,
    path = "/users/me/followers/{id}",
    tag = "follows",
    params(("id" = i64, Path, description = "User id of the follower")),
    responses(
        (status = 200, body = Envelope<RemovedFollowerView>, description = "The user no longer follows the caller"),
        (status = 404, body = Problem, description = "The user does not follow the caller"),
    ),
)]
pub(crate) async fn remove_follower(
    app: Data<App>,
    me: SignedIn,
    UserPath(follower): UserPath,
) -> Result<JsonResponse<RemovedFollowerView>, ApiError> {
    follows::remove_follower(&app, me.user(), follower).await?;
    let message = "Successfully removed follower";
    Ok(JsonResponse::enveloped(RemovedFollowerView { success: true, message }))
}

/// Lists the followers of a user, newest first.
#[utoipa::path(
    get,
    path = "/users/{id}/followers",
    tag = "follows",
    params(("id" = i64, Path, description = "User id"), PageParams<50>),
    responses(
        (status = 200, body = Envelope<FollowerListView>, description = "A page of followers"),
        (status = 404, body = Problem, description = "The user does not exist"),
    ),
)]
pub(crate) async fn list_followers(
    app: Data<App>,
    me: SignedInReader,
    UserPath(user): UserPath,
    QueryParameters(page): QueryParameters<PageParams<50>>,
) -> Result<JsonResponse<FollowerListView>, ApiError> {
    let request = page.parse(ListKey::Followers(user))?;
    let list = async |viewer| follows::list_followers(&app, viewer, user, request).await;
    let (page, total) = me.read(list).await?;
    let body = |followers, pagination| FollowerListView { followers, pagination };
    Ok(JsonResponse::with_pagination(page, ListKey::Followers(user), request, total, body))
}

/// Lists the users that a user follows, newest first.
#[utoipa::path(
    get,
    path = "/users/{id}/following",
    tag = "follows",
    params(("id" = i64, Path, description = "User id"), PageParams<50>),
    responses(
        (status = 200, body = Envelope<FollowingListView>, description = "A page of followed users"),
        (status = 404, body = Problem, description = "The user does not exist"),
    ),
)]
pub(crate) async fn list_following(
    app: Data<App>,
    me: SignedInReader,
    UserPath(user): UserPath,
    QueryParameters(page): QueryParameters<PageParams<50>>,
) -> Result<JsonResponse<FollowingListView>, ApiError> {
    let request = page.parse(ListKey::Following(user))?;
    let list = async |viewer| follows::list_following(&app, viewer, user, request).await;
    let (page, total) = me.read(list).await?;
    let body = |following, pagination| FollowingListView { following, pagination };
    Ok(JsonResponse::with_pagination(page, ListKey::Following(user), request, total, body))
}

/// Returns the numbers of followers and followed users of a user.
#[utoipa::path(
    get,
    path = "/users/{id}/follow-stats",
    tag = "follows",
    params(("id" = i64, Path, description = "User id")),
    responses(
        (status = 200, body = Envelope<FollowStatsView>, description = "The numbers of followers and followed users"),
        (status = 404, body = Problem, description = "The user does not exist"),
    ),
)]
pub(crate) async fn get_follow_stats(
    app: Data<App>,
    me: SignedInReader,
    UserPath(user): UserPath,
) -> Result<JsonResponse<FollowStatsView>, ApiError> {
    let counts = me.read(async |viewer| follows::count(&app, viewer, user).await).await?;
    Ok(JsonResponse::enveloped(counts.into()))
}

impl From<FollowCounts> for FollowStatsView {
    fn from(counts: FollowCounts) -> Self {
        Self {
            followers_count: counts.followers,
            following_count: counts.following,
            pending_requests: counts.requests_received,
            pending_sent: counts.requests_sent,
        }
    }
}
impl From<FollowListItem> for FollowerView {
    fn from(FollowListItem { user, is_followed, .. }: FollowListItem) -> Self {
        let UserListItem { author, bio, joined_at } = user;
        Self {
            id: author.id.into(),
            username: author.username.into(),
            bio: bio.map(Into::into),
            profile_image_url: author.profile_image_url,
            created_at: joined_at.into(),
            is_following: is_followed,
        }
    }
}
