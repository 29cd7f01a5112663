//! The routes in their layers, and the server around them.

use std::io;
use std::net::TcpListener;
use std::time::Duration;

use actix_cors::Cors;
use actix_web::body::BoxBody;
use actix_web::dev::{Server, ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    AUTHORIZATION, CONTENT_TYPE, ETAG, HeaderName, IF_MATCH, IF_NONE_MATCH, LINK, RETRY_AFTER,
};
use actix_web::middleware::{NormalizePath, from_fn};
use actix_web::web::{self, Data};
use actix_web::{Error, HttpRequest, HttpResponse, HttpServer};
use grateful_application::App;
use utoipa_actix_web::AppExt;

use crate::error::ApiError;
use crate::middleware::{RequestId, authenticate, bounds, frame, problems};
use crate::openapi::ROUTES;
use crate::{WebConfig, docs, routes};

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
        .configure(routes)
        .into_app()
        .service(docs::page)
        .service(docs::file)
        .default_service(web::to(nowhere))
        // The last is the outermost.
        .wrap(from_fn(authenticate))
        .wrap(from_fn(bounds))
        .wrap(from_fn(problems))
        .wrap(NormalizePath::trim())
        .wrap(cors(&config.allowed_origins))
        .wrap(from_fn(frame))
}

/// A server on `listeners` whose every thread has an application of its own, from `make_app`. It answers as long as it
/// is awaited, and leaves signals to its owner.
///
/// # Errors
/// A listener cannot be used.
pub fn serve(
    make_app: impl Fn() -> App + Clone + Send + 'static,
    config: WebConfig,
    listeners: Vec<TcpListener>,
) -> io::Result<Server> {
    let (workers, patience) = (config.workers, config.patience);
    let shutdown_timeout = config.shutdown_timeout.as_secs();
    let server = HttpServer::new(move || self::app(make_app(), &config))
        .workers(workers)
        .disable_signals()
        .keep_alive(WebConfig::KEEP_ALIVE)
        .client_request_timeout(patience)
        .client_disconnect_timeout(Duration::from_secs(2))
        .shutdown_timeout(shutdown_timeout);
    let listening = listeners.into_iter().try_fold(server, |server, it| server.listen(it))?;
    Ok(listening.run())
}

/// What is asked where nothing is, or not in that way.
async fn nowhere(request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let pattern = request.match_pattern();
    match pattern.and_then(|pattern| ROUTES.methods(&pattern)) {
        Some(methods) => Err(ApiError::MethodNotAllowed(methods.to_vec())),
        None => Err(ApiError::UnknownRoute),
    }
}

fn cors(origins: &[String]) -> Cors {
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
        .expose_headers([ETAG, LINK, RETRY_AFTER, RequestId::HEADER])
        .supports_credentials()
        .max_age(3600);
    origins.iter().fold(cors, |cors, origin| cors.allowed_origin(origin))
}
