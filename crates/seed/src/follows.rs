//! Generates follows, follow requests and blocks.

use std::collections::HashSet;

use grateful_domain::FollowState;

use crate::rng::{Rng, Stream};
use crate::users::approves_followers;
use crate::zipf::ZipfSampler;

/// A follow, request or block between two users, given by their indexes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GeneratedFollow {
    /// Microseconds since the Unix epoch.
    pub(crate) at: i64,
    pub(crate) follower: usize,
    pub(crate) followed: usize,
    pub(crate) state: FollowState,
}

/// The pairs of users (blocker, blocked) with a block.
#[derive(Debug, Default)]
pub(crate) struct Blocks(HashSet<(usize, usize)>);

impl Blocks {
    /// Whether either user blocks the other.
    pub(crate) fn is_between(&self, one: usize, other: usize) -> bool {
        self.0.contains(&(one, other)) || self.0.contains(&(other, one))
    }
}

/// Per mille of follows that are blocks.
const BLOCKED: u64 = 8;
/// Per mille of follows of users with follow approval that are still pending.
const PENDING: u64 = 250;

/// Attempts to draw a new pair by activity and popularity. After that, pairs are drawn uniformly.
const MAX_ATTEMPTS: u32 = 16;

/// Generates `count` follows among `users` users, oldest first. `count` must be within the bounds of
/// `DatasetSize::check`.
pub(crate) fn generate_follows(
    count: usize,
    users: usize,
    active_users: &ZipfSampler,
    seed: u64,
    (now, span): (i64, u64),
) -> (Vec<GeneratedFollow>, Blocks) {
    let popular_users = ZipfSampler::below(users, Stream::UserPopularity, seed);
    let mut rng = Rng::for_stream(Stream::Follows, seed);
    let (mut pairs, mut blocks) = (HashSet::with_capacity(count), Blocks::default());
    let mut follows = Vec::with_capacity(count);
    let mut attempts = 0;
    while follows.len() < count {
        attempts += 1;
        let pair @ (follower, followed) = if attempts <= MAX_ATTEMPTS {
            (active_users.sample(&mut rng), popular_users.sample(&mut rng))
        } else {
            (rng.index(users), rng.index(users))
        };
        if follower == followed || pairs.contains(&pair) || blocks.is_between(follower, followed) {
            continue;
        }
        // A block would end a follow in the opposite direction.
        let state = match rng.below(1_000) {
            0..BLOCKED if !pairs.contains(&(followed, follower)) => FollowState::Blocked,
            _ if approves_followers(followed) && rng.chance(PENDING) => FollowState::Pending,
            _ => FollowState::Active,
        };
        if state == FollowState::Blocked {
            blocks.0.insert(pair);
        }
        pairs.insert(pair);
        let at = now.saturating_sub_unsigned(rng.below(span));
        follows.push(GeneratedFollow { at, follower, followed, state });
        attempts = 0;
    }
    follows.sort_by_key(|follow| follow.at);
    (follows, blocks)
}
