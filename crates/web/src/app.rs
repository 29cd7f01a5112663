//! The actix application: all routes inside all middleware.

use actix_service::Service as _;
use actix_web::Error;
use actix_web::body::BoxBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::from_fn;
use actix_web::web::Data;
use futures_util::future::{Either, ready};
use grateful_application::App;

use crate::WebConfig;
use crate::dispatch::dispatcher;
use crate::middleware::{RateLimits, Refusals, check_size, cors, normalize_path, request_context};

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
        .app_data(Data::new(app))
        .app_data(Data::new(config.clone()))
        .app_data(Data::new(RateLimits::new(config.limits.as_ref(), false)))
        .app_data(Refusals::new())
        .default_service(dispatcher(crate::all_handlers))
        // The last is the outermost.
        .wrap_fn(|mut request, service| {
            normalize_path(&mut request);
            match check_size(&request) {
                Ok(()) => Either::Left(service.call(request)),
                Err(error) => Either::Right(ready(Ok(request.error_response(error)))),
            }
        })
        .wrap(cors(config))
        .wrap(from_fn(request_context))
}
