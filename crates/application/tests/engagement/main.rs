//! Engagement with posts, against PostgreSQL. One binary, so that it is linked once.

#![expect(clippy::unwrap_used, reason = "a test whose setup fails must fail")]

/// Shared helpers.
mod support;

/// Comments.
mod comments;
/// Acts of many users in one transaction.
mod groups;
/// Acts in groups and one after another.
mod groups_and_single_acts;
/// Hearts.
mod hearts;
/// Statement counts of acts and lists.
mod query_counts;
/// Emoji reactions.
mod reactions;
/// Shares.
mod shares;
/// Undoing one's own acts on posts that are no longer visible.
/// Verifying and repairing cached counts.
mod verify;
