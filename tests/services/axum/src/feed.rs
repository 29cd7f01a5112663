//! The ranked feed of a user.

use axum::Json;
use axum::extract::State;
use grateful_domain::{FeedCursor, PostId, Viewer};
use grateful_storage::{Reader, Repositories, Result as StorageResult};
use serde_json::{Value, json};

use crate::sign_in::SignedIn;
use crate::{Result, Shop};

/// The number of posts on a page.
const POSTS: usize = 20;

/// The first page: the ids, then the posts that the user can see, on a connection that many requests share.
pub(crate) async fn feed(
    State(shop): State<Shop>,
    SignedIn(user): SignedIn,
) -> Result<Json<Value>> {
    let (viewer, now) = (Viewer::User(user), (shop.clock)());
    let read = async |mut conn: Reader| -> StorageResult<_> {
        let page = conn.feed().compose(viewer, &FeedCursor::default(), now, POSTS).await?;
        let ids: Vec<PostId> = page.items.iter().map(|entry| entry.item.post.id).collect();
        Ok((conn.posts().find_public(viewer, &ids).await?, ids))
    };
    let (posts, ids) = shop.db.read(read).await?;
    let shown = ids.iter().filter_map(|id| posts.get(id)).map(|shown| {
        json!({
            "id": shown.post.id.to_string(),
            "author": shown.author.name(),
            "content": shown.post.draft.content.as_str(),
            "hearts": shown.post.engagement.hearts,
        })
    });
    Ok(Json(shown.collect()))
}
