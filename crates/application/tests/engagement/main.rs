//! What people can do with posts. One program, so that it is linked once.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

/// What the tests of several subjects share.
mod support;

/// What people say about posts.
mod comments;
/// Hearts.
mod hearts;
/// How many statements each act and each list costs.
mod prices;
/// Emoji.
mod reactions;
/// Passing posts on.
mod shares;
/// Whether numbers equal rows.
mod verify;
