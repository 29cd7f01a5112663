//! The actix application: all routes inside all middleware.

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::{NormalizePath, from_fn};
use actix_web::web::{self, Data};
use actix_web::{Error, HttpRequest, HttpResponse};
use grateful_application::App;
use utoipa_actix_web::AppExt;

use crate::WebConfig;
use crate::error::ApiError;
use crate::middleware::{
    RateLimits, Refusals, allowed_methods, authentication, cors, error_bodies, plain_bodies,
    rate_limits, request_context, request_limits,
};
use crate::openapi::swagger_ui;
use crate::routes::uploads;

/// Builds the application for one thread of a server, or for a test. It does not know who can connect to it, so it trusts
/// no proxy unless `config` names it.
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
        .configure(|service| config.site.iter().for_each(|site| site.register(service)))
        .into_utoipa_app()
        .app_data(Data::new(app))
        .app_data(Data::new(config.clone()))
        .app_data(Data::new(RateLimits::new(config.limits.as_ref(), false)))
        .app_data(Refusals::new())
        .configure(crate::register_routes)
        .into_app()
        .service(swagger_ui::get_docs_page)
        .service(swagger_ui::get_docs_file)
        .service(uploads::get_upload)
        .default_service(web::to(unknown_route))
        // The last is the outermost.
        .wrap(from_fn(rate_limits))
        .wrap(from_fn(plain_bodies))
        .wrap(from_fn(allowed_methods))
        .wrap(from_fn(authentication))
        .wrap(from_fn(request_limits))
        .wrap(NormalizePath::trim())
        .wrap(cors(config))
        .wrap(from_fn(error_bodies))
        .wrap(from_fn(request_context))
}

/// Fallback for paths that match no route: 404, as a page for browsers if there is one.
async fn unknown_route(
    request: HttpRequest,
    config: Data<WebConfig>,
) -> Result<HttpResponse, ApiError> {
    let page = config.site.as_ref().and_then(|site| site.not_found(&request));
    page.ok_or(ApiError::UnknownRoute)
}
