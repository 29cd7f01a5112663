//! The outermost middleware: request id, log line, metrics, default headers and error bodies.

use std::time::{Duration, Instant};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_ORIGIN, HeaderMap, HeaderValue, ORIGIN,
    RANGE, VARY,
};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage};
use chrono::{DateTime, Utc};
use grateful_application::{App, QueryLog};
use grateful_domain::Session;
use tracing::Instrument as _;

use super::default_headers::set_default_headers;
use super::error_bodies::with_error_body;
use super::run_to_completion::RunToCompletion;
use super::server_timing::{ServerTiming, milliseconds};
use crate::WebConfig;
use crate::metrics::{NO_ROUTE, record_request};
use crate::request::{HeadMarker, RequestId, matched_pattern, now};
use crate::response::{HeadOnly, problem};

/// Runs a request to its end: a client that disconnects does not cancel it, and a panic becomes a 500 response. Records
/// the request's database statements and metrics, and writes one log line.
pub(crate) async fn request_context(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let id = RequestId::from_headers(request.headers());
    request.extensions_mut().insert(id.clone());
    let config = request.app_data::<Data<WebConfig>>().cloned();
    let origin = allowed_origin(request.headers(), config.as_ref());
    let log = RequestLog::start(&request);
    let timing = ServerTiming::new(config.as_ref(), origin.as_ref());
    let panic_response =
        PanicResponse { id: id.clone(), log: log.clone(), origin, at: now(request.request()) };
    if request.method() == Method::HEAD {
        request.extensions_mut().insert(HeadMarker);
        // The server sends no body in any case, so there are no ranges of one either (RFC 9110, 14.2).
        request.head_mut().method = Method::GET;
        request.head_mut().headers_mut().remove(RANGE);
    }

    let span = tracing::info_span!("request", id = %id);
    let task = respond(request, next, id, log, timing).instrument(span.clone());
    match RunToCompletion::new(task).await {
        Ok(response) => response,
        Err(_) => span.in_scope(|| Err(panic_response.into_error())),
    }
}

/// The part that runs to its end even if the client disconnects.
async fn respond(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
    id: RequestId,
    mut log: RequestLog,
    timing: Option<ServerTiming>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let (response, queries) = QueryLog::record(next.call(request)).await;
    let mut response = with_error_body(response?.map_into_boxed_body(), &id);
    if response.request().extensions().contains::<HeadMarker>() {
        response = response.map_body(|_, body| HeadOnly::replace(body));
    }
    set_default_headers(response.headers_mut(), &id);
    log.route = matched_pattern(response.request());
    let extensions = response.request().extensions();
    log.user = extensions.get::<Session>().map(|session| session.user.into());
    drop(extensions);
    let duration = log.finish(response.status(), &queries);
    if let Some(timing) = timing {
        timing.write_to(response.headers_mut(), duration, &queries);
    }
    Ok(response)
}

/// Builds the response to a request that panicked.
struct PanicResponse {
    id: RequestId,
    log: RequestLog,
    origin: Option<HeaderValue>,
    at: DateTime<Utc>,
}

impl PanicResponse {
    /// The panic itself is logged where it happens.
    fn into_error(self) -> Error {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        let mut response = problem::status_response(status, &self.id, self.at);
        set_default_headers(response.headers_mut(), &self.id);
        // The panic skipped the CORS middleware, which is inside this one.
        if let Some(origin) = self.origin {
            response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            let allowed = HeaderValue::from_static("true");
            response.headers_mut().insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, allowed);
            response.headers_mut().insert(VARY, HeaderValue::from_static("Origin"));
        }
        self.log.finish(status, &QueryLog::default());
        InternalError::from_response("the request panicked", response).into()
    }
}

/// The log line of a request. It has no personal data but the user id.
#[derive(Clone)]
struct RequestLog {
    method: Method,
    route: Option<&'static str>,
    user: Option<i64>,
    started_at: Instant,
    app: Option<Data<App>>,
}

impl RequestLog {
    fn start(request: &ServiceRequest) -> Self {
        Self {
            method: request.method().clone(),
            route: None,
            user: None,
            started_at: Instant::now(),
            app: request.app_data::<Data<App>>().cloned(),
        }
    }

    /// Records the metrics, reports slow and repeated statements, and writes the log line. Returns the request's duration.
    fn finish(&self, status: StatusCode, queries: &QueryLog) -> Duration {
        let duration = self.started_at.elapsed();
        let method = self.method.as_str();
        let route = self.route.unwrap_or(NO_ROUTE);
        if let Some(app) = &self.app {
            queries.report(app, route);
        }
        record_request(&self.method, self.route, status, duration, queries);
        tracing::info!(
            http.method = method,
            http.route = route,
            http.status = status.as_u16(),
            user.id = self.user,
            duration_ms = milliseconds(duration),
            db.queries = queries.total(),
            db.duration_ms = milliseconds(queries.time()),
            "{method} {route} {}",
            status.as_u16()
        );
        duration
    }
}

fn allowed_origin(headers: &HeaderMap, config: Option<&Data<WebConfig>>) -> Option<HeaderValue> {
    let origin = headers.get(ORIGIN)?;
    let is_allowed =
        config?.allowed_origins.iter().any(|allowed| origin.as_bytes() == allowed.as_bytes());
    is_allowed.then(|| origin.clone())
}
