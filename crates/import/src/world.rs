//! What the mending of one row has to know of others: about a hundred bytes per user, post, comment and mention, and no texts.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use grateful_domain::{Engagement, ImageUrl, Preferences};
use uuid::Uuid;

use crate::naming::Accounts;

/// Why a post loses its picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureFault {
    /// The address is not a plain name in the older folder. It is not followed.
    Elsewhere,
    /// There is no such file.
    Missing,
    /// The file is none of the formats that we accept, or it is damaged.
    NoPicture,
}

impl PictureFault {
    /// The reason for the report.
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::Elsewhere => "not one of our uploads",
            Self::Missing => "file is missing",
            Self::NoPicture => "file is no picture",
        }
    }
}

/// The files that have come over, by their older names.
#[derive(Debug, Default)]
pub struct Pictures {
    /// The images of posts, under the name of the older file. What is missing here is [`PictureFault::Missing`].
    pub images: HashMap<String, Result<ImageUrl, PictureFault>>,
    /// The names, without the size, of the profile photos that have come over in each size.
    pub photos: HashSet<String>,
}

/// What other rows need of an account.
#[derive(Debug, Clone, Default)]
pub(crate) struct UserFacts {
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) followers: i64,
    pub(crate) following: i64,
    pub(crate) posts: i64,
    pub(crate) public_posts: i64,
    /// The users whose requests to follow this one wait for an answer.
    pub(crate) awaited: Vec<i64>,
    /// The preferences, if they say something of notifications.
    pub(crate) preferences: Option<Box<Preferences>>,
}

/// What other rows need of a post.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PostFacts {
    pub(crate) author: i64,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) is_public: bool,
    pub(crate) engagement: Engagement,
}

/// What other rows need of a comment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CommentFacts {
    pub(crate) post: Uuid,
    pub(crate) author: i64,
}

/// A mention in a post that comes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PostMention {
    pub(crate) recipient: i64,
    pub(crate) post: Uuid,
}

/// The facts. They are collected before anything is written.
#[derive(Debug, Default)]
pub(crate) struct World {
    /// The moment of the import.
    pub(crate) now: DateTime<Utc>,
    /// Acts from before this time are too old for a notification of ours.
    pub(crate) retained_since: DateTime<Utc>,
    pub(crate) accounts: Accounts,
    pub(crate) users: HashMap<i64, UserFacts>,
    pub(crate) posts: HashMap<Uuid, PostFacts>,
    pub(crate) skipped_posts: HashSet<Uuid>,
    /// The comments that come over.
    pub(crate) comments: HashMap<Uuid, CommentFacts>,
    pub(crate) skipped_comments: HashSet<Uuid>,
    /// Pairs of a blocked user and the user who blocked them.
    pub(crate) blocks: HashSet<(i64, i64)>,
    /// When posts without any time of their own were first answered, by their older ids.
    pub(crate) earliest_answers: HashMap<String, DateTime<Utc>>,
    pub(crate) mentions: Vec<PostMention>,
    pub(crate) pictures: Pictures,
}

impl World {
    pub(crate) fn user(&self, id: i64) -> Option<&UserFacts> {
        self.users.get(&id)
    }

    /// Whether one of two users has blocked the other.
    pub(crate) fn is_blocked(&self, one: i64, other: i64) -> bool {
        self.blocks.contains(&(one, other)) || self.blocks.contains(&(other, one))
    }

    /// Five users, the third has blocked the second, and two posts of the first.
    #[cfg(test)]
    pub(crate) fn sample() -> Self {
        use chrono::TimeDelta;

        let now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        let accounts: Vec<_> =
            (1..=5).map(|id| (id, format!("user{id}"), format!("user{id}@mail.example"))).collect();
        let user = UserFacts { created_at: now - TimeDelta::days(900), ..UserFacts::default() };
        let post = |is_public| PostFacts {
            author: 1,
            created_at: now - TimeDelta::days(400),
            is_public,
            engagement: Engagement::default(),
        };
        let image = ImageUrl::from_stored("/uploads/posts/new.jpg".to_owned());
        Self {
            now,
            retained_since: now - TimeDelta::days(90),
            accounts: Accounts::assign(&accounts),
            users: (1..=5).map(|id| (id, user.clone())).collect(),
            posts: [(Self::sample_post(true), post(true)), (Self::sample_post(false), post(false))]
                .into(),
            skipped_posts: [crate::ids::of_row("skipped")].into(),
            blocks: [(2, 3)].into(),
            earliest_answers: [("answered".to_owned(), now - TimeDelta::days(2))].into(),
            pictures: Pictures {
                images: [
                    ("a.PNG".to_owned(), Ok(image)),
                    ("text.jpg".to_owned(), Err(PictureFault::NoPicture)),
                ]
                .into(),
                photos: HashSet::new(),
            },
            ..Self::default()
        }
    }

    #[cfg(test)]
    pub(crate) fn sample_post(is_public: bool) -> Uuid {
        Uuid::from_u128(if is_public { 0xa } else { 0xb })
    }
}
