//! `/follows` and `/users/{id}/…`: who follows whom, who asked to, and who has blocked whom.

use std::collections::BTreeMap;

use actix_web::web::Data;
use actix_web::{delete, get, post};
use grateful_application::follows::{FollowCounts, Followed};
use grateful_application::{App, follows};
use grateful_domain::{
    Author, Edge, Fields, Invalid, List, Listed, Person, Relation, Suggestion, UserId,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::body::{Body, Field};
use crate::error::ApiError;
use crate::extract::{Parameters, SignedIn, UserPath};
use crate::posts::LongPage;
use crate::problem::Problem;
use crate::wire::{Envelope, Enveloped, Linked, PartView, Timestamp};

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

/// Somebody in a list of people.
#[derive(Serialize, ToSchema)]
pub(crate) struct UserSummary {
    id: i64,
    username: String,
    display_name: Option<String>,
    bio: Option<String>,
    profile_image_url: Option<String>,
}

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

/// Somebody who has asked to follow.
#[derive(Serialize, ToSchema)]
pub(crate) struct RequestView {
    user: UserSummary,
    /// When they asked.
    created_at: Timestamp,
}

/// A part of the list, and how it stands in the whole.
#[derive(Serialize, ToSchema)]
pub(crate) struct RequestsView {
    requests: Vec<RequestView>,
    #[serde(flatten)]
    part: PartView,
}

/// A part of the list, and how it stands in the whole.
#[derive(Serialize, ToSchema)]
pub(crate) struct FollowersView {
    followers: Vec<FollowerView>,
    #[serde(flatten)]
    part: PartView,
}

/// A part of the list, and how it stands in the whole.
#[derive(Serialize, ToSchema)]
pub(crate) struct FollowingView {
    following: Vec<FollowerView>,
    #[serde(flatten)]
    part: PartView,
}

/// A part of the list, and how it stands in the whole.
#[derive(Serialize, ToSchema)]
pub(crate) struct BlocksView {
    blocks: Vec<UserSummary>,
    #[serde(flatten)]
    part: PartView,
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

#[derive(Serialize, ToSchema)]
pub(crate) struct SuggestionsView {
    suggestions: Vec<SuggestionView>,
}

/// Somebody whom the caller might know.
#[derive(Serialize, ToSchema)]
pub(crate) struct SuggestionView {
    id: i64,
    username: String,
    bio: Option<String>,
    profile_image_url: Option<String>,
    /// When they joined.
    created_at: Timestamp,
    /// How many of those whom the caller follows follow them.
    mutual_count: i64,
    /// Up to three of those.
    mutuals: Vec<String>,
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

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it documents what `Parameters` reads")]
struct FollowsPage {
    /// How many at most.
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<u32>,
    /// How many to pass over.
    #[param(minimum = 0, maximum = 10_000, default = 0)]
    offset: Option<u32>,
    /// Where to go on, from the `next` link of the page before.
    cursor: Option<String>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it documents what `Parameters` reads")]
struct SuggestionsLimit {
    /// How many at most.
    #[param(minimum = 1, maximum = 20, default = 10)]
    limit: Option<u32>,
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
pub(crate) async fn follow(
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
pub(crate) async fn unfollow(
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
pub(crate) async fn report_relation(
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
pub(crate) async fn report_relations(
    app: Data<App>,
    me: SignedIn,
    Body(ids): Body<UserIds>,
) -> Result<Enveloped<BTreeMap<String, RelationView>>, ApiError> {
    let relations = follows::relations(&app, me.user(), &ids.parse()?).await?;
    let by_id = relations.into_iter().map(|(id, relation)| (id.to_string(), relation.into()));
    Ok(Enveloped::ok(by_id.collect()))
}

/// Who has asked to follow the caller, newest first.
#[utoipa::path(
    tag = "follows",
    params(LongPage),
    responses((status = 200, body = Envelope<RequestsView>)),
)]
#[get("/follows/requests")]
pub(crate) async fn list_requests(
    app: Data<App>,
    me: SignedIn,
    parameters: Parameters,
) -> Result<Linked<RequestsView>, ApiError> {
    let page = parameters.page(List::FollowRequests)?;
    let (list, total) = follows::requests(&app, me.user(), page).await?;
    let view = |requests, part| RequestsView { requests, part };
    Ok(Linked::new(list, List::FollowRequests, page, total, view))
}

/// Lets somebody follow who asked to.
#[utoipa::path(
    tag = "follows",
    params(("id" = i64, Path, description = "Who asked")),
    responses((status = 200, body = Envelope<AnsweredView>), (status = 404, body = Problem)),
)]
#[post("/follows/requests/{id}/accept")]
pub(crate) async fn accept(
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
pub(crate) async fn decline(
    app: Data<App>,
    me: SignedIn,
    UserPath(asker): UserPath,
) -> Result<Enveloped<AnsweredView>, ApiError> {
    follows::decline(&app, me.user(), asker).await?;
    Ok(Enveloped::ok(AnsweredView { status: Edge::None.code() }))
}

/// Who follows somebody, newest first.
#[utoipa::path(
    tag = "follows",
    params(("id" = i64, Path, description = "The person"), FollowsPage),
    responses((status = 200, body = Envelope<FollowersView>), (status = 404, body = Problem)),
)]
#[get("/users/{id}/followers")]
pub(crate) async fn list_followers(
    app: Data<App>,
    me: SignedIn,
    UserPath(of): UserPath,
    parameters: Parameters,
) -> Result<Linked<FollowersView>, ApiError> {
    let page = parameters.page(List::Followers)?;
    let (list, total) = follows::followers(&app, me.user(), of, page).await?;
    let view = |followers, part| FollowersView { followers, part };
    Ok(Linked::new(list, List::Followers, page, total, view))
}

/// Whom somebody follows, newest first.
#[utoipa::path(
    tag = "follows",
    params(("id" = i64, Path, description = "The person"), FollowsPage),
    responses((status = 200, body = Envelope<FollowingView>), (status = 404, body = Problem)),
)]
#[get("/users/{id}/following")]
pub(crate) async fn list_following(
    app: Data<App>,
    me: SignedIn,
    UserPath(of): UserPath,
    parameters: Parameters,
) -> Result<Linked<FollowingView>, ApiError> {
    let page = parameters.page(List::Following)?;
    let (list, total) = follows::following(&app, me.user(), of, page).await?;
    let view = |following, part| FollowingView { following, part };
    Ok(Linked::new(list, List::Following, page, total, view))
}

/// How many follow somebody, and whom they follow.
#[utoipa::path(
    tag = "follows",
    params(("id" = i64, Path, description = "The person")),
    responses((status = 200, body = Envelope<FollowStatsView>), (status = 404, body = Problem)),
)]
#[get("/users/{id}/follow-stats")]
pub(crate) async fn count(
    app: Data<App>,
    me: SignedIn,
    UserPath(of): UserPath,
) -> Result<Enveloped<FollowStatsView>, ApiError> {
    Ok(Enveloped::ok(follows::count(&app, me.user(), of).await?.into()))
}

