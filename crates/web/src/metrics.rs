//! The metrics of this crate.

use std::time::Duration;

use actix_web::http::{Method, StatusCode};
use grateful_application::QueryLog;
use grateful_metrics::{Metric, MetricKind, MetricLabel};
use metrics::{Label, SharedString};

use crate::openapi::ROUTES;

const REQUESTS: &str = "grateful_http_requests_total";
const REQUEST_DURATION: &str = "grateful_http_request_duration_seconds";
const REQUEST_STATEMENTS: &str = "grateful_http_request_statements";
const REFUSALS: &str = "grateful_http_refusals_total";
const REQUEST_DATABASE: &str = "grateful_http_request_database_seconds";

const METHOD: MetricLabel = MetricLabel::dynamic("method");
const ROUTE: MetricLabel = MetricLabel::dynamic("route");

/// The metrics of this crate and of the crates it depends on.
pub fn all_metrics() -> impl Iterator<Item = Metric> {
    grateful_application::all_metrics().chain(METRICS)
}

const METRICS: [Metric; 5] = [
    Metric {
        name: REQUESTS,
        kind: MetricKind::Counter,
        labels: &[METHOD, ROUTE, MetricLabel::dynamic("status")],
        help: "HTTP requests with a response.",
    },
    Metric {
        name: REQUEST_DURATION,
        kind: MetricKind::Histogram(&[
            0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
        ]),
        labels: &[METHOD, ROUTE],
        help: "Time from the head of a request to the head of its response.",
    },
    Metric {
        name: REQUEST_STATEMENTS,
        kind: MetricKind::Histogram(&[0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 10.0, 20.0, 50.0]),
        labels: &[METHOD, ROUTE],
        help: "Statements per request, including BEGIN and COMMIT.",
    },
    Metric {
        name: REQUEST_DATABASE,
        kind: MetricKind::Histogram(&[0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5]),
        labels: &[METHOD, ROUTE],
        help: "Time that PostgreSQL spent on all statements of a request.",
    },
    Metric {
        name: REFUSALS,
        kind: MetricKind::Counter,
        labels: &[MetricLabel::fixed("status", &["429", "503"])],
        help: "Requests refused because of a rate limit (429), or because something was busy or unavailable (503).",
    },
];

/// Records a request. The label values are routes, known methods and statuses, so clients cannot add any.
pub(crate) fn record_request(
    method: &Method,
    route: Option<&str>,
    status: StatusCode,
    duration: Duration,
    queries: &QueryLog,
) {
    let method = Label::from_static_parts("method", method_label(method));
    let route = Label::new("route", route.map_or(NO_ROUTE.into(), route_label));
    let labels = || vec![method.clone(), route.clone()];
    metrics::histogram!(REQUEST_DURATION, labels()).record(duration);
    metrics::histogram!(REQUEST_STATEMENTS, labels()).record(queries.total());
    metrics::histogram!(REQUEST_DATABASE, labels()).record(queries.time());
    let status = Label::new("status", status.as_u16().to_string());
    metrics::counter!(REQUESTS, vec![method, route, status]).increment(1);
}

/// Records a request that was refused with 429 or 503.
pub(crate) fn record_refusal(status: StatusCode) {
    let status = if status == StatusCode::TOO_MANY_REQUESTS { "429" } else { "503" };
    metrics::counter!(REFUSALS, "status" => status).increment(1);
}

/// The label of a request that matched no route.
pub(crate) const NO_ROUTE: &str = "(no route)";

/// The label of a route, without a copy for the routes in the OpenAPI document.
fn route_label(route: &str) -> SharedString {
    ROUTES.pattern(route).map_or_else(|| route.to_owned().into(), Into::into)
}

/// The label of a method. All unknown methods share one, since clients can send any.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
