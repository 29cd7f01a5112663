//! The routes in their layers.

use actix_cors::Cors;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    AUTHORIZATION, CONTENT_TYPE, ETAG, HeaderName, IF_MATCH, IF_NONE_MATCH, LINK, RETRY_AFTER,
};
use actix_web::middleware::{Next, NormalizePath, from_fn};
use actix_web::web::{self, Data};
use actix_web::{Error, HttpMessage, HttpResponse};
use grateful_application::App;
use utoipa_actix_web::AppExt;

use crate::error::ApiError;
use crate::limits::Limits;
use crate::middleware::{RequestId, Route, Timing, authenticate, bounds, frame, limit, problems};
use crate::openapi::ROUTES;
use crate::quota::Quota;
use crate::{WebConfig, docs, routes, uploads};

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
        .app_data(Data::new(Limits::new(config.limits.as_ref())))
        .configure(routes)
        .into_app()
        .service(docs::get_docs_page)
        .service(docs::get_docs_file)
        .service(uploads::get_upload)
        .default_service(web::to(nowhere))
        // The last is the outermost.
        .wrap(from_fn(limit))
        .wrap(from_fn(require_method))
        .wrap(from_fn(authenticate))
        .wrap(from_fn(bounds))
        .wrap(NormalizePath::trim())
        .wrap(cors(config))
        .wrap(from_fn(problems))
        .wrap(from_fn(frame))
}

/// What is asked where nothing is.
async fn nowhere() -> Result<HttpResponse, ApiError> {
    Err(ApiError::UnknownRoute)
}

/// Refuses a method that the path does not have. The routes would hand it on to the next pattern that fits:
/// `DELETE /posts/feed` to `DELETE /posts/{id}`.
async fn require_method(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let methods =
        request.extensions().get::<Route>().and_then(|Route(pattern)| ROUTES.methods(pattern));
    match methods {
        Some(methods) if !methods.contains(request.method()) => {
            Ok(request.error_response(ApiError::MethodNotAllowed(methods.to_vec())))
        }
        _ => Ok(next.call(request).await?.map_into_boxed_body()),
    }
}

fn cors(config: &WebConfig) -> Cors {
    const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
    let cors = Cors::default()
        .allowed_methods(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
        .allowed_headers([
            AUTHORIZATION,
            CONTENT_TYPE,
            IF_MATCH,
            IF_NONE_MATCH,
            IDEMPOTENCY_KEY,
            RequestId::HEADER,
        ])
        .expose_headers([
            ETAG,
            LINK,
            RETRY_AFTER,
            RequestId::HEADER,
            Quota::FIELD,
            Quota::POLICY_FIELD,
        ])
        .expose_headers(config.server_timing.then_some(Timing::FIELD))
        .supports_credentials()
        .max_age(3600);
    config.allowed_origins.iter().fold(cors, |cors, origin| cors.allowed_origin(origin))
}
