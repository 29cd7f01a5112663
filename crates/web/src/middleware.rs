//! What wraps every request. From the outside in: its frame, problems, CORS, one spelling of paths, bounds,
//! authentication, limits.

mod authenticate;
mod bounds;
mod frame;
mod limit;
mod problems;
mod request_id;
mod timing;

pub(crate) use self::authenticate::{Route, authenticate};
pub(crate) use self::bounds::bounds;
pub(crate) use self::frame::frame;
pub(crate) use self::limit::limit;
pub(crate) use self::problems::problems;
pub(crate) use self::request_id::RequestId;
pub(crate) use self::timing::Timing;
