//! `/follows` and `/users/{id}/…`: who follows whom, who asked to, and who has blocked whom.

mod lists;

use std::collections::BTreeMap;

use actix_web::web::Data;
use actix_web::{delete, get, post};
use grateful_application::follows::{FollowCounts, Followed};
use grateful_application::{App, follows};
use grateful_domain::{Author, Edge, Fields, Invalid, Relation, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

pub(crate) use self::lists::{
    RequestView, UserSummary, list_blocks, list_follow_requests, list_follow_suggestions,
    list_followers, list_following,
};
use crate::body::{Body, Field};
use crate::error::ApiError;
use crate::extract::{SignedIn, UserPath};
use crate::problem::Problem;
use crate::wire::{Envelope, Enveloped, Timestamp};

/// A new edge, and the people at its ends.
#[derive(Serialize, ToSchema)]
pub(crate) struct FollowView {
    id: Uuid,
    follower_id: i64,
    followed_id: i64,
    /// `active`, or `pending` where the followed approves their followers.
    status: Option<&'static str>,
    created_at: Timestamp,
    follower: EndView,
    followed: EndView,
}

/// Somebody at the end of an edge.
#[derive(Serialize, ToSchema)]
pub(crate) struct EndView {
    id: i64,
    username: String,
    profile_image_url: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct UnfollowedView {
    success: bool,
    message: &'static str,
}

/// What the caller and somebody are to each other.
#[derive(Serialize, ToSchema)]
pub(crate) struct RelationView {
    is_following: bool,
    follow_status: Option<&'static str>,
    is_followed_by: bool,
    reverse_status: Option<&'static str>,
    is_mutual: bool,
}

/// What became of a request.
#[derive(Serialize, ToSchema)]
pub(crate) struct AnsweredView {
    status: Option<&'static str>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct BlockedView {
    blocked: bool,
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

/// Whom to tell the relation to.
#[derive(Deserialize, ToSchema)]
pub(crate) struct UserIds {
    #[serde(default)]
    #[schema(value_type = Vec<i64>, required, max_items = 100)]
    user_ids: Field<Vec<i64>>,
}

impl UserIds {
    const MOST: usize = 100;

    fn parse(self) -> Result<Vec<UserId>, Invalid> {
        let mut fields = Fields::default();
        let ids = self.user_ids.required(|ids| {
            let fits = ids.len() <= Self::MOST;
            fits.then_some(ids).ok_or("must name at most 100 people")
        });
        let ids = fields.check("user_ids", ids);
        fields.finish(|| ids.map(|ids| ids.into_iter().map(UserId::from).collect()))
    }
}

/// Follows somebody, or asks to where they approve their followers.
#[utoipa::path(
    tag = "follows",
    params(("id" = i64, Path, description = "The person")),
    responses(
        (status = 201, body = Envelope<FollowView>),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
        (status = 422, body = Problem),
    ),
)]
#[post("/follows/{id}")]
pub(crate) async fn follow_user(
    app: Data<App>,
    me: SignedIn,
    UserPath(other): UserPath,
) -> Result<Enveloped<FollowView>, ApiError> {
    Ok(Enveloped::created(follows::follow(&app, me.user(), other).await?.into()))
}

/// Follows somebody no more, or asks no more.
#[utoipa::path(
    tag = "follows",
    params(("id" = i64, Path, description = "The person")),
    responses((status = 200, body = Envelope<UnfollowedView>), (status = 404, body = Problem)),
)]
#[delete("/follows/{id}")]
pub(crate) async fn unfollow_user(
    app: Data<App>,
    me: SignedIn,
    UserPath(other): UserPath,
) -> Result<Enveloped<UnfollowedView>, ApiError> {
    follows::unfollow(&app, me.user(), other).await?;
    Ok(Enveloped::ok(UnfollowedView { success: true, message: "Successfully unfollowed user" }))
}

/// What the caller and somebody are to each other.
#[utoipa::path(
    tag = "follows",
    params(("id" = i64, Path, description = "The person")),
    responses((status = 200, body = Envelope<RelationView>), (status = 404, body = Problem)),
)]
#[get("/follows/{id}/status")]
pub(crate) async fn get_follow_status(
    app: Data<App>,
    me: SignedIn,
    UserPath(other): UserPath,
) -> Result<Enveloped<RelationView>, ApiError> {
    Ok(Enveloped::ok(follows::relation(&app, me.user(), other).await?.into()))
}

