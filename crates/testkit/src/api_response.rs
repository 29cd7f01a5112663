//! Responses of the API.

use actix_web::http::StatusCode;
use chrono::{DateTime, Utc};
use serde_json::Value;

/// A response.
#[derive(Debug, Clone)]
pub struct ApiResponse {
    /// The time of the application's clock when the request was sent.
    pub requested_at: DateTime<Utc>,
    /// The status code.
    pub status: StatusCode,
    pub(crate) headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl ApiResponse {
    /// Parses the body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    /// Returns the field `data` of the envelope.
    pub fn data(&self) -> Value {
        self.json()["data"].take()
    }

    /// The names of all headers, in lower case.
    pub fn header_names(&self) -> impl Iterator<Item = &str> {
        self.headers.iter().map(|(name, _)| name.as_str())
    }

    /// Returns the first header with this name, which must be in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find(|(candidate, _)| candidate == name).map(|(_, value)| value.as_str())
    }

    /// Asserts the status, and returns the response.
    #[track_caller]
    #[expect(
        clippy::must_use_candidate,
        clippy::return_self_not_must_use,
        reason = "many tests assert only the status"
    )]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", String::from_utf8_lossy(&self.body));
        self
    }
}
