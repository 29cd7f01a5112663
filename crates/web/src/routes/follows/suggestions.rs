//! `/follows/suggestions`: users whom the caller may know.

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
#[expect(dead_code, reason = "OpenAPI documentation of what `QueryParameters` reads")]
struct SuggestionParams {
    /// The maximum number of items.
    #[param(minimum = 1, maximum = 20, default = 10)]
    limit: Option<u32>,
}

/// People whom the caller might know: those whom most of those follow whom they follow.
#[utoipa::path(
    tag = "follows",
    params(SuggestionParams),
    responses((status = 200, body = Envelope<SuggestionsView>)),
)]
#[get("/follows/suggestions")]
pub(crate) async fn list_follow_suggestions(
    app: Data<App>,
    me: SignedIn,
    parameters: QueryParameters,
) -> Result<EnvelopeResponse<SuggestionsView>, ApiError> {
    let most = parameters.limit(20, 10)?;
    let suggestions = follows::list_suggestions(&app, me.user(), most).await?;
    let suggestions = suggestions.into_iter().map(SuggestionView::from).collect();
    Ok(EnvelopeResponse::ok(SuggestionsView { suggestions }))
}

impl From<Suggestion> for SuggestionView {
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
