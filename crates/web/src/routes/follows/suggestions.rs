//! `/follows/suggestions`: follow suggestions.

use actix_web::web::Data;
use grateful_application::{App, follows};
use grateful_domain::{Suggestion, UserListItem, ValidationError};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::error::ApiError;
use crate::request::{Field, QueryParameters, SignedIn};
use crate::response::{Envelope, JsonResponse, Timestamp};

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

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct FollowSuggestionParams {
    /// The maximum number of items.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 20, default = 10)]
    limit: Field<String>,
}

impl FollowSuggestionParams {
    fn parse(self) -> Result<i64, ValidationError> {
        let limit = self.limit.into_number().unwrap_or(10);
        let is_valid = (1..=20).contains(&limit);
        let invalid = || ValidationError::field("limit", "must be a whole number from 1 to 20");
        is_valid.then_some(limit).ok_or_else(invalid)
    }
}

/// Suggests users to follow.
///
/// Lists the users with the most followers among the users that the caller follows.
#[utoipa::path(
    get,
    path = "/follows/suggestions",
    tag = "follows",
    params(FollowSuggestionParams),
    responses((status = 200, body = Envelope<FollowSuggestionsView>, description = "The suggested users")),
)]
pub(crate) async fn list_follow_suggestions(
    app: Data<App>,
    me: SignedIn,
    QueryParameters(parameters): QueryParameters<FollowSuggestionParams>,
) -> Result<JsonResponse<FollowSuggestionsView>, ApiError> {
    let suggestions = follows::list_suggestions(&app, me.user(), parameters.parse()?).await?;
    let suggestions = suggestions.into_iter().map(FollowSuggestionView::from).collect();
    Ok(JsonResponse::enveloped(FollowSuggestionsView { suggestions }))
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
