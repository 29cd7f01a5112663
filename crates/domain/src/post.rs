//! Posts: what people are thankful for.

mod content;
mod edit;

use chrono::{DateTime, Utc};

pub use self::content::{
    Content, ImageUrl, ImageUrlError, LocationName, PostType, Title, UnknownPostType,
};
pub use self::edit::PostEdit;
use crate::{Author, Emoji, Position, PostId, UserId, Viewer, find_mentions};

/// A post as its author wrote it, with what others made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    pub id: PostId,
    pub author: UserId,
    pub draft: Draft,
    pub created_at: DateTime<Utc>,
    /// When its author last changed it; nothing else moves it.
    pub updated_at: Option<DateTime<Utc>>,
    pub engagement: Engagement,
}

/// A post as somebody in particular sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostForViewer {
    pub post: Post,
    pub author: Author,
    /// Whether the viewer gave it a heart.
    pub is_hearted: bool,
    /// The emoji that the viewer left on it.
    pub reaction: Option<Emoji>,
}

/// Everything of a post that its author decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    pub title: Option<Title>,
    pub content: Content,
    pub post_type: PostType,
    pub image_url: Option<ImageUrl>,
    pub location: Option<LocationName>,
    pub visibility: Visibility,
}

/// Who may read a post, blocks apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Visibility {
    /// Everybody, guests too.
    Public,
    /// Its author alone.
    Private,
}

impl Visibility {
    /// The form in which it is stored and sent.
    pub fn from_is_public(is_public: bool) -> Self {
        if is_public { Self::Public } else { Self::Private }
    }

    /// The form in which it is stored and sent.
    pub fn is_public(self) -> bool {
        self == Self::Public
    }
}

/// How many hearts, emoji reactions, shares and comments a post has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Engagement {
    pub hearts: i32,
    pub reactions: i32,
    pub shares: i32,
    pub comments: i32,
}

/// Which state of a post somebody has in hands: equal if its author changed nothing in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revision(i64);

impl Revision {
    /// Microseconds since 1970 of the last change; of one post no two states share it.
    pub fn micros(self) -> i64 {
        self.0
    }
}

impl Post {
    /// A post that was just written.
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

    /// Authors always see their own posts; everyone else goes by the visibility. Blocks are the caller's
    /// to know.
    pub fn is_visible_to(&self, viewer: Viewer) -> bool {
        viewer.is(self.author) || self.draft.visibility.is_public()
    }

    /// The names of those who are told that it names them: of a private post, nobody's (rules §6).
    pub fn mentioned_names(&self) -> Vec<&str> {
        match self.draft.visibility {
            Visibility::Public => find_mentions(self.draft.content.as_str()),
            Visibility::Private => Vec::new(),
        }
    }

    /// Its place in lists that are ordered by time.
    pub fn position(&self) -> Position {
        Position { at: self.created_at, id: self.id.into() }
    }

    /// Which state of the post this is.
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
    fn private_posts_are_for_their_author_alone(
        #[case] visibility: Visibility,
        #[case] viewer: Viewer,
        #[case] visible: bool,
    ) {
        assert_eq!(post("thanks", visibility).is_visible_to(viewer), visible);
    }

    #[test]
    fn nobody_is_named_where_nobody_may_read_it() {
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
