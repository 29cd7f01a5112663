//! The handlers, in files that mirror the paths. Each file has the request bodies, the response bodies and the handlers
//! of one resource.

pub(crate) mod auth;
pub(crate) mod avatars;
pub(crate) mod follows;
pub(crate) mod health;
pub(crate) mod metrics;
pub(crate) mod notifications;
pub(crate) mod posts;
pub(crate) mod uploads;
pub(crate) mod user_summary;
pub(crate) mod users;
