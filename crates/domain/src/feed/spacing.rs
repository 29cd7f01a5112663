//! Keeps an author from having three posts within six consecutive positions (docs/rules.md#composition).

use crate::UserId;

/// The authors at the most recent positions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Spacing {
    /// Oldest first, at most [`MEMORY`](Self::MEMORY).
    recent: Vec<UserId>,
}

impl Spacing {
    /// How many preceding positions restrict the author of a position.
    pub(super) const MEMORY: usize = 5;

    /// How many of those may have the same author as the position itself.
    const MAX_SAME_AUTHOR: usize = 1;

    /// The state after positions by these authors, oldest first.
    pub(super) fn after(authors: impl IntoIterator<Item = UserId>) -> Self {
        let mut spacing = Self::default();
        authors.into_iter().for_each(|author| spacing.push(author));
        spacing
    }

    /// Whether a post of this author at the next position would be the third within six positions.
    pub(super) fn would_be_third(&self, author: UserId) -> bool {
        self.recent.iter().filter(|recent| **recent == author).count() > Self::MAX_SAME_AUTHOR
    }

    pub(super) fn push(&mut self, author: UserId) {
        if self.recent.len() == Self::MEMORY {
            self.recent.remove(0);
        }
        self.recent.push(author);
    }

    pub(super) fn recent(&self) -> &[UserId] {
        &self.recent
    }
}
