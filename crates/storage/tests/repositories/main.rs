//! The repositories, with one module per table or feature. One binary, so that it is linked once.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "../support"]
mod support {
    pub(crate) mod follows;
    pub(crate) mod pages;
    pub(crate) mod sql;
}

mod comments;
mod emoji_reactions;
mod failed_logins;
mod feed;
mod follows;
mod geocoder_throttle;
mod hearts;
mod idempotency_keys;
mod location_cache;
mod lock_order;
mod multi_row_statements;
mod notifications;
mod personal_data;
mod posts;
mod sessions;
mod shares;
mod stream_tickets;
mod users;
