//! Profile photos.

use std::collections::HashSet;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel_async::RunQueryDsl;
use grateful_domain::{ProfilePhoto, UserId};

use super::Users;
use crate::Result;
use crate::query::statement;
use crate::schema::users;

/// The photo that a user had before a change or the deletion of the account, if any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviousPhoto(pub Option<ProfilePhoto>);

impl Users<'_> {
    /// Sets or removes the photo of a user, with the URL that is shown. Returns the previous photo, or `None` if there is no such user. It is one
    /// statement, so two concurrent calls return different previous photos.
    pub async fn set_photo(
        &mut self,
        user: UserId,
        photo: Option<(&ProfilePhoto, String)>,
    ) -> Result<Option<PreviousPhoto>> {
        let (photo, url) = photo.map(|(name, url)| (name.as_str().to_owned(), url)).unzip();
        let set = SetPhoto { user: user.into(), photo, url };
        let previous: Option<Option<String>> = set.get_result(self.conn).await.optional()?;
        Ok(previous.map(|photo| PreviousPhoto(photo.map(ProfilePhoto::from_stored))))
    }

    /// Which of these photos belong to a user, in one statement.
    pub async fn photos_in_use(
        &mut self,
        photos: &HashSet<ProfilePhoto>,
    ) -> Result<HashSet<ProfilePhoto>> {
        let names: Vec<&str> = photos.iter().map(ProfilePhoto::as_str).collect();
        let used: Vec<Option<String>> = users::table
            .filter(users::profile_photo_filename.eq_any(names))
            .select(users::profile_photo_filename)
            .load(self.conn)
            .await?;
        Ok(used.into_iter().flatten().map(ProfilePhoto::from_stored).collect())
    }
}

statement! {
    SetPhoto {
        user: i64 as BigInt,
        photo: Option<String> as Nullable<Text>,
        url: Option<String> as Nullable<Text>,
    } -> Nullable<Text>,
    "WITH before AS (
        SELECT id, profile_photo_filename AS photo FROM users
        WHERE id = :user AND deleted_at IS NULL FOR NO KEY UPDATE
    )
    UPDATE users SET profile_photo_filename = :photo, profile_image_url = :url
    FROM before WHERE users.id = before.id RETURNING before.photo"
}
