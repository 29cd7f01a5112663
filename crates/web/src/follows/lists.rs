//! Lists of people: who follows, is followed, has asked, is blocked, or might be known.

use actix_web::get;
use actix_web::web::Data;
use grateful_application::{App, follows};
use grateful_domain::{ListKind, Listed, Person, Suggestion};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use crate::error::ApiError;
use crate::extract::{Parameters, SignedIn, UserPath};
use crate::posts::LongPage;
use crate::problem::Problem;
use crate::wire::{Envelope, Enveloped, Linked, PartView, Timestamp};

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

/// Who has asked to follow the caller, newest first.
#[utoipa::path(
    tag = "follows",
    params(LongPage),
    responses((status = 200, body = Envelope<RequestsView>)),
)]
#[get("/follows/requests")]
pub(crate) async fn list_follow_requests(
    app: Data<App>,
    me: SignedIn,
    parameters: Parameters,
) -> Result<Linked<RequestsView>, ApiError> {
    let page = parameters.page(ListKind::FollowRequests)?;
    let (list, total) = follows::requests(&app, me.user(), page).await?;
    let view = |requests, part| RequestsView { requests, part };
    Ok(Linked::new(list, ListKind::FollowRequests, page, total, view))
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
    let page = parameters.page(ListKind::Followers)?;
    let (list, total) = follows::followers(&app, me.user(), of, page).await?;
    let view = |followers, part| FollowersView { followers, part };
    Ok(Linked::new(list, ListKind::Followers, page, total, view))
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
    let page = parameters.page(ListKind::Following)?;
    let (list, total) = follows::following(&app, me.user(), of, page).await?;
    let view = |following, part| FollowingView { following, part };
    Ok(Linked::new(list, ListKind::Following, page, total, view))
}

/// People whom the caller might know: those whom most of those follow whom they follow.
#[utoipa::path(
    tag = "follows",
    params(SuggestionsLimit),
    responses((status = 200, body = Envelope<SuggestionsView>)),
)]
#[get("/follows/suggestions")]
pub(crate) async fn list_follow_suggestions(
    app: Data<App>,
    me: SignedIn,
    parameters: Parameters,
) -> Result<Enveloped<SuggestionsView>, ApiError> {
    let most = parameters.up_to(20, 10)?;
    let suggestions = follows::suggestions(&app, me.user(), most).await?;
    let suggestions = suggestions.into_iter().map(SuggestionView::from).collect();
    Ok(Enveloped::ok(SuggestionsView { suggestions }))
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
    let page = parameters.page(ListKind::Blocks)?;
    let (list, total) = follows::blocks(&app, me.user(), page).await?;
    let view = |blocks, part| BlocksView { blocks, part };
    Ok(Linked::new(list, ListKind::Blocks, page, total, view))
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
