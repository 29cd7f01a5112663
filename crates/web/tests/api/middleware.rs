//! Behaviour that all routes share, by the middleware that implements it.

mod allowed_methods;
mod cors;
mod default_headers;
mod error_bodies;
mod rate_limits;
mod refusals;
mod request_context;
mod request_limits;
mod request_metrics;
mod server_timing;
