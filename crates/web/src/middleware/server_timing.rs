//! What took how long, for developers: browsers show it beside the request.

use std::time::Duration;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::web::Data;
use grateful_application::QueryLog;

use crate::WebConfig;

/// The header `Server-Timing`, where it is switched on.
pub(crate) struct ServerTiming {
    /// Whose page may read it.
    origin: Option<HeaderValue>,
}

impl ServerTiming {
    pub(crate) const FIELD: HeaderName = HeaderName::from_static("server-timing");
    const ORIGIN_FIELD: HeaderName = HeaderName::from_static("timing-allow-origin");

    /// For an answer to a page of this origin, which is one of ours.
    pub(super) fn of(
        config: Option<&Data<WebConfig>>,
        origin: Option<&HeaderValue>,
    ) -> Option<Self> {
        config.filter(|config| config.server_timing).map(|_| Self { origin: origin.cloned() })
    }

    pub(super) fn tell(self, headers: &mut HeaderMap, duration: Duration, queries: &QueryLog) {
        let database = queries.time();
        let text = format!(
            "db;dur={};desc=\"{} statements\", app;dur={}, total;dur={}",
            milliseconds(database),
            queries.total(),
            milliseconds(duration.saturating_sub(database)),
            milliseconds(duration),
        );
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(Self::FIELD, value);
        }
        if let Some(origin) = self.origin {
            headers.insert(Self::ORIGIN_FIELD, origin);
        }
    }
}

/// To the microsecond, which is as much as anybody reads.
pub(super) fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}
