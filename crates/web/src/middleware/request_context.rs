//! The outermost layer: a name, a task of its own, a log line, and headers that every answer has.

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
use grateful_application::{App, QueryLog, Thresholds};
use grateful_domain::Session;
use tokio::task::JoinError;
use tracing::Instrument as _;

use super::default_headers::set_default_headers;
use super::server_timing::{ServerTiming, milliseconds};
use crate::WebConfig;
use crate::metrics::{NO_ROUTE, record_request};
use crate::request::{MatchedRoute, RequestId, now};
use crate::response::problem;

/// Runs a request as a task of its own, so that neither a client that goes away nor a panic cuts it in the middle,
/// counts what it asks of the database, measures it, and logs it in one line.
pub(crate) async fn request_context(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let id = RequestId::of(request.headers());
    request.extensions_mut().insert(id.clone());
    let config = request.app_data::<Data<WebConfig>>().cloned();
    let origin = allowed_origin(request.headers(), config.as_ref());
    let line = RequestLog::begin(&request);
    let timing = ServerTiming::of(config.as_ref(), origin.as_ref());
    let last_words =
        PanicResponse { id: id.clone(), line: line.clone(), origin, at: now(request.request()) };
    if request.method() == Method::HEAD {
        // The server sends no body for it in any case, so there are no parts of one either (RFC 9110, 14.2).
        request.head_mut().method = Method::GET;
        request.head_mut().headers_mut().remove(RANGE);
    }

    let span = tracing::info_span!("request", id = %id);
    match actix_web::rt::spawn(answer(request, next, id, line, timing).instrument(span.clone()))
        .await
    {
        Ok(answered) => answered,
        Err(panic) => span.in_scope(|| Err(last_words.on(panic))),
    }
}

/// What happens whether or not the client is still there to hear of it.
async fn answer(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
    id: RequestId,
    mut line: RequestLog,
    timing: Option<ServerTiming>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let (answered, queries) = QueryLog::record(next.call(request)).await;
    let mut response = answered?.map_into_boxed_body();
    set_default_headers(response.headers_mut(), &id);
    let extensions = response.request().extensions();
    line.route = extensions.get::<MatchedRoute>().map(|MatchedRoute(pattern)| pattern.clone());
    line.user = extensions.get::<Session>().map(|it| it.user.into());
    drop(extensions);
    let duration = line.end(response.status(), &queries);
    if let Some(timing) = timing {
        timing.tell(response.headers_mut(), duration, &queries);
    }
    Ok(response)
}

/// What is left of a request that panicked.
struct PanicResponse {
    id: RequestId,
    line: RequestLog,
    origin: Option<HeaderValue>,
    at: DateTime<Utc>,
}

impl PanicResponse {
    fn on(self, panic: JoinError) -> Error {
        tracing::error!(error = &panic as &dyn std::error::Error, "Request panicked");
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        let mut response = problem::status_response(status, &self.id, self.at);
        set_default_headers(response.headers_mut(), &self.id);
        // CORS is further in, and never came to it.
        if let Some(origin) = self.origin {
            response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            let yes = HeaderValue::from_static("true");
            response.headers_mut().insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, yes);
            response.headers_mut().insert(VARY, HeaderValue::from_static("Origin"));
        }
        self.line.end(status, &QueryLog::default());
        InternalError::from_response(panic, response).into()
    }
}

/// The one line of a request, without anything that belongs to somebody.
#[derive(Clone)]
struct RequestLog {
    method: Method,
    route: Option<String>,
    user: Option<i64>,
    begun: Instant,
    thresholds: Thresholds,
}

impl RequestLog {
    fn begin(request: &ServiceRequest) -> Self {
        let app = request.app_data::<Data<App>>();
        Self {
            method: request.method().clone(),
            route: None,
            user: None,
            begun: Instant::now(),
            thresholds: app.map(|app| *app.thresholds()).unwrap_or_default(),
        }
    }

    /// Reports, measures and logs what is done. Tells how long it took.
    fn end(&self, status: StatusCode, queries: &QueryLog) -> Duration {
        let duration = self.begun.elapsed();
        let method = self.method.as_str();
        let route = self.route.as_deref().unwrap_or(NO_ROUTE);
        queries.report(route, &self.thresholds);
        record_request(&self.method, self.route.as_deref(), status, duration, queries);
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
    let allowed =
        config?.allowed_origins.iter().any(|allowed| origin.as_bytes() == allowed.as_bytes());
    allowed.then(|| origin.clone())
}
