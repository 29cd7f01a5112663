//! The images of posts: several posts may show the same.

use std::collections::HashSet;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use grateful_domain::{ImageUrl, PostId};
use uuid::Uuid;

use super::Posts;
use crate::Result;
use crate::schema::posts;

impl Posts<'_> {
    /// That another post than this one shows the image, and goes on doing so until the transaction ends: whoever takes that
    /// one away then finds this one, and leaves the file.
    pub async fn lock_other_use_of_image(&mut self, image: &ImageUrl, but: PostId) -> Result<bool> {
        let shown: Option<Uuid> = posts::table
            .filter(posts::image_url.eq(image.as_str()))
            .filter(posts::id.ne(Uuid::from(but)))
            .select(posts::id)
            // Against an edit of the image as well, which changes no key.
            .for_share()
            .first(self.conn)
            .await
            .optional()?;
        Ok(shown.is_some())
    }

    /// Those of these images that any post shows, in one statement.
    pub async fn images_in_use(&mut self, images: &HashSet<ImageUrl>) -> Result<HashSet<ImageUrl>> {
        let urls: Vec<&str> = images.iter().map(ImageUrl::as_str).collect();
        let shown: Vec<Option<String>> = posts::table
            .filter(posts::image_url.eq_any(urls))
            .select(posts::image_url)
            .distinct()
            .load(self.conn)
            .await?;
        Ok(shown.into_iter().flatten().map(ImageUrl::from_stored).collect())
    }
}
