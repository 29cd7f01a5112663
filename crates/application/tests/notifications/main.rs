//! Notifications of acts, against PostgreSQL. One binary, so that it is linked once.

#![expect(clippy::unwrap_used, reason = "a test whose setup fails must fail")]

/// Shared helpers.
mod support;

/// Changes of any size: blocks, deletions, marking all as read.
mod background_jobs;
/// Whether a batch is unread after a withdrawal.
mod badges;
/// Clocks that were ahead.
mod clocks;
/// The hourly limit.
mod hourly_limit;
/// Batching over time, restored notifications and changed names.
mod lifecycle;
/// Mentions in posts and comments.
mod mentions;
/// Acts without a notification.
mod missing;
/// Statement counts.
mod query_counts;
/// Listing, counting and marking as read.
mod reading;
/// The notifications that each act creates.
mod recording;
/// How long rows are kept.
mod retention;
/// Events that create no notification.
mod skipped_events;
/// Streaming the changes of an inbox.
mod stream;
/// Notifications that undoing an act withdraws.
mod withdrawal;
