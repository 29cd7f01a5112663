//! No third post of one author within six places in a row.

use crate::UserId;

/// Whose posts hold the last places of a walk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Spacing {
    /// The oldest first.
    recent: Vec<UserId>,
}

impl Spacing {
    /// How many places before one have a say in who may have it.
    pub(super) const MEMORY: usize = 5;

    /// How many of those one author may have, and still get it.
    const MOST: usize = 1;

    /// After places by these authors, the oldest first.
    pub(super) fn after(authors: impl IntoIterator<Item = UserId>) -> Self {
        let mut spacing = Self::default();
        authors.into_iter().for_each(|author| spacing.push(author));
        spacing
    }

    /// Whether the next place would make a third of this author.
    pub(super) fn bars(&self, author: UserId) -> bool {
        self.recent.iter().filter(|recent| **recent == author).count() > Self::MOST
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
