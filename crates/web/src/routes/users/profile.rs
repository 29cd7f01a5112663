//! `/users/me/profile` and `/users/{id}/profile`: profiles.

use actix_web::web::Data;
use grateful_application::{App, profiles};
use grateful_domain::{
    Bio, City, DisplayName, FieldValidator, Institutions, Location, OwnProfile, Preferences,
    PreferencesPatch, Profile, ProfileEdit, Username, ValidationError, Viewer, Websites,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::request::{Field, JsonBody, SignedIn, SignedInReader, UserPath, UsernamePath};
use crate::response::{Envelope, JsonResponse, Problem, Timestamp};

/// The profile of a user.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProfileView {
    id: i64,
    username: String,
    bio: Option<String>,
    profile_image_url: Option<String>,
    display_name: Option<String>,
    city: Option<String>,
    /// The user's location, as the geocoder returned it.
    location: Option<Map<String, Value>>,
    institutions: Vec<String>,
    websites: Vec<String>,
    created_at: Timestamp,
    /// The number of the user's posts that the caller may see.
    posts_count: i64,
    followers_count: i64,
    following_count: i64,
}

/// The caller's own profile, with its private fields.
#[derive(Serialize, ToSchema)]
pub(crate) struct OwnProfileView {
    #[serde(flatten)]
    profile: ProfileView,
    email: String,
    profile_preferences: Map<String, Value>,
}

/// Changes to the caller's profile. An absent field stays as it is, and `null` clears a field that can be cleared. The
/// photo is not changed here: it has its own routes.
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
    /// At most 100 characters. With `location_data`, a longer value is replaced by `address.city` of the location, or cut.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    city: Field<String>,
    /// Must have `display_name`, `lat` and `lon`. Other keys are stored too.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    location_data: Field<Map<String, Value>>,
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    institutions: Field<Vec<String>>,
    /// URLs with the scheme `http` or `https`, without a user name or a password.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    websites: Field<Vec<String>>,
    /// `approve_followers`, and `notifications` by type. Other keys are stored too. Merged into the stored preferences
    /// (RFC 7396): `null` removes a key. `null` in place of the object removes all.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    profile_preferences: Field<Map<String, Value>>,
}

impl ProfilePatch {
    fn parse(self) -> Result<(ProfileEdit, Option<PreferencesPatch>), ValidationError> {
        let mut fields = FieldValidator::default();
        let username =
            fields.check("username", self.username.non_null(|raw| Username::parse(&raw)));
        let display_name = self.display_name.clearable(|raw| DisplayName::parse(&raw).map(Some));
        let display_name = fields.check("display_name", display_name);
        let bio = fields.check("bio", self.bio.clearable(|raw| Bio::parse(&raw)));
        let location = self.location_data.clearable(|raw| Location::parse(raw).map(Some));
        let location = fields.check("location_data", location);
        let new_location = location.as_ref().and_then(|change| change.as_ref()?.as_ref());
        let city = self.city.clearable(|raw| match new_location {
            Some(location) => City::parse_with_location(&raw, location),
            None => City::parse(&raw),
        });
        let city = fields.check("city", city);
        let institutions = self.institutions.resettable(|raw| Institutions::parse(&raw));
        let institutions = fields.check("institutions", institutions);
        let websites =
            fields.check("websites", self.websites.resettable(|raw| Websites::parse(&raw)));
        let resets_preferences = matches!(self.profile_preferences, Field::Null);
        let preferences = self.profile_preferences.optional(PreferencesPatch::parse);
        let preferences = fields.check("profile_preferences", preferences);
        fields.finish(|| {
            let edit = ProfileEdit {
                username: username?,
                display_name: display_name?,
                bio: bio?,
                city: city?,
                location: location?,
                institutions: institutions?,
                websites: websites?,
                preferences: resets_preferences.then(Preferences::default),
            };
            Some((edit, preferences?))
        })
    }
}

/// Returns the profile of the caller.
#[utoipa::path(
    get,
    path = "/users/me/profile",
    tag = "profiles",
    responses((status = 200, body = Envelope<OwnProfileView>, description = "The profile of the caller")),
)]
pub(crate) async fn get_own_profile(
    app: Data<App>,
    me: SignedInReader,
) -> Result<JsonResponse<OwnProfileView>, ApiError> {
    let profile = me.read(async |user| profiles::get_own(&app, user).await).await?;
    Ok(JsonResponse::enveloped(profile.into()))
}

/// Updates the profile of the caller.
#[utoipa::path(
    put,
    path = "/users/me/profile",
    tag = "profiles",
    request_body(content = ProfilePatch, example = json!({
        "display_name": "Ana", "bio": "Grateful for small things.", "city": "Porto",
        "websites": ["https://example.org"], "institutions": ["University of Porto"],
        "profile_preferences": {"approve_followers": false, "notifications": {"like": true}},
    })),
    responses(
        (status = 200, body = Envelope<OwnProfileView>, description = "The profile of the caller after the update"),
        (status = 409, body = Problem, description = "The username is taken"),
    ),
)]
pub(crate) async fn update_profile(
    app: Data<App>,
    me: SignedIn,
    JsonBody(patch): JsonBody<ProfilePatch>,
) -> Result<JsonResponse<OwnProfileView>, ApiError> {
    let (edit, preferences) = patch.parse()?;
    let profile = profiles::update(&app, me.user(), edit, preferences).await?;
    Ok(JsonResponse::enveloped(profile.into()))
}

/// Returns the profile of a user.
#[utoipa::path(
    get,
    path = "/users/{id}/profile",
    tag = "profiles",
    params(("id" = i64, Path, description = "User id")),
    responses(
        (status = 200, body = Envelope<ProfileView>, description = "The profile of the user"),
        (status = 404, body = Problem, description = "The user does not exist"),
    ),
)]
pub(crate) async fn get_profile(
    app: Data<App>,
    me: SignedInReader,
    UserPath(user): UserPath,
) -> Result<JsonResponse<ProfileView>, ApiError> {
    let get = async |viewer| profiles::get(&app, Viewer::User(viewer), user).await;
    Ok(JsonResponse::enveloped(me.read(get).await?.into()))
}

/// Returns the profile of the user with a username.
#[utoipa::path(
    get,
    path = "/users/username/{username}",
    tag = "profiles",
    params(("username" = String, Path, description = "Username in any case. Trailing `.` and `-` are ignored")),
    responses(
        (status = 200, body = Envelope<ProfileView>, description = "The profile of the user"),
        (status = 404, body = Problem, description = "No user has this username"),
    ),
)]
pub(crate) async fn get_profile_by_username(
    app: Data<App>,
    me: SignedInReader,
    UsernamePath(username): UsernamePath,
) -> Result<JsonResponse<ProfileView>, ApiError> {
    let get = async |user| profiles::get_by_username(&app, Viewer::User(user), &username).await;
    Ok(JsonResponse::enveloped(me.read(get).await?.into()))
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
            location: location.map(|location| location.as_map().clone()),
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
