//! Failures, and their responses.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use grateful_storage::StorageError;
use grateful_storage::diesel;

/// The result of a request.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a request failed.
#[derive(Debug)]
pub enum Error {
    /// There is no valid token, or the password does not match.
    Unauthorized,
    /// The post does not exist for this user.
    NotFound,
    /// The card is empty or too long.
    InvalidCard,
    /// The database failed.
    Storage(StorageError),
    /// Something else failed.
    Internal(Box<dyn std::error::Error + Send + Sync>),
}

impl From<StorageError> for Error {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

/// For the statements of the shop.
impl From<diesel::result::Error> for Error {
    fn from(error: diesel::result::Error) -> Self {
        Self::Storage(error.into())
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let status = match self {
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::InvalidCard => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Storage(StorageError::Unavailable(_) | StorageError::Conflict(_)) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Storage(_) | Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        status.into_response()
    }
}
