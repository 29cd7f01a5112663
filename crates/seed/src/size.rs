//! How large a world may be.

use std::ops::RangeInclusive;

use thiserror::Error;

/// How much there is of everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// How many people.
    pub people: usize,
    /// How many posts.
    pub posts: usize,
    /// How many hearts, emoji, shares and comments together.
    pub engagements: usize,
    /// How many follows, requests and blocks together.
    pub follows: usize,
    /// How many of the acts, the newest first, somebody is notified of, as far as there are so many to notify of.
    pub notifications: usize,
}

/// Why a world of some size cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SizeError {
    /// Nobody, or too much to hold in memory.
    #[error("{what} must be {} to {}, not {asked}", within.0, within.1)]
    Bounds {
        /// Of what.
        what: &'static str,
        /// How many were asked for.
        asked: usize,
        /// The fewest and the most.
        within: (usize, usize),
    },
    /// Engagement with no posts to engage with.
    #[error("engagements need posts, and there are to be none")]
    NoPosts,
    /// More edges than there are pairs of people, less half of them, which keeps it a world and not a clique.
    #[error("{people} people have room for {most} follows, not for {asked}")]
    Crowded {
        /// How many people.
        people: usize,
        /// How many edges they have room for.
        most: usize,
        /// How many were asked for.
        asked: usize,
    },
}

impl Size {
    /// Small enough to be looked at, and there in a moment.
    pub const DEMO: Self = Self {
        people: 200,
        posts: 1_000,
        engagements: 6_000,
        follows: 2_000,
        notifications: 3_000,
    };

    /// How many people there may be.
    pub const PEOPLE: RangeInclusive<usize> = 1..=1_000_000;
    /// How many posts there may be.
    pub const POSTS: RangeInclusive<usize> = 0..=5_000_000;
    /// How many engagements, follows and notifications there may be, of each.
    pub const ACTS: RangeInclusive<usize> = 0..=10_000_000;

    /// Whether there can be such a world.
    pub fn check(self) -> Result<(), SizeError> {
        let bounds = [
            ("users", self.people, Self::PEOPLE),
            ("posts", self.posts, Self::POSTS),
            ("engagements", self.engagements, Self::ACTS),
            ("follows", self.follows, Self::ACTS),
            ("notifications", self.notifications, Self::ACTS),
        ];
        if let Some((what, asked, range)) =
            bounds.into_iter().find(|(_, asked, range)| !range.contains(asked))
        {
            return Err(SizeError::Bounds { what, asked, within: range.into_inner() });
        }
        let most = self.people.saturating_mul(self.people - 1) / 2;
        if most < self.follows {
            return Err(SizeError::Crowded { people: self.people, most, asked: self.follows });
        }
        match self {
            Self { posts: 0, engagements: 1.., .. } => Err(SizeError::NoPosts),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(Size { people: 0, ..Size::DEMO }, "users must be 1 to 1000000, not 0")]
    #[case(Size { posts: 5_000_001, ..Size::DEMO }, "posts must be 0 to 5000000, not 5000001")]
    #[case(Size { posts: 0, ..Size::DEMO }, "engagements need posts, and there are to be none")]
    #[case(Size { people: 3, follows: 4, ..Size::DEMO }, "3 people have room for 3 follows, not for 4")]
    fn a_world_that_cannot_be_is_refused_with_the_reason(#[case] size: Size, #[case] why: &str) {
        assert_eq!(size.check().unwrap_err().to_string(), why);
    }

    #[test]
    fn the_demo_and_a_lonely_world_can_be() {
        let lonely = Size { people: 1, posts: 0, engagements: 0, follows: 0, notifications: 9 };
        assert_eq!(Size::DEMO.check(), Ok(()));
        assert_eq!(lonely.check(), Ok(()));
    }
}
