//! User search through [`Users`](grateful_storage::Users).

mod examples;
mod reference;
mod scenario;
mod usernames;
