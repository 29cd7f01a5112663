//! `/`, `/health`, `/livez` and `/readyz`: health checks.

use actix_web::Responder;
use actix_web::http::header::VARY;
use actix_web::web::Data;
use grateful_application::{App, health};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::response::{JsonResponse, MessageView, Problem};

#[derive(Serialize, ToSchema)]
pub(crate) struct HealthView {
    status: &'static str,
    service: &'static str,
}

/// The result of a successful liveness or readiness check.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProbeView {
    status: &'static str,
}

/// Returns a greeting.
#[utoipa::path(
    get,
    path = "/",
    tag = "health",
    responses((status = 200, body = MessageView, description = "A greeting")),
)]
pub(crate) async fn get_root() -> impl Responder {
    let greeting = JsonResponse::bare(MessageView { message: "Grateful API is running" });
    // Browsers may get a page instead.
    greeting.customize().append_header((VARY, "Accept"))
}

/// Returns the name and status of the service.
#[utoipa::path(
    get,
    path = "/health",
    tag = "health",
    responses((status = 200, body = HealthView, description = "The name and the status of the service")),
)]
pub(crate) async fn get_health() -> JsonResponse<HealthView> {
    JsonResponse::bare(HealthView { status: "healthy", service: "grateful-api" })
}

/// Returns 200 while the process responds.
///
/// Checks nothing else, so that the process is not restarted because its database is unavailable.
#[utoipa::path(
    get,
    path = "/livez",
    tag = "health",
    responses((status = 200, body = ProbeView, description = "The process responds")),
)]
pub(crate) async fn get_liveness() -> JsonResponse<ProbeView> {
    JsonResponse::bare(ProbeView { status: "alive" })
}

/// Returns 200 if the server can serve requests, otherwise 503.
///
/// Checks that the database responds and has all migrations, and that uploads can be written.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "health",
    responses(
        (status = 200, body = ProbeView, description = "The server can serve requests"),
        (status = 503, body = Problem, description = "The database or the upload directory is unavailable"),
    ),
)]
pub(crate) async fn get_readiness(app: Data<App>) -> Result<JsonResponse<ProbeView>, ApiError> {
    health::check_readiness(&app).await?;
    Ok(JsonResponse::bare(ProbeView { status: "ready" }))
}
