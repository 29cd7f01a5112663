//! The middleware around every route. From the outside in: request context, error bodies, CORS, path normalization,
//! request limits, authentication, allowed methods, plain bodies, rate limits.

mod allowed_methods;
mod authentication;
mod client_address;
mod cors;
mod default_headers;
mod error_bodies;
mod rate_limits;
mod refusals;
mod request_context;
mod request_limits;
mod server_timing;

pub(crate) use self::allowed_methods::allowed_methods;
pub(crate) use self::authentication::authentication;
pub(crate) use self::cors::cors;
pub(crate) use self::error_bodies::error_bodies;
pub(crate) use self::rate_limits::{RateLimits, rate_limits};
pub(crate) use self::refusals::Refusals;
pub(crate) use self::request_context::request_context;
pub(crate) use self::request_limits::{plain_bodies, request_limits};
pub(crate) use self::server_timing::ServerTiming;
