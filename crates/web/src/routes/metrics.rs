//! `/metrics`: metrics in the text format of Prometheus.

use actix_web::HttpResponse;
use actix_web::web::Data;

use crate::error::ApiError;
use crate::{MetricsPage, WebConfig};

/// Returns the metrics in the text format of Prometheus, or 404 if the server is configured without them.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "monitoring",
    responses((status = 200, body = String, content_type = "text/plain", description = "The metrics")),
)]
pub(crate) async fn get_metrics(config: Data<WebConfig>) -> Result<HttpResponse, ApiError> {
    let MetricsPage(render) = config.metrics.as_ref().ok_or(ApiError::UnknownRoute)?;
    Ok(HttpResponse::Ok().content_type(TEXT_FORMAT).body(render()))
}

const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";
