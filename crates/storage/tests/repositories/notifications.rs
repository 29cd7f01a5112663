//! Notifications through [`Notifications`](grateful_storage::Notifications).

mod changes;
mod commit_metrics;
mod concurrency;
mod current_words;
mod list;
mod read_state;
mod recording;
mod retention;
mod scenario;
mod verification;
mod withdrawal;

pub(crate) use self::scenario::event;
