//! Faults: kills, locks, slow and rude clients, too many of them, and stopping in the midst of it all.

/// Orders to stop, early, late and repeated.
mod stopping;

/// What is killed, and what was promised before.
mod crashes;

/// What was told when the server was killed.
mod fans;

/// More than there is room for.
mod overload;

/// Pictures: kills in the midst of them, no room for them, and many at once.
mod uploads;

/// People who send pictures, and remember what they were told. No tests.
mod uploaders;

/// Clients that send slowly, or go away.
mod clients;

/// Several servers on one database.
mod nodes;

/// Somebody who follows what they are told. No tests.
mod follower;

/// People who write without a pause, and remember what they were told. No tests.
mod writers;
