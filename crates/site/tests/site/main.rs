//! The pages and files over HTTP, without a server and a database.

#![expect(clippy::unwrap_used, reason = "a test whose value cannot be unwrapped has failed")]

mod client_sources;
mod files;
mod pages;
mod previews;
mod status;
mod support;
