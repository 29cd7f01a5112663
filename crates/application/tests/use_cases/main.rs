//! What people can do, against PostgreSQL. One program, so that it is linked once.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

/// What the tests of several subjects share, and no more than that.
mod support;

/// Joining, signing in, passwords.
mod accounts;
/// Deleting an account.
mod departure;
/// That use cases can be embedded in servers that move tasks between threads.
mod embedding;
/// Everybody's posts.
mod feed;
/// Wherever a person is referred to: what is exported, and what is left when they go.
mod holdings;
/// The images of posts: who shows them, and when their files go.
mod images;
/// Finding people by what they are called.
mod people;
/// The photos of people.
mod photos;
/// Posts: who may do what, and what is counted.
mod posts;
/// What people say of themselves, and turning approval off.
mod profiles;
/// How many statements each use case costs, and what happens when PostgreSQL gives one up.
mod queries;
/// Requests that arrive more than once.
mod repeats;
/// Being signed in, and no longer.
mod sessions;
/// Files that no row names.
mod sweep;
/// Whether this node can work, and what it tidies up.
mod upkeep;
