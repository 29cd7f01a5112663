//! The `data` of a notification.

use utoipa::ToSchema;
use uuid::Uuid;

use crate::response::codes::{EmojiCode, ShareMethodCode};

/// What a client needs to display and link a notification, with current names and texts. For a batch, it is the data of
/// the newest child.
#[derive(ToSchema)]
#[expect(dead_code, reason = "OpenAPI documentation of what `RenderedNotification` builds")]
pub(crate) struct NotificationDataView {
    /// The id of the actor, as a string.
    actor_user_id: String,
    actor_username: String,
    /// The post. In all types but `follow`, `follow_request` and `follow_accepted`.
    #[schema(nullable = false)]
    post_id: Option<Uuid>,
    /// The start of the post as it is now, in the same types as `post_id`. Absent if the caller cannot see the post.
    #[schema(nullable = false, max_length = 100)]
    post_preview: Option<String>,
    /// The comment. In `comment`, in `comment_reply`, and in a `mention` in a comment.
    #[schema(nullable = false)]
    comment_id: Option<Uuid>,
    /// The start of the comment as it is now, with `comment_id`. Absent if the caller cannot see the comment.
    #[schema(nullable = false, max_length = 100)]
    comment_preview: Option<String>,
    /// In `emoji_reaction`.
    #[schema(nullable = false)]
    emoji_code: Option<EmojiCode>,
    /// In `post_shared`.
    #[schema(nullable = false)]
    share_method: Option<ShareMethodCode>,
    /// In `post_shared`, if the share has a message.
    #[schema(nullable = false)]
    share_message: Option<String>,
    /// The id of the actor. In `follow` and `follow_request`.
    #[schema(nullable = false)]
    follower_id: Option<i64>,
    /// Equals `actor_username`. In `like`.
    #[schema(nullable = false)]
    liker_username: Option<String>,
    /// Equals `actor_username`. In `emoji_reaction`.
    #[schema(nullable = false)]
    reactor_username: Option<String>,
    /// Equals `actor_username`. In `post_shared`.
    #[schema(nullable = false)]
    sharer_username: Option<String>,
    /// Equals `actor_username`. In `mention`, `comment` and `comment_reply`.
    #[schema(nullable = false)]
    author_username: Option<String>,
    /// Equals `actor_username`. In `follow` and `follow_request`.
    #[schema(nullable = false)]
    follower_username: Option<String>,
}
