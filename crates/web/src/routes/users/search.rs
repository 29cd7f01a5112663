//! `/users`: people by what they are called.

use actix_web::web::Data;
use actix_web::{get, post};
use grateful_application::{App, users};
use grateful_domain::{
    FieldValidator, UserSearchQuery, UsernameBatch, UsernameValidation, ValidationError,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::request::{Field, FromJson, JsonBody, SignedIn, UsernamePath, as_is};
use crate::response::{Envelope, EnvelopeResponse, Problem};
use crate::routes::users::UserSummary;

#[derive(Deserialize, ToSchema)]
#[schema(as = PeopleSearch)]
pub(crate) struct UserSearchBody {
    /// A part of a username or a display name, without regard to case. Of one or two characters, where one begins.
    #[serde(default)]
    #[schema(value_type = String, required, example = "@ana")]
    query: Field<String>,
    /// At most so many; whatever is out of bounds is taken for the nearest bound.
    #[serde(default)]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 50, default = 10)]
    limit: Field<AnyInteger>,
}

impl UserSearchBody {
    fn parse(self) -> Result<(Option<UserSearchQuery>, i64), ValidationError> {
        let mut fields = FieldValidator::default();
        let query = fields.check("query", self.query.required(as_is));
        let limit = fields.check("limit", self.limit.optional(as_is));
        fields.finish(|| {
            let people = UserSearchQuery::clamp_limit(limit?.map(|AnyInteger(limit)| limit));
            Some((UserSearchQuery::parse(&query?), people))
        })
    }
}

/// A whole number; one that is beyond 64 bits is the nearest within.
struct AnyInteger(i64);

impl FromJson for AnyInteger {
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
#[schema(as = NamesToSort)]
pub(crate) struct UsernamesBody {
    /// Of which the first 50 are answered, each spelling once.
    #[serde(default)]
    #[schema(value_type = Vec<String>, required)]
    usernames: Field<Vec<String>>,
}

/// The names as they were sent, in their order.
#[derive(Serialize, ToSchema)]
#[schema(as = SortedNamesView)]
pub(crate) struct UsernameValidationView {
    valid_usernames: Vec<String>,
    invalid_usernames: Vec<String>,
}

impl From<UsernameValidation> for UsernameValidationView {
    fn from(sorted: UsernameValidation) -> Self {
        Self { valid_usernames: sorted.valid, invalid_usernames: sorted.invalid }
    }
}

/// Somebody by name alone.
#[derive(Serialize, ToSchema)]
#[schema(as = NamedView)]
pub(crate) struct UsernameView {
    id: i64,
    /// As they write it themselves.
    username: String,
}

/// People by username and display name, best matches first: those who are called just so, then those whose name begins
/// so, then those with the text inside a name.
#[utoipa::path(
    tag = "people",
    request_body = UserSearchBody,
    responses((status = 200, body = Envelope<Vec<UserSummary>>)),
)]
#[post("/users/search")]
pub(crate) async fn search_users(
    app: Data<App>,
    me: SignedIn,
    JsonBody(wanted): JsonBody<UserSearchBody>,
) -> Result<EnvelopeResponse<Vec<UserSummary>>, ApiError> {
    let (query, most) = wanted.parse()?;
    let Some(query) = query else { return Ok(EnvelopeResponse::ok(Vec::new())) };
    let found = users::search(&app, me.user(), &query, most).await?;
    Ok(EnvelopeResponse::ok(found.into_iter().map(UserSummary::from).collect()))
}

/// Which names are somebody's, whatever the case, with or without `.` and `-` behind them.
#[utoipa::path(
    tag = "people",
    request_body = UsernamesBody,
    responses((status = 200, body = Envelope<UsernameValidationView>)),
)]
#[post("/users/validate-batch")]
pub(crate) async fn validate_usernames(
    app: Data<App>,
    me: SignedIn,
    JsonBody(wanted): JsonBody<UsernamesBody>,
) -> Result<EnvelopeResponse<UsernameValidationView>, ApiError> {
    let names =
        wanted.usernames.required(as_is).map_err(|why| ValidationError::field("usernames", why))?;
    let sorted = users::validate_usernames(&app, me.user(), UsernameBatch::new(names)).await?;
    Ok(EnvelopeResponse::ok(sorted.into()))
}

/// Whose name that is, whatever the case, with or without `.` and `-` behind it.
#[utoipa::path(
    tag = "people",
    params(("username" = String, Path, description = "The name")),
    responses((status = 200, body = Envelope<UsernameView>), (status = 404, body = Problem)),
)]
#[get("/users/by-username/{username}")]
pub(crate) async fn get_user_by_username(
    app: Data<App>,
    me: SignedIn,
    UsernamePath(name): UsernamePath,
) -> Result<EnvelopeResponse<UsernameView>, ApiError> {
    let (id, username) = users::find_by_username(&app, me.user(), &name).await?;
    Ok(EnvelopeResponse::ok(UsernameView { id: id.into(), username: username.into() }))
}
