//! What happens to a request on its way to its handler. From the outside in: request context with error bodies, CORS,
//! path normalization, request limits; then, once the route is known, the checks that [`dispatch`](crate::dispatch) calls
//! in turn: authentication, allowed methods, plain bodies, rate limits.

mod allowed_methods;
mod authentication;
mod client_address;
mod cors;
mod default_headers;
mod error_bodies;
mod path_normalization;
mod rate_limits;
mod refusals;
mod request_context;
mod request_limits;
mod run_to_completion;
mod server_timing;

pub(crate) use self::allowed_methods::check_method;
pub(crate) use self::authentication::{authenticate, confirm_token, mark_write};
pub(crate) use self::cors::cors;
pub(crate) use self::path_normalization::normalize_path;
pub(crate) use self::rate_limits::RateLimits;
pub(crate) use self::refusals::Refusals;
pub(crate) use self::request_context::request_context;
pub(crate) use self::request_limits::{check_encoding, check_size};
pub(crate) use self::server_timing::ServerTiming;
