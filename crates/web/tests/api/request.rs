//! Parsing of requests.

mod json;
mod request_id;
