//! What this crate measures.

use std::time::Duration;

use actix_web::http::{Method, StatusCode};
use grateful_application::{Metric, MetricKind, MetricLabel, QueryLog};
use metrics::{Label, SharedString};

use crate::openapi::ROUTES;

const REQUESTS: &str = "grateful_http_requests_total";
const REQUEST_DURATION: &str = "grateful_http_request_duration_seconds";
const REQUEST_STATEMENTS: &str = "grateful_http_request_statements";
const REQUEST_DATABASE: &str = "grateful_http_request_database_seconds";

const METHOD: MetricLabel = MetricLabel::dynamic("method");
const ROUTE: MetricLabel = MetricLabel::dynamic("route");

/// What is measured here and in all crates below.
pub fn all_metrics() -> impl Iterator<Item = Metric> {
    grateful_application::all_metrics().chain(METRICS)
}

const METRICS: [Metric; 4] = [
    Metric {
        name: REQUESTS,
        kind: MetricKind::Counter,
        labels: &[METHOD, ROUTE, MetricLabel::dynamic("status")],
        help: "Requests that were answered.",
    },
    Metric {
        name: REQUEST_DURATION,
        kind: MetricKind::Histogram(&[
            0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
        ]),
        labels: &[METHOD, ROUTE],
        help: "Time from the head of a request to the head of its answer.",
    },
    Metric {
        name: REQUEST_STATEMENTS,
        kind: MetricKind::Histogram(&[0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 10.0, 20.0, 50.0]),
        labels: &[METHOD, ROUTE],
        help: "Statements for a request, BEGIN and COMMIT among them.",
    },
    Metric {
        name: REQUEST_DATABASE,
        kind: MetricKind::Histogram(&[0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5]),
        labels: &[METHOD, ROUTE],
        help: "Time that PostgreSQL took for all statements of a request.",
    },
];

/// Measures a request that was answered. There are as many labels as routes, methods and statuses, whatever clients send.
pub(crate) fn record_request(
    method: &Method,
    route: Option<&str>,
    status: StatusCode,
    duration: Duration,
    queries: &QueryLog,
) {
    let method = Label::from_static_parts("method", known(method));
    let route = Label::new("route", route.map_or(NO_ROUTE.into(), pattern));
    let both = || vec![method.clone(), route.clone()];
    metrics::histogram!(REQUEST_DURATION, both()).record(duration);
    metrics::histogram!(REQUEST_STATEMENTS, both()).record(queries.total());
    metrics::histogram!(REQUEST_DATABASE, both()).record(queries.time());
    let status = Label::new("status", status.as_u16().to_string());
    metrics::counter!(REQUESTS, vec![method, route, status]).increment(1);
}

/// What stands for a route where there is none.
pub(crate) const NO_ROUTE: &str = "(no route)";

/// Without a copy, for all that are in the document.
fn pattern(route: &str) -> SharedString {
    ROUTES.pattern(route).map_or_else(|| route.to_owned().into(), Into::into)
}

/// A client may call its method what it likes.
fn known(method: &Method) -> &'static str {
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
