//! Whether the server is there, alive, and able to work.

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

/// Says hello.
#[utoipa::path(tag = "health", responses((status = 200, body = Message)))]
#[get("/")]
pub(crate) async fn get_root() -> Json<Message> {
    Json(Message { message: "Grateful API is running" })
}

/// Says that the service is there.
#[utoipa::path(tag = "health", responses((status = 200, body = Health)))]
#[get("/health")]
pub(crate) async fn get_health() -> Json<Health> {
    Json(Health { status: "healthy", service: "grateful-api" })
}

/// Says that the process answers. Nothing else is asked, so that a database which is away does not get it restarted.
#[utoipa::path(tag = "health", responses((status = 200, body = Status)))]
#[get("/livez")]
pub(crate) async fn liveness() -> Json<Status> {
    Json(Status { status: "alive" })
}

/// Says whether requests can be served: the database answers and is migrated, uploads can be written.
#[utoipa::path(tag = "health", responses((status = 200, body = Status), (status = 503, body = Problem)))]
#[get("/readyz")]
pub(crate) async fn readiness(app: Data<App>) -> Result<Json<Status>, ApiError> {
    health::check_readiness(&app).await?;
    Ok(Json(Status { status: "ready" }))
}
