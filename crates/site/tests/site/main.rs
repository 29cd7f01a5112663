//! The pages and files over HTTP, without a server and a database.

mod client_sources;
mod files;
mod pages;
mod previews;
mod support;
