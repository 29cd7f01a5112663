//! 405 for methods that a path does not support.

use actix_web::http::Method;

use crate::error::ApiError;
use crate::request::Route;

/// Rejects methods that the path does not support, although another pattern may match it too: `DELETE /posts/{id}` for
/// `DELETE /posts/feed`.
pub(crate) fn check_method(route: &'static Route, method: &Method) -> Result<(), ApiError> {
    if route.methods.contains(method) {
        Ok(())
    } else {
        Err(ApiError::MethodNotAllowed(&route.methods))
    }
}
