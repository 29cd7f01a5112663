//! What people are told of what others do. One program, so that it is linked once.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

/// What the tests of several subjects share.
mod support;

/// What each act tells, and whom.
mod acts;
/// What happens to a notification as time goes by.
mod life;
/// The hourly limit.
mod limits;
/// Whom posts and comments name.
mod mentions;
/// How many statements it costs.
mod prices;
/// Reading.
mod reading;
/// Of what nobody is told.
mod silence;
/// Following a list as it changes.
mod stream;
/// What undoing an act takes back.
mod undoing;
/// How long things are kept.
mod upkeep;
