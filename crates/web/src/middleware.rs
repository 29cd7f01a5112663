//! What wraps every request. From the outside in: its frame, problems, CORS, one spelling of paths, bounds,
//! authentication.

mod authenticate;
mod bounds;
mod frame;
mod problems;
mod request_id;

pub(crate) use self::authenticate::{Route, authenticate};
pub(crate) use self::bounds::bounds;
pub(crate) use self::frame::frame;
pub(crate) use self::problems::problems;
pub(crate) use self::request_id::RequestId;
