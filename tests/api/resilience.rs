//! Faults: kills, locks, slow and misbehaving clients, overload, and shutdown during requests.

/// Shutdown by signals: during requests, during startup, and repeated.
mod shutdown;

/// Kills of the server and of PostgreSQL: no acknowledged write is lost.
mod crashes;

/// A database whose connections freeze, and one that is restarted while it is read.
mod silent_database;

/// A primary that fails or freezes, and a standby that takes its place.
mod failover;

/// Reads on replicas that lag, stand still or fail.
mod replicas;

/// Kills of the server during hearts and reactions: notifications match the rows.
mod notifications;

/// More requests than the server can handle.
mod overload;

/// Limits on open files, and on connections to the database.
mod resources;

/// Uploads: kills, a full disk, and many at once.
mod uploads;

/// Concurrent users who upload images, and the files the server acknowledged. No tests.
pub(crate) mod upload_load;

/// Clients that send slowly or disconnect.
mod clients;

/// Several servers on one database.
mod nodes;

/// Searches for locations on several nodes.
mod locations;

/// What thousands of notification streams cost.
mod streams;

/// A client of the notification stream that reconnects. No tests.
mod stream_client;

/// Concurrent users who write posts, and the posts the server acknowledged. No tests.
pub(crate) mod post_load;
