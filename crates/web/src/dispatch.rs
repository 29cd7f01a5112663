//! The way of a request from its route to its handler.

use std::rc::Rc;

use actix_service::{Service as _, ServiceFactory, fn_factory, fn_service};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage as _};

use crate::WebConfig;
use crate::error::ApiError;
use crate::middleware::{
    RateLimits, authenticate, check_encoding, check_method, confirm_token, mark_write,
};
use crate::openapi::ROUTES;
use crate::request::{MatchedRoute, Route};
use crate::response::RateLimitStatus;

/// A handler by its name, which is its operation id. It is built once for each worker thread.
pub(crate) struct NamedHandler {
    name: &'static str,
    factory: actix_web::Route,
}

impl NamedHandler {
    /// `path` is the path of the function.
    pub(crate) fn new(path: &'static str, factory: actix_web::Route) -> Self {
        Self { name: path.rsplit([':', ' ']).next().unwrap_or(path), factory }
    }
}

type Handler = <actix_web::Route as ServiceFactory<ServiceRequest>>::Service;

/// The handlers of a worker thread, at the indexes of their routes.
struct Handlers(Vec<Vec<(Method, Handler)>>);

impl Handlers {
    async fn build(named: &[NamedHandler]) -> Result<Self, ()> {
        let mut handlers = Self(Vec::new());
        for route in ROUTES.all() {
            let mut of_route = Vec::new();
            for (method, name) in &route.operations {
                let handler = named.iter().find(|handler| handler.name == name).ok_or(())?;
                of_route.push((method.clone(), handler.factory.new_service(()).await?));
            }
            handlers.0.push(of_route);
        }
        Ok(handlers)
    }

    fn find(&self, route: &Route, method: &Method) -> Option<&Handler> {
        let handlers = self.0.get(route.index)?;
        handlers.iter().find(|(supported, _)| supported == method).map(|(_, handler)| handler)
    }
}

/// The service of all routes, with the handlers that `named` returns. actix itself would try the pattern of one route
/// after another, and once more to find out which one it was.
pub(crate) fn dispatcher(
    named: impl Fn() -> Vec<NamedHandler> + 'static,
) -> impl ServiceFactory<
    ServiceRequest,
    Config = (),
    Response = ServiceResponse,
    Error = Error,
    InitError = (),
> {
    fn_factory(move || {
        let named = named();
        async move {
            let handlers = Rc::new(Handlers::build(&named).await?);
            Ok(fn_service(move |request| dispatch(Rc::clone(&handlers), request)))
        }
    })
}

async fn dispatch(
    handlers: Rc<Handlers>,
    request: ServiceRequest,
) -> Result<ServiceResponse, Error> {
    // Handlers turn their errors into responses, so the other case has nothing to confirm.
    let response = respond(handlers, request).await?;
    Ok(mark_write(confirm_token(response).await).await)
}

async fn respond(
    handlers: Rc<Handlers>,
    mut request: ServiceRequest,
) -> Result<ServiceResponse, Error> {
    let (route, limit) = match admit(&request).await {
        Ok(admitted) => admitted,
        Err(ApiError::UnknownRoute) => return Ok(unknown_route(request)),
        Err(error) => return Ok(request.error_response(error)),
    };
    let Some(handler) = handlers.find(route, request.method()) else {
        return Ok(unknown_route(request));
    };
    if let Some(parameters) = &route.parameters {
        parameters.capture_match_info(request.match_info_mut());
    }
    let mut response = handler.call(request).await?;
    if let Some(limit) = limit {
        limit.write_to(response.headers_mut());
    }
    Ok(response)
}

/// 404, as a page for browsers if there is one.
fn unknown_route(request: ServiceRequest) -> ServiceResponse {
    let site = request.app_data::<Data<WebConfig>>().and_then(|config| config.site.clone());
    match site.and_then(|site| site.not_found(request.request())) {
        Some(page) => request.into_response(page),
        None => request.error_response(ApiError::UnknownRoute),
    }
}

/// Finds the route of a request, and checks everything that is checked before a body is read.
async fn admit(
    request: &ServiceRequest,
) -> Result<(&'static Route, Option<RateLimitStatus>), ApiError> {
    // An unknown path is 404, with or without a token.
    let Some(route) = ROUTES.find(request.match_info().as_str()) else {
        check_encoding(request.headers())?;
        return Err(ApiError::UnknownRoute);
    };
    request.extensions_mut().insert(MatchedRoute(route));
    authenticate(request, route).await?;
    check_method(route, request.method())?;
    check_encoding(request.headers())?;
    let limit = match request.app_data::<Data<RateLimits>>() {
        Some(limits) => limits.count(request, route)?,
        None => None,
    };
    Ok((route, limit))
}
