//! `/users/search`, `/users/validate-batch` and `/users/by-username`: users by name.

use actix_web::web::Data;
use grateful_application::{App, users};
use grateful_domain::{
    FieldValidator, UserSearchQuery, UsernameBatch, UsernameValidation, ValidationError,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::request::{Field, FromJson, JsonBody, SignedIn, SignedInReader, UsernamePath, as_is};
use crate::response::{Envelope, JsonResponse, Problem};
use crate::routes::user_summary::UserSummaryView;

#[derive(Deserialize, ToSchema)]
pub(crate) struct UserSearchBody {
    /// Part of a username or display name, in any case. A query of one or two characters matches only prefixes.
    #[serde(default)]
    #[schema(value_type = String, required)]
    query: Field<String>,
    /// The maximum number of results, 1 to 50. A value out of range counts as the nearest limit. Default: 10.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    limit: Field<SaturatingInteger>,
}

impl UserSearchBody {
    fn parse(self) -> Result<(Option<UserSearchQuery>, i64), ValidationError> {
        let mut fields = FieldValidator::default();
        let query = fields.check("query", self.query.required(as_is));
        let limit = fields.check("limit", self.limit.optional(as_is));
        fields.finish(|| {
            let limit = limit?.map_or(10, |SaturatingInteger(limit)| limit.clamp(1, 50));
            Some((UserSearchQuery::parse(&query?), limit))
        })
    }
}

/// A whole number of any size. A number that does not fit 64 bits becomes the nearest one that does.
struct SaturatingInteger(i64);

impl FromJson for SaturatingInteger {
    const EXPECTED: &'static str = i64::EXPECTED;

    fn from_json(value: Value) -> Option<Self> {
        const BEYOND: f64 = 9_223_372_036_854_775_808.0;
        value.as_i64().map(Self).or_else(|| match value.as_f64()? {
            large if BEYOND <= large => Some(Self(i64::MAX)),
            small if small <= -BEYOND => Some(Self(i64::MIN)),
            _ => None,
        })
    }
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct UsernamesBody {
    /// Usernames. Only the first 50 are checked, and equal spellings are merged.
    #[serde(default)]
    #[schema(value_type = Vec<String>, required)]
    usernames: Field<Vec<String>>,
}

/// The usernames as the client sent them, in their order.
#[derive(Serialize, ToSchema)]
pub(crate) struct UsernameValidationView {
    valid_usernames: Vec<String>,
    invalid_usernames: Vec<String>,
}

impl From<UsernameValidation> for UsernameValidationView {
    fn from(validation: UsernameValidation) -> Self {
        Self { valid_usernames: validation.valid, invalid_usernames: validation.invalid }
    }
}

/// A user's id and username.
#[derive(Serialize, ToSchema)]
pub(crate) struct UsernameView {
    id: i64,
    /// The username in the user's own spelling.
    username: String,
}

/// Searches users by username and display name.
///
/// Exact matches come first, then prefixes, then names that contain the query.
#[utoipa::path(
    post,
    path = "/users/search",
    tag = "users",
    request_body(content = UserSearchBody, example = json!({"query": "@ana"})),
    responses(
        (status = 200, body = Envelope<Vec<UserSummaryView>>, description = "The users that match, best matches first"),
    ),
)]
pub(crate) async fn search_users(
    app: Data<App>,
    me: SignedIn,
    JsonBody(search): JsonBody<UserSearchBody>,
) -> Result<JsonResponse<Vec<UserSummaryView>>, ApiError> {
    let (query, limit) = search.parse()?;
    let Some(query) = query else { return Ok(JsonResponse::enveloped(Vec::new())) };
    let found = users::search(&app, me.user(), &query, limit).await?;
    Ok(JsonResponse::enveloped(found.into_iter().map(UserSummaryView::from).collect()))
}

/// Checks which usernames belong to users. Case, and trailing `.` and `-`, are ignored.
#[utoipa::path(
    post,
    path = "/users/validate-batch",
    tag = "users",
    request_body(content = UsernamesBody, example = json!({"usernames": ["ana", "ben"]})),
    responses(
        (status = 200, body = Envelope<UsernameValidationView>, description = "The usernames that belong to users, and the others"),
    ),
)]
pub(crate) async fn validate_usernames(
    app: Data<App>,
    me: SignedIn,
    JsonBody(body): JsonBody<UsernamesBody>,
) -> Result<JsonResponse<UsernameValidationView>, ApiError> {
    let invalid = |reason| ValidationError::field("usernames", reason);
    let usernames = body.usernames.required(as_is).map_err(invalid)?;
    let batch = UsernameBatch::new(usernames);
    let validation = users::validate_usernames(&app, me.user(), batch).await?;
    Ok(JsonResponse::enveloped(validation.into()))
}

/// Returns the id of the user with a username.
#[utoipa::path(
    get,
    path = "/users/by-username/{username}",
    tag = "users",
    params(("username" = String, Path, description = "Username in any case. Trailing `.` and `-` are ignored")),
    responses(
        (status = 200, body = Envelope<UsernameView>, description = "The id and the username of the user"),
        (status = 404, body = Problem, description = "No user has this username"),
    ),
)]
pub(crate) async fn get_user_by_username(
    app: Data<App>,
    me: SignedInReader,
    UsernamePath(username): UsernamePath,
) -> Result<JsonResponse<UsernameView>, ApiError> {
    let find = async |user| users::find_by_username(&app, user, &username).await;
    let (id, username) = me.read(find).await?;
    Ok(JsonResponse::enveloped(UsernameView { id: id.into(), username: username.into() }))
}
