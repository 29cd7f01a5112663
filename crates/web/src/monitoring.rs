//! `/metrics`: how the server works, for whoever watches over it.

use std::fmt;
use std::sync::Arc;

use actix_web::web::Data;
use actix_web::{HttpResponse, get};

use crate::WebConfig;
use crate::error::ApiError;

/// What is measured, as the program shows it when asked: web measures, and knows of no recorder. Clones share it.
#[derive(Clone)]
pub struct MetricsPage(Arc<dyn Fn() -> String + Send + Sync>);

impl MetricsPage {
    /// A page that is made anew each time, in the text format of Prometheus.
    pub fn new(render: impl Fn() -> String + Send + Sync + 'static) -> Self {
        Self(Arc::new(render))
    }
}

impl fmt::Debug for MetricsPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MetricsPage")
    }
}

/// Shows what is measured, in the text format of Prometheus. Whoever runs the server may have switched it off.
#[utoipa::path(
    tag = "monitoring",
    responses((status = 200, body = String, content_type = "text/plain")),
)]
#[get("/metrics")]
pub(crate) async fn get_metrics(config: Data<WebConfig>) -> Result<HttpResponse, ApiError> {
    let MetricsPage(render) = config.metrics.as_ref().ok_or(ApiError::UnknownRoute)?;
    Ok(HttpResponse::Ok().content_type(TEXT_FORMAT).body(render()))
}

const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";
