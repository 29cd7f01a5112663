//! The size of a dataset and its limits.

use std::ops::RangeInclusive;

use thiserror::Error;

/// How many items of each kind to generate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DatasetSize {
    /// Number of users.
    pub users: usize,
    /// Number of posts.
    pub posts: usize,
    /// Number of hearts, emoji reactions, shares and comments in total.
    pub engagements: usize,
    /// Number of follows, follow requests and blocks in total.
    pub follows: usize,
    /// Maximum number of events that users are notified of; the newest ones are chosen.
    pub notifications: usize,
}

/// Why a dataset of some size cannot be generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DatasetSizeError {
    /// No users at all, or more items than fit into memory.
    #[error("{what} must be {} to {}, not {requested}", bounds.0, bounds.1)]
    OutOfBounds {
        /// The kind of items.
        what: &'static str,
        /// The requested number.
        requested: usize,
        /// Minimum and maximum, both allowed.
        bounds: (usize, usize),
    },
    /// Engagement without posts.
    #[error("engagements need at least one post")]
    NoPosts,
    /// More follows than half of the ordered pairs of users. The limit keeps the follow graph from becoming a clique.
    #[error("{users} users allow at most {max} follows, not {requested}")]
    TooManyFollows {
        /// Number of users.
        users: usize,
        /// Maximum number of follows among them.
        max: usize,
        /// The requested number.
        requested: usize,
    },
}

impl DatasetSize {
    /// A small dataset for demos, generated within a second.
    pub const DEMO: Self =
        Self { users: 200, posts: 1_000, engagements: 6_000, follows: 2_000, notifications: 3_000 };

    /// Allowed number of users.
    pub const USERS: RangeInclusive<usize> = 1..=1_000_000;
    /// Allowed number of posts.
    pub const POSTS: RangeInclusive<usize> = 0..=5_000_000;
    /// Allowed number of engagements, of follows and of notifications, each.
    pub const INTERACTIONS: RangeInclusive<usize> = 0..=10_000_000;

    /// Checks that a dataset of this size can be generated.
    pub fn check(self) -> Result<(), DatasetSizeError> {
        let bounds = [
            ("users", self.users, Self::USERS),
            ("posts", self.posts, Self::POSTS),
            ("engagements", self.engagements, Self::INTERACTIONS),
            ("follows", self.follows, Self::INTERACTIONS),
            ("notifications", self.notifications, Self::INTERACTIONS),
        ];
        if let Some((what, requested, range)) =
            bounds.into_iter().find(|(_, requested, range)| !range.contains(requested))
        {
            let bounds = range.into_inner();
            return Err(DatasetSizeError::OutOfBounds { what, requested, bounds });
        }
        let max = self.users.saturating_mul(self.users - 1) / 2;
        if max < self.follows {
            return Err(DatasetSizeError::TooManyFollows {
                users: self.users,
                max,
                requested: self.follows,
            });
        }
        match self {
            Self { posts: 0, engagements: 1.., .. } => Err(DatasetSizeError::NoPosts),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(DatasetSize { users: 0, ..DatasetSize::DEMO }, "users must be 1 to 1000000, not 0")]
    #[case(
        DatasetSize { posts: 5_000_001, ..DatasetSize::DEMO },
        "posts must be 0 to 5000000, not 5000001"
    )]
    #[case(DatasetSize { posts: 0, ..DatasetSize::DEMO }, "engagements need at least one post")]
    #[case(
        DatasetSize { users: 3, follows: 4, ..DatasetSize::DEMO },
        "3 users allow at most 3 follows, not 4"
    )]
    fn an_impossible_size_is_rejected_with_the_reason(
        #[case] size: DatasetSize,
        #[case] reason: &str,
    ) {
        assert_eq!(size.check().unwrap_err().to_string(), reason);
    }

    #[test]
    fn the_demo_size_and_a_single_user_are_accepted() {
        let single_user =
            DatasetSize { users: 1, posts: 0, engagements: 0, follows: 0, notifications: 9 };
        assert_eq!(DatasetSize::DEMO.check(), Ok(()));
        assert_eq!(single_user.check(), Ok(()));
    }
}
