//! Profiles, as their owners and others see them.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use grateful_domain::{
    Bio, City, Email, Institutions, Location, OwnProfile, Preferences, Profile, ProfileEdit,
    UserId, Username, Viewer, Websites,
};
use serde_json::Value;

use super::released_usernames::ids_by_username;
use super::{Users, preferences_of};
use crate::query::visible_users;
use crate::rows::AuthorRow;
use crate::schema::users;
use crate::{ReadConnection, Result, StorageError};

impl<C: ReadConnection> Users<'_, C> {
    /// Finds the profile of a user if the viewer can see the user.
    pub async fn find_profile(&mut self, viewer: Viewer, user: UserId) -> Result<Option<Profile>> {
        let row = visible_users(viewer)
            .filter(users::id.eq(i64::from(user)))
            .select(ProfileRow::as_select())
            .first(self.conn)
            .await
            .optional()?;
        row.map(|row: ProfileRow| row.for_viewer(viewer)).transpose()
    }

    /// Finds the profile of the user who has this username, or had it before if it is reserved, case-insensitive, if the viewer
    /// can see the user.
    pub async fn find_profile_by_username(
        &mut self,
        viewer: Viewer,
        username: &str,
    ) -> Result<Option<Profile>> {
        let row = visible_users(viewer)
            .filter(users::id.eq_any(ids_by_username(vec![username.to_ascii_lowercase()])))
            .select(ProfileRow::as_select())
            .first(self.conn)
            .await
            .optional()?;
        row.map(|row: ProfileRow| row.for_viewer(viewer)).transpose()
    }

    /// Finds a user's own profile, with private data.
    pub async fn find_own_profile(&mut self, user: UserId) -> Result<Option<OwnProfile>> {
        let row = users::table
            .find(i64::from(user))
            .filter(users::deleted_at.is_null())
            .select(OwnProfileRow::as_select())
            .first(self.conn)
            .await
            .optional()?;
        row.map(OwnProfileRow::into_own).transpose()
    }
}

impl Users<'_> {
    /// Updates a profile. Another username reserves the previous one for a while. Returns the new profile, or `None` if there
    /// is no such user. Run this in a transaction, and roll it back on an error.
    ///
    /// # Errors
    /// `UniqueViolation` with [`Users::USERNAME_KEY`], which is case-insensitive, also if the username is reserved for another
    /// user.
    pub async fn update_profile(
        &mut self,
        user: UserId,
        edit: &ProfileEdit,
        now: DateTime<Utc>,
    ) -> Result<Option<OwnProfile>> {
        if *edit == ProfileEdit::default() {
            return self.find_own_profile(user).await;
        }
        let rename = match &edit.username {
            Some(new) => self.find_rename(user, new).await?,
            None => None,
        };
        let username_changed_at = rename.is_some().then_some(now);
        let account = users::table.find(i64::from(user)).filter(users::deleted_at.is_null());
        let row = diesel::update(account)
            .set(ProfileChanges { username_changed_at, ..edit.clone().into() })
            .returning(OwnProfileRow::as_returning())
            .get_result(self.conn)
            .await
            .optional()?;
        if let Some((previous, new)) = rename {
            self.claim_username(new, Some(user), now).await?;
            self.release_username(&previous, Some(user), now).await?;
        }
        row.map(OwnProfileRow::into_own).transpose()
    }

    /// The previous and the new username of a user, if they differ in more than case. Locks the row of the user.
    async fn find_rename<'n>(
        &mut self,
        user: UserId,
        new: &'n Username,
    ) -> Result<Option<(String, &'n Username)>> {
        let previous: Option<String> = users::table
            .find(i64::from(user))
            .select(users::username)
            .for_no_key_update()
            .first(self.conn)
            .await
            .optional()?;
        let previous = previous.filter(|previous| !previous.eq_ignore_ascii_case(new.as_str()));
        Ok(previous.map(|previous| (previous, new)))
    }
}

