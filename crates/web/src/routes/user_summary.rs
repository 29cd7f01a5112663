//! A user in a list: of search results, follow requests and blocked users.

use grateful_domain::{FollowListItem, UserListItem};
use serde::Serialize;
use utoipa::ToSchema;

/// A user in a list.
#[derive(Serialize, ToSchema)]
pub(crate) struct UserSummaryView {
    id: i64,
    username: String,
    display_name: Option<String>,
    bio: Option<String>,
    profile_image_url: Option<String>,
}

impl From<UserListItem> for UserSummaryView {
    fn from(UserListItem { author, bio, .. }: UserListItem) -> Self {
        Self {
            id: author.id.into(),
            username: author.username.into(),
            display_name: author.display_name.map(Into::into),
            bio: bio.map(Into::into),
            profile_image_url: author.profile_image_url,
        }
    }
}

impl From<FollowListItem> for UserSummaryView {
    fn from(item: FollowListItem) -> Self {
        item.user.into()
    }
}
