//! Notifications in an in-memory inbox (docs/rules.md#notifications): those of Grateful, and the laws of batching for its acts
//! and for the events of a shop.

#![expect(clippy::unwrap_used, reason = "a failed setup is a failed test")]

/// An inbox with a manual clock, and the acts of other users.
mod scenario;

/// The policies for which the laws are checked.
mod policies;

/// How notifications of one batch key are converted, joined, closed and started.
mod batch_lifecycle;

/// The texts of every act and of every batch.
mod texts;

/// Withdrawn, restored and updated notifications.
mod withdrawal;

/// Which notifications are read and unread.
mod read_state;

/// The limits of new notifications.
mod hourly_limit;

/// Groups of updates, applied to a part of the inbox.
mod groups;

/// Invariants over random sequences of acts.
mod invariants;
