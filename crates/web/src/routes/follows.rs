//! `/follows`: follows, follow requests and suggestions.

pub(crate) mod requests;
pub(crate) mod suggestions;

use std::collections::BTreeMap;

use actix_web::web::Data;
use grateful_application::follows::FollowWithUsers;
use grateful_application::{App, follows};
use grateful_domain::{Author, FieldValidator, FollowState, Relationship, UserId, ValidationError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::ApiError;
use crate::request::{Field, JsonBody, SignedIn, SignedInReader, UserPath};
use crate::response::codes::FollowStateCode;
use crate::response::{Envelope, JsonResponse, Problem, Timestamp};

/// A new follow, with both users.
#[derive(Serialize, ToSchema)]
pub(crate) struct FollowView {
    id: Uuid,
    follower_id: i64,
    followed_id: i64,
    /// `active`, or `pending` if the followed user approves followers.
    #[schema(value_type = FollowStateCode)]
    status: Option<&'static str>,
    created_at: Timestamp,
    follower: FollowUserView,
    followed: FollowUserView,
}

/// A user of a follow.
#[derive(Serialize, ToSchema)]
pub(crate) struct FollowUserView {
    id: i64,
    username: String,
    profile_image_url: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct UnfollowedView {
    success: bool,
    message: &'static str,
}

/// The relationship between the caller and a user, in both directions.
#[derive(Serialize, ToSchema)]
pub(crate) struct RelationshipView {
    /// Whether the caller follows the user.
    is_following: bool,
    /// The caller's follow of the user: `active`, `pending`, `blocked` if the user has blocked the caller, otherwise null.
    #[schema(value_type = Option<FollowStateCode>)]
    follow_status: Option<&'static str>,
    /// Whether the user follows the caller.
    is_followed_by: bool,
    /// The user's follow of the caller: `active`, `pending`, `blocked` if the caller has blocked the user, otherwise null.
    #[schema(value_type = Option<FollowStateCode>)]
    reverse_status: Option<&'static str>,
    /// Whether both follow each other.
    is_mutual: bool,
}

/// The users whose relationship to the caller is requested.
#[derive(Deserialize, ToSchema)]
pub(crate) struct UserIdsBody {
    #[serde(default)]
    #[schema(value_type = Vec<i64>, required, max_items = 100)]
    user_ids: Field<Vec<i64>>,
}

impl UserIdsBody {
    const MAX: usize = 100;

    fn parse(self) -> Result<Vec<UserId>, ValidationError> {
        let mut fields = FieldValidator::default();
        let ids = self.user_ids.required(|ids| {
            let fits = ids.len() <= Self::MAX;
            fits.then_some(ids).ok_or("must have at most 100 ids")
        });
        let ids = fields.check("user_ids", ids);
        fields.finish(|| ids.map(|ids| ids.into_iter().map(UserId::from).collect()))
    }
}

/// Follows a user, or sends a follow request if the user approves followers.
#[utoipa::path(
    post,
    path = "/follows/{id}",
    tag = "follows",
    params(("id" = i64, Path, description = "User id")),
    responses(
        (status = 201, body = Envelope<FollowView>, description = "The new follow or follow request"),
        (status = 403, body = Problem, description = "One of the two users has blocked the other"),
        (status = 404, body = Problem, description = "The user does not exist"),
        (status = 409, body = Problem, description = "The caller already follows the user, or has requested to"),
        (status = 422, body = Problem),
    ),
)]
pub(crate) async fn follow_user(
    app: Data<App>,
    me: SignedIn,
    UserPath(other): UserPath,
) -> Result<JsonResponse<FollowView>, ApiError> {
    Ok(JsonResponse::enveloped(follows::follow(&app, me.user(), other).await?.into()).created())
}

/// Unfollows a user, or withdraws a follow request to the user.
#[utoipa::path(
    delete,
    path = "/follows/{id}",
    tag = "follows",
    params(("id" = i64, Path, description = "User id")),
    responses(
        (status = 200, body = Envelope<UnfollowedView>, description = "The follow or the follow request is removed"),
        (status = 404, body = Problem, description = "The caller does not follow the user"),
    ),
)]
pub(crate) async fn unfollow_user(
    app: Data<App>,
    me: SignedIn,
    UserPath(other): UserPath,
) -> Result<JsonResponse<UnfollowedView>, ApiError> {
    follows::unfollow(&app, me.user(), other).await?;
    Ok(JsonResponse::enveloped(UnfollowedView {
        success: true,
        message: "Successfully unfollowed user",
    }))
}

/// Returns the relationship between the caller and a user.
#[utoipa::path(
    get,
    path = "/follows/{id}/status",
    tag = "follows",
    params(("id" = i64, Path, description = "User id")),
    responses(
        (status = 200, body = Envelope<RelationshipView>, description = "The relationship between the caller and the user"),
        (status = 404, body = Problem, description = "The user does not exist"),
    ),
)]
pub(crate) async fn get_follow_status(
    app: Data<App>,
    me: SignedInReader,
    UserPath(other): UserPath,
) -> Result<JsonResponse<RelationshipView>, ApiError> {
    let get = async |user| follows::get_relationship(&app, user, other).await;
    Ok(JsonResponse::enveloped(me.read(get).await?.into()))
}

/// Returns the relationship between the caller and each of up to 100 users, by user id. Unknown users are left out.
#[utoipa::path(
    post,
    path = "/follows/status",
    tag = "follows",
    request_body(content = UserIdsBody, example = json!({"user_ids": [1, 2]})),
    responses(
        (status = 200, body = Envelope<BTreeMap<String, RelationshipView>>, description = "The relationship to each user, by user id"),
    ),
)]
pub(crate) async fn get_follow_statuses(
    app: Data<App>,
    me: SignedIn,
    JsonBody(body): JsonBody<UserIdsBody>,
) -> Result<JsonResponse<BTreeMap<String, RelationshipView>>, ApiError> {
    let relationships = follows::get_relationships(&app, me.user(), &body.parse()?).await?;
    let by_id =
        relationships.into_iter().map(|(id, relationship)| (id.to_string(), relationship.into()));
    Ok(JsonResponse::enveloped(by_id.collect()))
}

impl From<FollowWithUsers> for FollowView {
    fn from(FollowWithUsers { follow, follower, followed }: FollowWithUsers) -> Self {
        Self {
            id: follow.id.into(),
            follower_id: follow.follower.into(),
            followed_id: follow.followed.into(),
            status: follow.state.code(),
            created_at: follow.created_at.into(),
            follower: follower.into(),
            followed: followed.into(),
        }
    }
}

impl From<Author> for FollowUserView {
    fn from(author: Author) -> Self {
        Self {
            id: author.id.into(),
            username: author.username.into(),
            profile_image_url: author.profile_image_url,
        }
    }
}

impl From<Relationship> for RelationshipView {
    fn from(Relationship { outgoing, incoming }: Relationship) -> Self {
        let is_following = outgoing == FollowState::Active;
        let is_followed_by = incoming == FollowState::Active;
        Self {
            is_following,
            follow_status: outgoing.code(),
            is_followed_by,
            reverse_status: incoming.code(),
            is_mutual: is_following && is_followed_by,
        }
    }
}
