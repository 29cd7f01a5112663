//! Parsing of requests.

mod json;
mod multipart;
mod request_id;