/// The columns of `users` that make a profile.
#[derive(Queryable, Selectable)]
#[diesel(table_name = users)]
struct ProfileRow {
    #[diesel(embed)]
    author: AuthorRow,
    bio: Option<String>,
    city: Option<String>,
    location: Option<Value>,
    institutions: Option<Value>,
    websites: Option<Value>,
    created_at: DateTime<Utc>,
    posts_count: i64,
    public_posts_count: i64,
    followers_count: i64,
    following_count: i64,
}

impl ProfileRow {
    fn for_viewer(self, viewer: Viewer) -> Result<Profile> {
        let is_own = viewer.is(self.author.id.into());
        Ok(Profile {
            author: self.author.into(),
            bio: self.bio.map(Bio::from_stored),
            city: self.city.map(City::from_stored),
            location: location_from_json(self.location)?,
            institutions: Institutions::from_stored(texts_from_json(
                self.institutions,
                "users.institutions",
            )?),
            websites: Websites::from_stored(texts_from_json(self.websites, "users.websites")?),
            joined_at: self.created_at,
            posts: if is_own { self.posts_count } else { self.public_posts_count },
            followers: self.followers_count,
            following: self.following_count,
        })
    }
}

/// The columns of `users` that make a user's own profile.
#[derive(Queryable, Selectable)]
#[diesel(table_name = users)]
struct OwnProfileRow {
    #[diesel(embed)]
    profile: ProfileRow,
    email: String,
    profile_preferences: Option<Value>,
}

impl OwnProfileRow {
    fn into_own(self) -> Result<OwnProfile> {
        let viewer = Viewer::User(self.profile.author.id.into());
        Ok(OwnProfile {
            profile: self.profile.for_viewer(viewer)?,
            email: Email::from_stored(self.email),
            preferences: preferences_of(self.profile_preferences),
        })
    }
}

/// The columns of `users` to update. `None` leaves a column unchanged, `Some(None)` clears it.
#[derive(AsChangeset)]
#[diesel(table_name = users)]
#[expect(clippy::option_option, reason = "to change nothing and to change to nothing differ")]
struct ProfileChanges {
    username: Option<String>,
    display_name: Option<Option<String>>,
    bio: Option<Option<String>>,
    city: Option<Option<String>>,
    location: Option<Option<Value>>,
    institutions: Option<Value>,
    websites: Option<Value>,
    profile_preferences: Option<Value>,
    username_changed_at: Option<DateTime<Utc>>,
}

impl From<ProfileEdit> for ProfileChanges {
    fn from(edit: ProfileEdit) -> Self {
        let location = |location: Location| Value::Object(location.as_map().clone());
        let preferences = |preferences: Preferences| Value::Object(preferences.as_map().clone());
        Self {
            username: edit.username.map(Into::into),
            display_name: edit.display_name.map(|change| change.map(Into::into)),
            bio: edit.bio.map(|change| change.map(Into::into)),
            city: edit.city.map(|change| change.map(Into::into)),
            location: edit.location.map(|change| change.map(location)),
            institutions: edit.institutions.map(|names| names.as_slice().into()),
            websites: edit.websites.map(|addresses| addresses.as_slice().into()),
            profile_preferences: edit.preferences.map(preferences),
            username_changed_at: None,
        }
    }
}

fn location_from_json(stored: Option<Value>) -> Result<Option<Location>> {
    match stored {
        None => Ok(None),
        Some(Value::Object(location)) => Ok(Some(Location::from_stored(location))),
        Some(_) => Err(StorageError::Corrupt { column: "users.location" }),
    }
}

fn texts_from_json(stored: Option<Value>, column: &'static str) -> Result<Vec<String>> {
    let corrupt = |_| StorageError::Corrupt { column };
    stored.map_or(Ok(Vec::new()), |texts| serde_json::from_value(texts).map_err(corrupt))
}
