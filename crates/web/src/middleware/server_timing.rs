//! The `Server-Timing` header: how long parts of a request took. Browsers show it to developers.

use std::time::Duration;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::web::Data;
use grateful_application::QueryLog;

use crate::WebConfig;

/// The `Server-Timing` header of a response, if it is enabled.
pub(crate) struct ServerTiming {
    /// The origin whose pages may read the header.
    origin: Option<HeaderValue>,
}

impl ServerTiming {
    pub(crate) const HEADER: HeaderName = HeaderName::from_static("server-timing");
    const ORIGIN_HEADER: HeaderName = HeaderName::from_static("timing-allow-origin");

    /// `origin` is the origin of the request, if it is allowed. Returns `None` if the header is disabled.
    pub(super) fn new(
        config: Option<&Data<WebConfig>>,
        origin: Option<&HeaderValue>,
    ) -> Option<Self> {
        config.filter(|config| config.server_timing).map(|_| Self { origin: origin.cloned() })
    }

    pub(super) fn write_to(self, headers: &mut HeaderMap, duration: Duration, queries: &QueryLog) {
        let database = queries.time();
        let text = format!(
            "db;dur={};desc=\"{} statements\", app;dur={}, total;dur={}",
            milliseconds(database),
            queries.total(),
            milliseconds(duration.saturating_sub(database)),
            milliseconds(duration),
        );
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(Self::HEADER, value);
        }
        if let Some(origin) = self.origin {
            headers.insert(Self::ORIGIN_HEADER, origin);
        }
    }
}

/// Milliseconds, rounded to the microsecond.
pub(super) fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}
