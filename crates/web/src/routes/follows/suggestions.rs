//! `/follows/suggestions`: follow suggestions.

use actix_web::get;
use actix_web::web::Data;
use grateful_application::{App, follows};
use grateful_domain::{Suggestion, UserListItem};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use crate::error::ApiError;
use crate::request::{QueryParameters, SignedIn};
use crate::response::{Envelope, EnvelopeResponse, Timestamp};

#[derive(Serialize, ToSchema)]
pub(crate) struct FollowSuggestionsView {
    suggestions: Vec<FollowSuggestionView>,
}

/// A user that the caller may know.
#[derive(Serialize, ToSchema)]
pub(crate) struct FollowSuggestionView {
    id: i64,
    username: String,
    bio: Option<String>,
    profile_image_url: Option<String>,
    /// When the user signed up.
    created_at: Timestamp,
    /// How many of the users that the caller follows also follow this user.
    mutual_count: i64,
    /// The usernames of up to three of those users.
    mutuals: Vec<String>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "OpenAPI documentation of what `QueryParameters` reads")]
struct FollowSuggestionParams {
    /// The maximum number of items.
    #[param(minimum = 1, maximum = 20, default = 10)]
    limit: Option<u32>,
}

/// Suggests users to follow.
///
/// Lists the users with the most followers among the users that the caller follows.
#[utoipa::path(
    tag = "follows",
    params(FollowSuggestionParams),
    responses((status = 200, body = Envelope<FollowSuggestionsView>, description = "The suggested users")),
)]
#[get("/follows/suggestions")]
pub(crate) async fn list_follow_suggestions(
    app: Data<App>,
    me: SignedIn,
    parameters: QueryParameters,
) -> Result<EnvelopeResponse<FollowSuggestionsView>, ApiError> {
    let limit = parameters.limit(20, 10)?;
    let suggestions = follows::list_suggestions(&app, me.user(), limit).await?;
    let suggestions = suggestions.into_iter().map(FollowSuggestionView::from).collect();
    Ok(EnvelopeResponse::ok(FollowSuggestionsView { suggestions }))
}

impl From<Suggestion> for FollowSuggestionView {
    fn from(Suggestion { user, mutual_count, mutuals }: Suggestion) -> Self {
        let UserListItem { author, bio, joined_at } = user;
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
