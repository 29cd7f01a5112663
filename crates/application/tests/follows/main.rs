//! Follows and blocks, against PostgreSQL. One binary, so that it is linked once.

#![expect(clippy::unwrap_used, reason = "a test whose setup fails must fail")]

/// Shared helpers.
/// Blocks.
mod blocks;
/// Many users acting at the same time.
mod concurrency;
/// Notifications of follows and requests.
mod notifications;
/// Statement counts of acts and lists.
mod query_counts;
/// Removing followers.
mod removal;
