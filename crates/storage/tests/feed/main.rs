//! The ranked feed and what is trending, against the rules that the domain gives for them.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

/// Databases with people, posts, follows and blocks, at random but the same every time.
mod world;

/// Pages against the composition of all posts.
mod pages;
/// The stored rank against the domain's.
mod rank;
/// What is trending against the score of all posts.
mod trending;
