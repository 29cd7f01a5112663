//! Builders of hearts, reactions, shares and comments, with defaults for everything a test does not set.

use std::sync::atomic::{AtomicU32, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use grateful_domain::{
    Comment, CommentId, CommentText, Emoji, Engagement, Post, PostId, Recipients, Share,
    ShareDetails, ShareMessage, UserId,
};
use grateful_storage::{NewHeart, NewReaction, Repositories};
use uuid::Uuid;

use crate::{NOON, TestDatabase};

static NUMBER: AtomicU32 = AtomicU32::new(1);

/// Returns a new id and a time shortly after [`NOON`]. Each is greater than the previous one.
fn next<Id: From<Uuid>>() -> (Id, DateTime<Utc>) {
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let id = 0x0194_0000_0000_7000_8000_0000_0000_0000 | u128::from(number);
    (Uuid::from_u128(id).into(), NOON + TimeDelta::milliseconds(number.into()))
}

/// Builds a heart without inserting it.
pub fn a_heart(user: UserId, post: PostId) -> NewHeart {
    let (id, at) = next();
    NewHeart { id, user, post, at }
}

/// Builds a hug reaction without inserting it.
pub fn a_reaction(user: UserId, post: PostId) -> NewReaction {
    let (id, at) = next();
    NewReaction { id, user, post, emoji: Emoji::Hug, at }
}

/// Builds a link share without inserting it.
pub fn a_link_share(user: UserId, post: PostId) -> Share {
    let (id, created_at) = next();
    Share { id, user, post, details: ShareDetails::Url, created_at }
}

/// Builds a message share to these recipients without inserting it.
pub fn a_message_share(user: UserId, post: PostId, to: &[UserId]) -> Share {
    let ids: Vec<i64> = to.iter().copied().map(i64::from).collect();
    let details = ShareDetails::Message {
        recipients: Recipients::parse(user, &ids).unwrap(),
        message: ShareMessage::parse("Look at that").unwrap(),
    };
    Share { details, ..a_link_share(user, post) }
}

/// Starts building a top-level comment.
pub fn a_comment() -> CommentBuilder {
    let (id, at) = next();
    let text = CommentText::parse("How lovely").unwrap();
    CommentBuilder { id, author: None, post: None, parent: None, text, at }
}

/// Builds a comment.
#[must_use]
pub struct CommentBuilder {
    id: CommentId,
    author: Option<UserId>,
    post: Option<PostId>,
    parent: Option<CommentId>,
    text: CommentText,
    at: DateTime<Utc>,
}

impl CommentBuilder {
    /// Sets the author. The default is a new user.
    pub fn by(self, author: UserId) -> Self {
        Self { author: Some(author), ..self }
    }

    /// Sets the post. The default is a new post by a new user.
    pub fn on(self, post: &Post) -> Self {
        Self { post: Some(post.id), ..self }
    }

    /// Makes the comment a reply to `parent`, on the same post.
    pub fn replying_to(self, parent: &Comment) -> Self {
        Self { post: Some(parent.post), parent: Some(parent.id), ..self }
    }

    /// Sets the text.
    pub fn with_text(self, text: &str) -> Self {
        Self { text: CommentText::parse(text).unwrap(), ..self }
    }

    /// Sets the creation time.
    pub fn at(self, moment: DateTime<Utc>) -> Self {
        Self { at: moment, ..self }
    }

    /// Builds the comment without inserting it. Author and post must be set.
    pub fn build(self) -> Comment {
        Comment {
            id: self.id,
            post: self.post.unwrap(),
            author: self.author.unwrap(),
            parent: self.parent,
            text: self.text,
            created_at: self.at,
            updated_at: None,
        }
    }

    /// Inserts the comment. Inserts a new author and a new post if they are not set.
    pub async fn insert_into(self, database: &TestDatabase) -> Comment {
        let author = match self.author {
            Some(author) => author,
            None => crate::create_user(database).await,
        };
        let post = match self.post {
            Some(post) => post,
            None => crate::a_post().insert_into(database).await.id,
        };
        let comment = Self { author: Some(author), post: Some(post), ..self }.build();
        let is_inserted = database.connect().await.comments().insert(&comment).await.unwrap();
        assert!(is_inserted, "the post does not exist or is another user's private post");
        comment
    }
}

/// Loads the cached counts of a post.
pub async fn load_engagement(database: &TestDatabase, post: PostId) -> Engagement {
    database.connect().await.posts().lock(post).await.unwrap().unwrap().engagement
}
