//! What people do with posts, with a default for everything that a test does not mention.

use std::sync::atomic::{AtomicU32, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use grateful_domain::{
    Comment, CommentId, CommentText, Emoji, Engagement, Post, PostId, Recipients, Share,
    ShareDetails, ShareMessage, UserId,
};
use grateful_storage::{NewLike, NewReaction, Repositories};
use uuid::Uuid;

use crate::{NOON, TestDatabase};

static NUMBER: AtomicU32 = AtomicU32::new(1);

/// A new id and a moment a little after [`NOON`]: later ones are newer.
fn next<Id: From<Uuid>>() -> (Id, DateTime<Utc>) {
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let id = 0x0194_0000_0000_7000_8000_0000_0000_0000 | u128::from(number);
    (Uuid::from_u128(id).into(), NOON + TimeDelta::milliseconds(number.into()))
}

/// A heart that is yet to be given.
pub fn a_heart(user: UserId, post: PostId) -> NewLike {
    let (id, at) = next();
    NewLike { id, user, post, at }
}

/// A hug that is yet to be left.
pub fn a_reaction(user: UserId, post: PostId) -> NewReaction {
    let (id, at) = next();
    NewReaction { id, user, post, emoji: Emoji::Hug, at }
}

/// A link to a post that is yet to be taken.
pub fn a_link_share(by: UserId, post: PostId) -> Share {
    let (id, created_at) = next();
    Share { id, by, post, details: ShareDetails::Url, created_at }
}

/// A post that is yet to be sent to these people, with a few words.
pub fn a_message_share(by: UserId, post: PostId, to: &[UserId]) -> Share {
    let ids: Vec<i64> = to.iter().copied().map(i64::from).collect();
    let how = ShareDetails::Message {
        recipients: Recipients::parse(by, &ids).unwrap(),
        message: ShareMessage::parse("Look at that").unwrap(),
    };
    Share { details: how, ..a_link_share(by, post) }
}

/// Something said by somebody about a post by somebody.
pub fn a_comment() -> CommentBuilder {
    let (id, at) = next();
    let text = CommentText::parse("How lovely").unwrap();
    CommentBuilder { id, author: None, post: None, parent: None, text, at }
}

/// What is said of a comment before it is saved.
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
    /// By this person; otherwise by somebody new.
    pub fn by(self, author: UserId) -> Self {
        Self { author: Some(author), ..self }
    }

    /// On this post; otherwise on a new one by somebody new.
    pub fn on(self, post: &Post) -> Self {
        Self { post: Some(post.id), ..self }
    }

    /// In answer to this one, on the same post.
    pub fn replying_to(self, parent: &Comment) -> Self {
        Self { post: Some(parent.post), parent: Some(parent.id), ..self }
    }

    /// In these words.
    pub fn with_text(self, text: &str) -> Self {
        Self { text: CommentText::parse(text).unwrap(), ..self }
    }

    /// Written at this moment.
    pub fn at(self, moment: DateTime<Utc>) -> Self {
        Self { at: moment, ..self }
    }

    /// As it is, if it names its author and its post.
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

    /// Saves it, and whoever and whatever else it takes.
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
        let is_there = database.connect().await.comments().insert(&comment).await.unwrap();
        assert!(is_there, "nobody can say that about this post");
        comment
    }
}

/// The numbers that a post carries.
pub async fn load_engagement(database: &TestDatabase, post: PostId) -> Engagement {
    database.connect().await.posts().lock(post).await.unwrap().unwrap().engagement
}
