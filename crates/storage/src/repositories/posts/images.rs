//! Images of posts. Several posts may show the same image.

use std::collections::HashSet;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use grateful_domain::{ImageUrl, PostId};
use uuid::Uuid;

use super::Posts;
use crate::Result;
use crate::schema::posts;

impl Posts<'_> {
    /// Whether a post other than `except` shows the image. If so, locks that post until the transaction ends: a transaction
    /// that removes the image from it waits, then finds this post, and keeps the file.
    pub async fn lock_other_use_of_image(
        &mut self,
        image: &ImageUrl,
        except: PostId,
    ) -> Result<bool> {
        let other: Option<Uuid> = posts::table
            .filter(posts::image_url.eq(image.as_str()))
            .filter(posts::id.ne(Uuid::from(except)))
            .select(posts::id)
            // `FOR KEY SHARE` would not conflict with an edit of the image, which changes no key.
            .for_share()
            .first(self.conn)
            .await
            .optional()?;
        Ok(other.is_some())
    }

    /// Which of these images a post shows, in one statement.
    pub async fn images_in_use(&mut self, images: &HashSet<ImageUrl>) -> Result<HashSet<ImageUrl>> {
        let urls: Vec<&str> = images.iter().map(ImageUrl::as_str).collect();
        let used: Vec<Option<String>> = posts::table
            .filter(posts::image_url.eq_any(urls))
            .select(posts::image_url)
            .distinct()
            .load(self.conn)
            .await?;
        Ok(used.into_iter().flatten().map(ImageUrl::from_stored).collect())
    }
}
