//! What everybody posts.

use grateful_domain::{Page, SeenPost, Slice, Viewer};
use grateful_storage::{PostQuery, Repositories};

use crate::{App, Result};

/// Everybody's public posts, newest first, the viewer's own among them.
pub async fn newest(app: &App, viewer: Viewer, page: Page) -> Result<Slice<SeenPost>> {
    let query = PostQuery::visible_to(viewer).public().page(page);
    Ok(app.db.acquire().await?.posts().list(query).await?)
}
