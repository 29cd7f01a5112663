//! The metrics of this crate.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ptr;
use std::time::Duration;

use actix_web::http::{Method, StatusCode};
use grateful_application::QueryLog;
use grateful_metrics::{Metric, MetricKind, MetricLabel};
use metrics::{Counter, Histogram, Label};

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
    pattern: Option<&'static str>,
    status: StatusCode,
    duration: Duration,
    queries: &QueryLog,
) {
    SERIES.with_borrow_mut(|known| {
        let series = known.of(method_label(method), pattern.unwrap_or(NO_ROUTE));
        series.duration.record(duration);
        series.statements.record(queries.total());
        series.database.record(queries.time());
        series.count(status);
    });
}

thread_local! {
    /// Looking up a series takes longer than changing it, so each thread keeps those that it has used.
    static SERIES: RefCell<KnownSeries> = RefCell::default();
}

/// The series of the requests that a thread has served, by method label and pattern.
#[derive(Default)]
struct KnownSeries {
    /// The address of the recorder that they belong to: each test has its own.
    recorder: usize,
    series: HashMap<(&'static str, &'static str), RequestSeries>,
}

impl KnownSeries {
    fn of(&mut self, method: &'static str, pattern: &'static str) -> &mut RequestSeries {
        let recorder = metrics::with_recorder(|recorder| ptr::from_ref(recorder).addr());
        if recorder != self.recorder {
            *self = Self { recorder, ..Self::default() };
        }
        self.series.entry((method, pattern)).or_insert_with(|| RequestSeries::new(method, pattern))
    }
}

/// The series of one method and route.
struct RequestSeries {
    labels: [Label; 2],
    duration: Histogram,
    statements: Histogram,
    database: Histogram,
    requests: Vec<(StatusCode, Counter)>,
}

impl RequestSeries {
    fn new(method: &'static str, pattern: &'static str) -> Self {
        let labels = [
            Label::from_static_parts("method", method),
            Label::from_static_parts("route", pattern),
        ];
        Self {
            duration: metrics::histogram!(REQUEST_DURATION, labels.iter()),
            statements: metrics::histogram!(REQUEST_STATEMENTS, labels.iter()),
            database: metrics::histogram!(REQUEST_DATABASE, labels.iter()),
            requests: Vec::new(),
            labels,
        }
    }

    fn count(&mut self, status: StatusCode) {
        if let Some((_, counter)) = self.requests.iter().find(|(known, _)| *known == status) {
            return counter.increment(1);
        }
        let [method, route] = self.labels.clone();
        let label = Label::new("status", status.as_u16().to_string());
        let counter = metrics::counter!(REQUESTS, vec![method, route, label]);
        counter.increment(1);
        self.requests.push((status, counter));
    }
}

/// Records a request that was refused with 429 or 503.
pub(crate) fn record_refusal(status: StatusCode) {
    let status = if status == StatusCode::TOO_MANY_REQUESTS { "429" } else { "503" };
    metrics::counter!(REFUSALS, "status" => status).increment(1);
}

/// The label of a request that matched no route.
pub(crate) const NO_ROUTE: &str = "(no route)";

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
