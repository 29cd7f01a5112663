//! The routes in their layers.

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::{NormalizePath, from_fn};
use actix_web::web::{self, Data};
use actix_web::{Error, HttpResponse};
use grateful_application::App;
use utoipa_actix_web::AppExt;

use crate::WebConfig;
use crate::error::ApiError;
use crate::middleware::{
    RateLimits, authenticate, cors, error_bodies, limit, request_context, request_limits,
    require_method,
};
use crate::openapi::swagger_ui;
use crate::routes::uploads;

/// All routes in all layers, for one thread of a server or for a test.
pub fn app(
    app: App,
    config: &WebConfig,
) -> actix_web::App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<BoxBody>,
        Error = Error,
        InitError = (),
    > + use<>,
> {
    actix_web::App::new()
        .into_utoipa_app()
        .app_data(Data::new(app))
        .app_data(Data::new(config.clone()))
        .app_data(Data::new(RateLimits::new(config.limits.as_ref())))
        .configure(crate::register_routes)
        .into_app()
        .service(swagger_ui::get_docs_page)
        .service(swagger_ui::get_docs_file)
        .service(uploads::get_upload)
        .default_service(web::to(nowhere))
        // The last is the outermost.
        .wrap(from_fn(limit))
        .wrap(from_fn(require_method))
        .wrap(from_fn(authenticate))
        .wrap(from_fn(request_limits))
        .wrap(NormalizePath::trim())
        .wrap(cors(config))
        .wrap(from_fn(error_bodies))
        .wrap(from_fn(request_context))
}

/// What is asked where nothing is.
async fn nowhere() -> Result<HttpResponse, ApiError> {
    Err(ApiError::UnknownRoute)
}
