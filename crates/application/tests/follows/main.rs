//! What people can be to each other. One program, so that it is linked once.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

/// What the tests of several subjects share.
mod support;

/// Blocks.
mod blocks;
/// Many people at once.
mod crowd;
/// What people are told of it.
mod notices;
/// How many statements each act and each list costs.
mod prices;
