//! What wraps every request. From the outside in: its frame, problems, CORS, one spelling of paths, bounds,
//! authentication, limits.

mod allowed_methods;
mod authentication;
mod cors;
mod default_headers;
mod error_bodies;
mod rate_limits;
mod request_context;
mod request_limits;
mod server_timing;

pub(crate) use self::allowed_methods::require_method;
pub(crate) use self::authentication::authenticate;
pub(crate) use self::cors::cors;
pub(crate) use self::error_bodies::error_bodies;
pub use self::rate_limits::{RateLimitPolicy, rate_limit_policy};
pub(crate) use self::rate_limits::{RateLimits, limit};
pub(crate) use self::request_context::request_context;
pub(crate) use self::request_limits::request_limits;
pub(crate) use self::server_timing::ServerTiming;
