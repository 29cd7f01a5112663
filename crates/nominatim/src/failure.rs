//! Why there is no answer.

use std::sync::Arc;

use grateful_application::GeocoderError;
use thiserror::Error;

/// Why there is no answer.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    /// It was not one's turn in time, or the answer did not come in time.
    #[error("not in time")]
    TimedOut,
    /// Another status than 200, be it a redirect.
    #[error("the status of the answer is {0}")]
    Status(u16),
    /// More than any answer needs.
    #[error("the answer is too large")]
    TooLarge,
    /// No list in JSON.
    #[error("the answer is not a list of places")]
    NoList(#[source] serde_json::Error),
    /// The connection, or what went over it.
    #[error("the request failed")]
    Request(#[source] reqwest::Error),
}

impl Failure {
    /// Without the address, which says what somebody looked for.
    pub(crate) fn of_request(error: reqwest::Error) -> Self {
        Self::Request(error.without_url())
    }

    /// As use cases see it. Shared, since all who asked the same hear of it.
    #[expect(clippy::needless_pass_by_value, reason = "it stands where errors are mapped")]
    pub(crate) fn into_error(this: Arc<Self>) -> GeocoderError {
        match &*this {
            Self::TimedOut => GeocoderError::TimedOut,
            Self::Status(_) | Self::TooLarge | Self::NoList(_) => {
                GeocoderError::InvalidResponse(Box::new(Arc::clone(&this)))
            }
            Self::Request(_) => GeocoderError::Unreachable(Box::new(Arc::clone(&this))),
        }
    }
}
