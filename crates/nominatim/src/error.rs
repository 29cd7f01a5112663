//! The errors of a request to Nominatim.

use grateful_application::GeocoderError;
use thiserror::Error;

/// Why a request to Nominatim failed.
#[derive(Debug, Error)]
pub(crate) enum NominatimError {
    /// The wait for the response exceeded the timeout.
    #[error("timed out")]
    TimedOut,
    /// A status other than 200, including redirects.
    #[error("the response has status {0}")]
    Status(u16),
    #[error("the response is too large")]
    ResponseTooLarge,
    /// The response is not a JSON array.
    #[error("the response is not a list of locations")]
    NotAList(#[source] serde_json::Error),
    /// The connection or the protocol failed.
    #[error("the request failed")]
    Request(#[source] reqwest::Error),
}

impl NominatimError {
    /// Removes the URL, which contains the user's query.
    pub(crate) fn from_request(error: reqwest::Error) -> Self {
        Self::Request(error.without_url())
    }

    /// The error for the use cases.
    pub(crate) fn into_error(self) -> GeocoderError {
        match self {
            Self::TimedOut => GeocoderError::TimedOut,
            Self::Status(_) | Self::ResponseTooLarge | Self::NotAList(_) => {
                GeocoderError::InvalidResponse(self.into())
            }
            Self::Request(_) => GeocoderError::Unreachable(self.into()),
        }
    }
}
