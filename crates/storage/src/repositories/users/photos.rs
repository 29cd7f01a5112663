//! The photos of people: which is theirs, and which files are anybody's.

use std::collections::HashSet;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel_async::RunQueryDsl;
use grateful_domain::{PhotoSize, ProfilePhoto, UserId};

use super::Users;
use crate::Result;
use crate::query::statement;
use crate::schema::users;

/// The photo that somebody had, if any, before they got another one or went away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviousPhoto(pub Option<ProfilePhoto>);

impl Users<'_> {
    /// Gives somebody another photo, or none, in one statement. Tells which they had until then, so that of two changes at
    /// once each tells of another one; nothing where there is no such person.
    pub async fn set_photo(
        &mut self,
        user: UserId,
        photo: Option<&ProfilePhoto>,
    ) -> Result<Option<PreviousPhoto>> {
        let set = SetPhoto {
            user: user.into(),
            photo: photo.map(|photo| photo.as_str().to_owned()),
            url: photo.map(|photo| photo.url(PhotoSize::Medium)),
        };
        let before: Option<Option<String>> = set.get_result(self.conn).await.optional()?;
        Ok(before.map(|before| PreviousPhoto(before.map(ProfilePhoto::from_stored))))
    }

    /// Those of these photos that are anybody's, in one statement.
    pub async fn photos_in_use(
        &mut self,
        photos: &HashSet<ProfilePhoto>,
    ) -> Result<HashSet<ProfilePhoto>> {
        let names: Vec<&str> = photos.iter().map(ProfilePhoto::as_str).collect();
        let kept: Vec<Option<String>> = users::table
            .filter(users::profile_photo_filename.eq_any(names))
            .select(users::profile_photo_filename)
            .load(self.conn)
            .await?;
        Ok(kept.into_iter().flatten().map(ProfilePhoto::from_stored).collect())
    }
}

statement! {
    SetPhoto(
        user: i64 as BigInt,
        photo: Option<String> as Nullable<Text>,
        url: Option<String> as Nullable<Text>
    ) -> Nullable<Text> {
        "before AS (
            SELECT id, profile_photo_filename AS photo FROM users WHERE id = $1 FOR NO KEY UPDATE
        )
        UPDATE users SET profile_photo_filename = $2, profile_image_url = $3
        FROM before WHERE users.id = before.id RETURNING before.photo"
    }
}
