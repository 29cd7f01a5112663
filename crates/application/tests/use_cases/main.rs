//! Use cases against PostgreSQL. One binary, so that it is linked once.

#![expect(clippy::unwrap_used, reason = "a test whose setup fails must fail")]

/// Shared helpers.
mod support;

/// Deleting an account.
mod account_deletion;
/// Signing up, logging in, changing passwords.
mod accounts;
/// Clocks that were ahead.
mod clocks;
/// The ranked, newest and trending feeds.
mod feed;
/// Readiness of a node.
mod health;
/// Sweeps and daily jobs of several nodes.
mod housekeeping;
/// Idempotent requests.
mod idempotency;
/// Searching locations, with several nodes.
mod locations;
/// All columns that refer to a user: where an export contains their rows, and how a deletion removes them.
mod passwords;
mod personal_data;
/// Profile photos.
mod photos;
/// Images of posts, and when their files are deleted.
mod post_images;
/// Posts: permissions and counts.
mod posts;
/// Profiles, and turning off follow approval.
mod profiles;
/// Statement counts of use cases, and retries of transactions.
mod query_counts;
/// Reads that start while the session is being looked up.
mod reads_beside_look_ups;
/// The futures of all use cases are `Send`.
mod send_futures;
/// Authenticating, listing and revoking sessions.
mod sessions;
/// Deleting files that no row names.
mod uploads;
/// Usernames that were given up.
mod usernames;
/// Finding users by name.
mod users;
