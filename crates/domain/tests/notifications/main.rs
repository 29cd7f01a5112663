//! The life of an inbox, in memory (rules §4).

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

/// Somebody's inbox, and what others do meanwhile.
mod story;

/// One key, step by step: a single, a batch, a new single.
mod life;

/// What is said, row by row of the rules' tables.
mod texts;

/// Undoing, doing again, changing one's mind.
mod undoing;

/// What was read, and what becomes unread.
mod reading;

/// How much starts in an hour.
mod limits;

/// What holds whatever happens.
mod laws;
