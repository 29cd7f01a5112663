//! `/users`: the pages of people, and one's own.

use actix_web::web::Data;
use actix_web::{get, put};
use grateful_application::{App, profiles};
use grateful_domain::{
    Bio, City, DisplayName, FieldValidator, Institutions, Location, OwnProfile, Preferences,
    Profile, ProfileEdit, Username, ValidationError, Websites,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::request::{Field, JsonBody, SignedIn, UserPath, UsernamePath};
use crate::response::{Envelope, EnvelopeResponse, Problem, Timestamp};

/// Somebody's page.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProfileView {
    id: i64,
    username: String,
    bio: Option<String>,
    profile_image_url: Option<String>,
    display_name: Option<String>,
    city: Option<String>,
    /// The place they chose, as the geocoder described it.
    location: Option<Map<String, Value>>,
    institutions: Vec<String>,
    websites: Vec<String>,
    created_at: Timestamp,
    /// How many of their posts the caller may see.
    posts_count: i64,
    followers_count: i64,
    following_count: i64,
}

/// One's own page, with what only oneself may see.
#[derive(Serialize, ToSchema)]
pub(crate) struct OwnProfileView {
    #[serde(flatten)]
    profile: ProfileView,
    email: String,
    profile_preferences: Map<String, Value>,
}

/// What to change about one's own page; what is absent stays, and `null` clears what can be cleared. The picture is not
/// changed here.
#[derive(Deserialize, ToSchema)]
pub(crate) struct ProfilePatch {
    #[serde(default)]
    #[schema(value_type = Option<String>, nullable = false, min_length = 3, max_length = 50)]
    username: Field<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 500)]
    bio: Field<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100)]
    display_name: Field<String>,
    /// At most 100 characters, but where `location_data` comes along.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    city: Field<String>,
    /// With `display_name`, `lat` and `lon`; other keys are kept.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    location_data: Field<Map<String, Value>>,
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    institutions: Field<Vec<String>>,
    /// Web addresses, `http` or `https`.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    websites: Field<Vec<String>>,
    /// `approve_followers`, and `notifications` by type; other keys are kept.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    profile_preferences: Field<Map<String, Value>>,
}

impl ProfilePatch {
    fn parse(self) -> Result<ProfileEdit, ValidationError> {
        let mut fields = FieldValidator::default();
        let username =
            fields.check("username", self.username.non_null(|raw| Username::parse(&raw)));
        let display_name = self.display_name.clearable(|raw| DisplayName::parse(&raw).map(Some));
        let display_name = fields.check("display_name", display_name);
        let bio = fields.check("bio", self.bio.clearable(|raw| Bio::parse(&raw)));
        let location = self.location_data.clearable(|raw| Location::parse(raw).map(Some));
        let location = fields.check("location_data", location);
        let place = location.as_ref().and_then(|change| change.as_ref()?.as_ref());
        let city = self.city.clearable(|raw| match place {
            Some(place) => City::parse_with_location(&raw, place),
            None => City::parse(&raw),
        });
        let city = fields.check("city", city);
        let institutions = self.institutions.resettable(|raw| Institutions::parse(&raw));
        let institutions = fields.check("institutions", institutions);
        let websites =
            fields.check("websites", self.websites.resettable(|raw| Websites::parse(&raw)));
        let preferences = fields
            .check("profile_preferences", self.profile_preferences.resettable(Preferences::parse));
        fields.finish(|| {
            Some(ProfileEdit {
                username: username?,
                display_name: display_name?,
                bio: bio?,
                city: city?,
                location: location?,
                institutions: institutions?,
                websites: websites?,
                preferences: preferences?,
            })
        })
    }
}

/// One's own page.
#[utoipa::path(tag = "profiles", responses((status = 200, body = Envelope<OwnProfileView>)))]
#[get("/users/me/profile")]
pub(crate) async fn get_own_profile(
    app: Data<App>,
    me: SignedIn,
) -> Result<EnvelopeResponse<OwnProfileView>, ApiError> {
    Ok(EnvelopeResponse::ok(profiles::get_own(&app, me.user()).await?.into()))
}

/// Changes one's own page.
#[utoipa::path(
    tag = "profiles",
    request_body = ProfilePatch,
    responses((status = 200, body = Envelope<OwnProfileView>), (status = 409, body = Problem)),
)]
#[put("/users/me/profile")]
pub(crate) async fn update_profile(
    app: Data<App>,
    me: SignedIn,
    JsonBody(patch): JsonBody<ProfilePatch>,
) -> Result<EnvelopeResponse<OwnProfileView>, ApiError> {
    Ok(EnvelopeResponse::ok(profiles::update(&app, me.user(), patch.parse()?).await?.into()))
}

/// Somebody's page.
#[utoipa::path(
    tag = "profiles",
    params(("id" = i64, Path, description = "User id")),
    responses((status = 200, body = Envelope<ProfileView>), (status = 404, body = Problem)),
)]
#[get("/users/{id}/profile")]
pub(crate) async fn get_profile(
    app: Data<App>,
    me: SignedIn,
    UserPath(user): UserPath,
) -> Result<EnvelopeResponse<ProfileView>, ApiError> {
    Ok(EnvelopeResponse::ok(profiles::get(&app, me.viewer(), user).await?.into()))
}

/// The page of whoever has a username, whatever its case.
#[utoipa::path(
    tag = "profiles",
    params(("username" = String, Path, description = "Their name; what a sentence puts behind it is passed over")),
    responses((status = 200, body = Envelope<ProfileView>), (status = 404, body = Problem)),
)]
#[get("/users/username/{username}")]
pub(crate) async fn get_profile_by_username(
    app: Data<App>,
    me: SignedIn,
    UsernamePath(username): UsernamePath,
) -> Result<EnvelopeResponse<ProfileView>, ApiError> {
    Ok(EnvelopeResponse::ok(profiles::get_by_username(&app, me.viewer(), &username).await?.into()))
}

impl From<Profile> for ProfileView {
    fn from(profile: Profile) -> Self {
        let Profile { author, bio, city, location, institutions, websites, .. } = profile;
        Self {
            id: author.id.into(),
            username: author.username.into(),
            bio: bio.map(Into::into),
            profile_image_url: author.profile_image_url,
            display_name: author.display_name.map(Into::into),
            city: city.map(Into::into),
            location: location.map(|place| place.as_map().clone()),
            institutions: institutions.as_slice().to_vec(),
            websites: websites.as_slice().to_vec(),
            created_at: profile.joined_at.into(),
            posts_count: profile.posts,
            followers_count: profile.followers,
            following_count: profile.following,
        }
    }
}

impl From<OwnProfile> for OwnProfileView {
    fn from(own: OwnProfile) -> Self {
        Self {
            profile: own.profile.into(),
            email: own.email.as_str().to_owned(),
            profile_preferences: own.preferences.as_map().clone(),
        }
    }
}
