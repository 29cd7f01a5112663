//! Posts (docs/rules.md#posts).

mod content;
mod edit;
mod visibility;

use chrono::{DateTime, Utc};

pub use self::content::{Content, ImageUrl, LocationName, PostType, Title};
pub use self::edit::PostEdit;
pub use self::visibility::Visibility;
use crate::{Author, Emoji, Position, PostId, UserId, Viewer, find_mentions};

/// A post with its engagement counts.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Post {
    pub id: PostId,
    pub author: UserId,
    pub draft: Draft,
    pub created_at: DateTime<Utc>,
    /// When the author last edited the post. Other changes do not update it.
    pub updated_at: Option<DateTime<Utc>>,
    pub engagement: Engagement,
}

/// A post with its author and the viewer's own heart and reaction.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PostForViewer {
    pub post: Post,
    pub author: Author,
    /// Whether the viewer gave the post a heart.
    pub is_hearted: bool,
    /// The emoji of the viewer's reaction.
    pub reaction: Option<Emoji>,
}

/// The part of a post that its author writes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Draft {
    pub title: Option<Title>,
    pub content: Content,
    pub post_type: PostType,
    pub image_url: Option<ImageUrl>,
    pub location: Option<LocationName>,
    pub visibility: Visibility,
}

impl Draft {
    /// A public post of text alone.
    pub const fn new(content: Content, post_type: PostType) -> Self {
        Self {
            title: None,
            content,
            post_type,
            image_url: None,
            location: None,
            visibility: Visibility::Public,
        }
    }
}

/// The numbers of hearts, emoji reactions, shares and comments of a post.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Engagement {
    pub hearts: i32,
    pub reactions: i32,
    pub shares: i32,
    pub comments: i32,
}

/// The revision of a post, used in entity tags. It changes only when the author edits the post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct Revision(i64);

impl Revision {
    /// The time of the last edit, or of the creation, in microseconds since 1970. It is unique among the revisions of a
    /// post.
    pub fn micros(self) -> i64 {
        self.0
    }
}

impl Post {
    /// Creates a new post.
    pub fn publish(id: PostId, author: UserId, draft: Draft, now: DateTime<Utc>) -> Self {
        Self {
            id,
            author,
            draft,
            created_at: now,
            updated_at: None,
            engagement: Engagement::default(),
        }
    }

    /// Whether the viewer can see the post, ignoring blocks. Authors always see their own posts.
    pub fn is_visible_to(&self, viewer: Viewer) -> bool {
        viewer.is(self.author) || self.draft.visibility.is_public()
    }

    /// The usernames to notify about a mention; none if the post is private (docs/rules.md#mentions).
    pub fn mentioned_names(&self) -> Vec<&str> {
        match self.draft.visibility {
            Visibility::Public => find_mentions(self.draft.content.as_str()),
            Visibility::Private => Vec::new(),
        }
    }

    /// The position in lists ordered by time.
    pub fn position(&self) -> Position {
        Position { at: self.created_at, id: self.id.into() }
    }

    /// The current revision of the post.
    pub fn revision(&self) -> Revision {
        Revision(self.updated_at.unwrap_or(self.created_at).timestamp_micros())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use uuid::Uuid;

    use super::*;

    #[rstest]
    #[case(Visibility::Public, Viewer::Guest, true)]
    #[case(Visibility::Public, Viewer::User(UserId::from(2)), true)]
    #[case(Visibility::Private, Viewer::Guest, false)]
    #[case(Visibility::Private, Viewer::User(UserId::from(2)), false)]
    #[case(Visibility::Private, Viewer::User(UserId::from(1)), true)]
    fn only_the_author_can_see_a_private_post(
        #[case] visibility: Visibility,
        #[case] viewer: Viewer,
        #[case] visible: bool,
    ) {
        assert_eq!(post("thanks", visibility).is_visible_to(viewer), visible);
    }

    #[test]
    fn a_private_post_mentions_no_users() {
        assert_eq!(post("For @ben", Visibility::Public).mentioned_names(), ["ben"]);
        assert_eq!(post("For @ben", Visibility::Private).mentioned_names(), [""; 0]);
    }

    fn post(content: &str, visibility: Visibility) -> Post {
        let draft = Draft {
            title: None,
            content: Content::parse(content, PostType::Daily).unwrap(),
            post_type: PostType::Daily,
            image_url: None,
            location: None,
            visibility,
        };
        Post::publish(Uuid::nil().into(), 1.into(), draft, DateTime::UNIX_EPOCH)
    }
}
