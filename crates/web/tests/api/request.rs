//! Parsing of requests.

mod cursors;
mod json;
mod multipart;
mod query;
mod request_id;
mod upload_limits;
