//! Generates what users do after the dataset: an endless sequence of acts, for demonstrations.

use chrono::{DateTime, Utc};
use grateful_domain::{CommentText, Content, Draft, Emoji, PostType, Visibility};

use crate::rng::{Rng, Stream};
use crate::texts;
use crate::zipf::ZipfSampler;

/// An act of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveAct {
    /// Index of the user.
    pub user: usize,
    /// What the user does.
    pub kind: LiveActKind,
}

/// What a user does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LiveActKind {
    /// Publishes a post.
    Publish(Draft),
    /// Engages with one of the newest posts of other users.
    Engage {
        /// The rank of the post: 0 is the newest. Below [`LiveActs::MAX_RANK`].
        rank: usize,
        /// What the user does with it.
        with: LiveEngagement,
    },
}

/// What a user does with a post or its author.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LiveEngagement {
    /// Adds a heart.
    Heart,
    /// Adds an emoji reaction, or replaces their own.
    Reaction(Emoji),
    /// Writes a comment.
    Comment(CommentText),
    /// Follows the author.
    FollowAuthor,
}

/// An endless sequence of acts. The seed, the number of users and the time of the newest post determine it.
#[derive(Debug)]
pub struct LiveActs {
    active_users: ZipfSampler,
    rng: Rng,
}

impl LiveActs {
    /// The bound of the ranks of posts. Small, so that several users engage with the same post and their notifications
    /// form batches.
    pub const MAX_RANK: usize = 24;

    /// The acts of `users` users (at least one), who are as active as in the datasets of this seed. `newest_post` makes
    /// them different from those before it: a sequence that starts later is another one.
    pub fn new(seed: u64, users: usize, newest_post: DateTime<Utc>) -> Self {
        let start = seed.wrapping_add(newest_post.timestamp_micros().unsigned_abs());
        Self {
            active_users: ZipfSampler::below(users, Stream::Activity, seed),
            rng: Rng::for_stream(Stream::LiveActs, start),
        }
    }

    fn draft(&mut self) -> Draft {
        let post_type = if self.rng.chance(400) { PostType::Daily } else { PostType::Spontaneous };
        Draft {
            title: None,
            content: Content::from_stored(texts::content(post_type, &mut self.rng)),
            post_type,
            image_url: None,
            location: None,
            visibility: Visibility::Public,
        }
    }
}

impl Iterator for LiveActs {
    type Item = LiveAct;

    fn next(&mut self) -> Option<LiveAct> {
        let user = self.active_users.sample(&mut self.rng);
        let with = match self.rng.below(100) {
            0..6 => return Some(LiveAct { user, kind: LiveActKind::Publish(self.draft()) }),
            6..55 => LiveEngagement::Heart,
            55..75 => LiveEngagement::Reaction(Emoji::ALL[self.rng.index(Emoji::ALL.len())]),
            75..92 => {
                LiveEngagement::Comment(CommentText::from_stored(texts::comment(&mut self.rng)))
            }
            _ => LiveEngagement::FollowAuthor,
        };
        // In thousandths, since the fraction is rounded down.
        let rank = self.rng.squared_fraction_of(Self::MAX_RANK as u64 * 1_000) / 1_000;
        let rank = usize::try_from(rank).unwrap_or_default();
        Some(LiveAct { user, kind: LiveActKind::Engage { rank, with } })
    }
}
