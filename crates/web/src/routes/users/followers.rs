//! `/users/{id}/followers`, `/following` and `/follow-stats`.

use actix_web::get;
use actix_web::web::Data;
use grateful_application::follows::FollowCounts;
use grateful_application::{App, follows};
use grateful_domain::{FollowListItem, ListKind, UserListItem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::request::{PageParams50, QueryParameters, SignedIn, UserPath};
use crate::response::{Envelope, EnvelopeResponse, ListResponse, Pagination, Problem, Timestamp};

/// Somebody who follows, or is followed.
#[derive(Serialize, ToSchema)]
pub(crate) struct FollowerView {
    id: i64,
    username: String,
    bio: Option<String>,
    profile_image_url: Option<String>,
    /// When they joined.
    created_at: Timestamp,
    /// Whether the caller follows them.
    is_following: bool,
}

/// A part of the list, and how it stands in the whole.
#[derive(Serialize, ToSchema)]
pub(crate) struct FollowersView {
    followers: Vec<FollowerView>,
    #[serde(flatten)]
    part: Pagination,
}

/// A part of the list, and how it stands in the whole.
#[derive(Serialize, ToSchema)]
pub(crate) struct FollowingView {
    following: Vec<FollowerView>,
    #[serde(flatten)]
    part: Pagination,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct FollowStatsView {
    followers_count: i64,
    following_count: i64,
    /// Who has asked; of oneself only.
    pending_requests: i64,
    /// Whom one has asked; of oneself only.
    pending_sent: i64,
}

/// Who follows somebody, newest first.
#[utoipa::path(
    tag = "follows",
    params(("id" = i64, Path, description = "User id"), PageParams50),
    responses((status = 200, body = Envelope<FollowersView>), (status = 404, body = Problem)),
)]
#[get("/users/{id}/followers")]
pub(crate) async fn list_followers(
    app: Data<App>,
    me: SignedIn,
    UserPath(of): UserPath,
    parameters: QueryParameters,
) -> Result<ListResponse<FollowersView>, ApiError> {
    let page = parameters.page(ListKind::Followers)?;
    let (list, total) = follows::list_followers(&app, me.user(), of, page).await?;
    let view = |followers, part| FollowersView { followers, part };
    Ok(ListResponse::with_pagination(list, ListKind::Followers, page, total, view))
}

/// Whom somebody follows, newest first.
#[utoipa::path(
    tag = "follows",
    params(("id" = i64, Path, description = "User id"), PageParams50),
    responses((status = 200, body = Envelope<FollowingView>), (status = 404, body = Problem)),
)]
#[get("/users/{id}/following")]
pub(crate) async fn list_following(
    app: Data<App>,
    me: SignedIn,
    UserPath(of): UserPath,
    parameters: QueryParameters,
) -> Result<ListResponse<FollowingView>, ApiError> {
    let page = parameters.page(ListKind::Following)?;
    let (list, total) = follows::list_following(&app, me.user(), of, page).await?;
    let view = |following, part| FollowingView { following, part };
    Ok(ListResponse::with_pagination(list, ListKind::Following, page, total, view))
}

/// How many follow somebody, and whom they follow.
#[utoipa::path(
    tag = "follows",
    params(("id" = i64, Path, description = "User id")),
    responses((status = 200, body = Envelope<FollowStatsView>), (status = 404, body = Problem)),
)]
#[get("/users/{id}/follow-stats")]
pub(crate) async fn get_follow_stats(
    app: Data<App>,
    me: SignedIn,
    UserPath(of): UserPath,
) -> Result<EnvelopeResponse<FollowStatsView>, ApiError> {
    Ok(EnvelopeResponse::ok(follows::count(&app, me.user(), of).await?.into()))
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