/// People whom the caller might know: those whom most of those follow whom they follow.
#[utoipa::path(
    tag = "follows",
    params(SuggestionsLimit),
    responses((status = 200, body = Envelope<SuggestionsView>)),
)]
#[get("/follows/suggestions")]
pub(crate) async fn suggest(
    app: Data<App>,
    me: SignedIn,
    parameters: Parameters,
) -> Result<Enveloped<SuggestionsView>, ApiError> {
    let most = parameters.up_to(20, 10)?;
    let suggestions = follows::suggestions(&app, me.user(), most).await?;
    let suggestions = suggestions.into_iter().map(SuggestionView::from).collect();
    Ok(Enveloped::ok(SuggestionsView { suggestions }))
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
pub(crate) async fn block(
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
pub(crate) async fn unblock(
    app: Data<App>,
    me: SignedIn,
    UserPath(other): UserPath,
) -> Result<Enveloped<BlockedView>, ApiError> {
    follows::unblock(&app, me.user(), other).await?;
    Ok(Enveloped::ok(BlockedView { blocked: false }))
}

/// Whom the caller has blocked, newest first.
#[utoipa::path(
    tag = "follows",
    params(LongPage),
    responses((status = 200, body = Envelope<BlocksView>)),
)]
#[get("/users/me/blocks")]
pub(crate) async fn list_blocks(
    app: Data<App>,
    me: SignedIn,
    parameters: Parameters,
) -> Result<Linked<BlocksView>, ApiError> {
    let page = parameters.page(List::Blocks)?;
    let (list, total) = follows::blocks(&app, me.user(), page).await?;
    let view = |blocks, part| BlocksView { blocks, part };
    Ok(Linked::new(list, List::Blocks, page, total, view))
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

impl From<Person> for UserSummary {
    fn from(Person { author, bio, .. }: Person) -> Self {
        Self {
            id: author.id.into(),
            username: author.username.into(),
            display_name: author.display_name.map(Into::into),
            bio: bio.map(Into::into),
            profile_image_url: author.profile_image_url,
        }
    }
}

impl From<Listed> for UserSummary {
    fn from(listed: Listed) -> Self {
        listed.person.into()
    }
}

impl From<Listed> for RequestView {
    fn from(listed: Listed) -> Self {
        Self { created_at: listed.position.at.into(), user: listed.person.into() }
    }
}

impl From<Listed> for FollowerView {
    fn from(Listed { person, is_followed, .. }: Listed) -> Self {
        let Person { author, bio, joined_at } = person;
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

impl From<Suggestion> for SuggestionView {
    fn from(Suggestion { person, mutual_count, mutuals }: Suggestion) -> Self {
        let Person { author, bio, joined_at } = person;
        Self {
            id: author.id.into(),
            username: author.username.into(),
            bio: bio.map(Into::into),
            profile_image_url: author.profile_image_url,
            created_at: joined_at.into(),
            mutual_count,
            mutuals: mutuals.into_iter().map(Into::into).collect(),
        }
    }
}
