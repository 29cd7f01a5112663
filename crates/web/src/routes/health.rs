//! `/`, `/health`, `/livez` and `/readyz`: health checks.

use actix_web::get;
use actix_web::web::{Data, Json};
use grateful_application::{App, health};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::response::{Message, Problem};

#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    status: &'static str,
    service: &'static str,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Status {
    status: &'static str,
}

/// Returns a greeting.
#[utoipa::path(tag = "health", responses((status = 200, body = Message)))]
#[get("/")]
pub(crate) async fn get_root() -> Json<Message> {
    Json(Message { message: "Grateful API is running" })
}

/// Returns the name and status of the service.
#[utoipa::path(tag = "health", responses((status = 200, body = Health)))]
#[get("/health")]
pub(crate) async fn get_health() -> Json<Health> {
    Json(Health { status: "healthy", service: "grateful-api" })
}

/// Returns 200 while the process responds.
///
/// It does not check the database, so that an unavailable database does not restart the process.
#[utoipa::path(tag = "health", responses((status = 200, body = Status)))]
#[get("/livez")]
pub(crate) async fn get_liveness() -> Json<Status> {
    Json(Status { status: "alive" })
}

/// Returns 200 if the server can serve requests, otherwise 503.
///
/// It checks that the database responds and has all migrations, and that uploads can be written.
#[utoipa::path(tag = "health", responses((status = 200, body = Status), (status = 503, body = Problem)))]
#[get("/readyz")]
pub(crate) async fn get_readiness(app: Data<App>) -> Result<Json<Status>, ApiError> {
    health::check_readiness(&app).await?;
    Ok(Json(Status { status: "ready" }))
}
