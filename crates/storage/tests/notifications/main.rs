//! Notifications through [`Notifications`](grateful_storage::Notifications), and what keeps them right.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "../support/pages.rs"]
mod pages;
#[path = "../support/sql.rs"]
mod sql;

/// Ana, her post, and what others do.
mod world;

/// Telling people: each of them, once, unless something stands against it.
mod recording;

/// Taking back what was told.
mod withdrawing;

/// Reading what one was told, and nobody else's.
mod reading;

/// Following a list as it changes.
mod counting;
mod following;

/// Forgetting what is old.
mod upkeep;

/// What opens a stream.
mod tickets;

/// Counting anew what is kept, and mending it.
mod verifying;

/// All of it by many at the same time.
mod at_once;