/// What the caller and each of these people are to each other, by id, of those who exist.
#[utoipa::path(
    tag = "follows",
    request_body = UserIds,
    responses((status = 200, body = Envelope<BTreeMap<String, RelationView>>)),
)]
#[post("/follows/status")]
pub(crate) async fn get_follow_statuses(
    app: Data<App>,
    me: SignedIn,
    Body(ids): Body<UserIds>,
) -> Result<Enveloped<BTreeMap<String, RelationView>>, ApiError> {
    let relations = follows::relations(&app, me.user(), &ids.parse()?).await?;
    let by_id = relations.into_iter().map(|(id, relation)| (id.to_string(), relation.into()));
    Ok(Enveloped::ok(by_id.collect()))
}

/// Lets somebody follow who asked to.
#[utoipa::path(
    tag = "follows",
    params(("id" = i64, Path, description = "Who asked")),
    responses((status = 200, body = Envelope<AnsweredView>), (status = 404, body = Problem)),
)]
#[post("/follows/requests/{id}/accept")]
pub(crate) async fn accept_follow_request(
    app: Data<App>,
    me: SignedIn,
    UserPath(asker): UserPath,
) -> Result<Enveloped<AnsweredView>, ApiError> {
    follows::accept(&app, me.user(), asker).await?;
    Ok(Enveloped::ok(AnsweredView { status: Edge::Active.code() }))
}

/// Does not let somebody follow who asked to.
#[utoipa::path(
    tag = "follows",
    params(("id" = i64, Path, description = "Who asked")),
    responses((status = 200, body = Envelope<AnsweredView>), (status = 404, body = Problem)),
)]
#[post("/follows/requests/{id}/decline")]
pub(crate) async fn decline_follow_request(
    app: Data<App>,
    me: SignedIn,
    UserPath(asker): UserPath,
) -> Result<Enveloped<AnsweredView>, ApiError> {
    follows::decline(&app, me.user(), asker).await?;
    Ok(Enveloped::ok(AnsweredView { status: Edge::None.code() }))
}

/// How many follow somebody, and whom they follow.
#[utoipa::path(
    tag = "follows",
    params(("id" = i64, Path, description = "The person")),
    responses((status = 200, body = Envelope<FollowStatsView>), (status = 404, body = Problem)),
)]
#[get("/users/{id}/follow-stats")]
pub(crate) async fn get_follow_stats(
    app: Data<App>,
    me: SignedIn,
    UserPath(of): UserPath,
) -> Result<Enveloped<FollowStatsView>, ApiError> {
    Ok(Enveloped::ok(follows::count(&app, me.user(), of).await?.into()))
}

/// Wants nothing to do with somebody: ends follows and requests both ways.
#[utoipa::path(
    tag = "follows",
    params(("id" = i64, Path, description = "The person")),
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
) -> Result<Enveloped<BlockedView>, ApiError> {
    follows::block(&app, me.user(), other).await?;
    Ok(Enveloped::ok(BlockedView { blocked: true }))
}

/// Takes one's own block back.
#[utoipa::path(
    tag = "follows",
    params(("id" = i64, Path, description = "The person")),
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
) -> Result<Enveloped<BlockedView>, ApiError> {
    follows::unblock(&app, me.user(), other).await?;
    Ok(Enveloped::ok(BlockedView { blocked: false }))
}

impl From<Followed> for FollowView {
    fn from(followed: Followed) -> Self {
        let Followed { follow: edge, follower, followed } = followed;
        Self {
            id: edge.id.into(),
            follower_id: edge.follower.into(),
            followed_id: edge.followed.into(),
            status: edge.edge.code(),
            created_at: edge.created_at.into(),
            follower: follower.into(),
            followed: followed.into(),
        }
    }
}

impl From<Author> for EndView {
    fn from(author: Author) -> Self {
        Self {
            id: author.id.into(),
            username: author.username.into(),
            profile_image_url: author.profile_image_url,
        }
    }
}

impl From<Relation> for RelationView {
    fn from(Relation { there, back }: Relation) -> Self {
        let is_following = there == Edge::Active;
        let is_followed_by = back == Edge::Active;
        Self {
            is_following,
            follow_status: there.code(),
            is_followed_by,
            reverse_status: back.code(),
            is_mutual: is_following && is_followed_by,
        }
    }
}

impl From<FollowCounts> for FollowStatsView {
    fn from(counts: FollowCounts) -> Self {
        Self {
            followers_count: counts.followers,
            following_count: counts.following,
            pending_requests: counts.asked_by,
            pending_sent: counts.asked,
        }
    }
}
