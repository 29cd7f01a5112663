//! `/notifications/stream`: notifications as server-sent events.

use actix_server::GracefulShutdownSignal;
use actix_web::HttpResponse;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{Bytes, Data};
use futures_util::{Stream, stream};
use grateful_application::notifications::{self, StreamEvent};
use grateful_application::{App, Error};
use grateful_domain::notification::InboxChangeKind;
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::request::{IsHead, LastEventId, SignedIn, StreamParams};
use crate::response::{BUFFERING, JsonResponse, Problem};
use crate::routes::notifications::NotificationView;
use crate::routes::notifications::stream_events::{
    NotificationStreamEvent, RemovedNotificationView,
};

/// The signal that a shutdown has begun. Streams end then; otherwise they would keep the server from stopping.
#[derive(Clone)]
pub(crate) struct ShutdownSignal(pub(crate) GracefulShutdownSignal);

/// A ticket that opens one stream.
#[derive(Serialize, ToSchema)]
pub(crate) struct StreamTicketView {
    /// The value of the parameter `ticket`. It can be used once.
    ticket: String,
    /// The lifetime of the ticket, in seconds.
    expires_in: i64,
}

/// Creates a ticket that opens one stream. It is for browsers, whose `EventSource` cannot send headers.
#[utoipa::path(
    post,
    path = "/notifications/stream/ticket",
    tag = "notifications",
    responses((status = 200, body = StreamTicketView, description = "The ticket")),
)]
pub(crate) async fn create_stream_ticket(
    app: Data<App>,
    me: SignedIn,
) -> Result<JsonResponse<StreamTicketView>, ApiError> {
    let (ticket, lifetime) = notifications::issue_ticket(&app, &me.0).await?;
    let ticket = ticket.as_str().to_owned();
    Ok(JsonResponse::bare(StreamTicketView { ticket, expires_in: lifetime.num_seconds() }))
}

/// Streams the changes of the caller's notifications as server-sent events.
///
/// The body is a sequence of server-sent events, and `NotificationStreamEvent` describes one event: its members `event`
/// and `id` are the fields of that name, and `data` is one line of JSON in the field `data`. After an event `reset`, the
/// client must load the list again. With `Last-Event-ID`, or `last_event_id` for clients that cannot send headers, the
/// stream continues after that event, with no event missed or repeated. Lines that start with a colon only keep the
/// connection open.
#[utoipa::path(
    get,
    path = "/notifications/stream",
    tag = "notifications",
    params(
        StreamParams,
        ("Last-Event-ID" = Option<i64>, Header, description = "The id of the last event that the client received"),
    ),
    responses(
        (status = 200, body = NotificationStreamEvent, content_type = "text/event-stream", description = "The stream of events. Each event has the fields of the schema"),
        (status = 422, body = Problem),
        (status = 429, body = Problem, description = "The caller has ten streams open"),
    ),
)]
pub(crate) async fn stream_notifications(
    app: Data<App>,
    me: SignedIn,
    LastEventId(last_event_id): LastEventId,
    IsHead(is_head): IsHead,
    shutdown: Option<Data<ShutdownSignal>>,
) -> Result<HttpResponse, ApiError> {
    let mut response = HttpResponse::Ok();
    response
        .insert_header((CONTENT_TYPE, "text/event-stream; charset=utf-8"))
        // Without it, proxies buffer the response until it ends.
        .insert_header((BUFFERING, "no"));
    if is_head {
        notifications::Stream::check_limit(&app, &me.0)?;
        return Ok(response.streaming(stream::empty::<Result<Bytes, ApiError>>()));
    }
    let stream = notifications::Stream::open(app.get_ref().clone(), me.0, last_event_id).await?;
    let shutdown = shutdown.map(|signal| signal.get_ref().clone());
    Ok(response.streaming(event_bytes(stream, shutdown)))
}

/// Serializes the events of a stream. The next events are read only when the previous ones are sent, so that nothing
/// piles up in memory for a slow client.
fn event_bytes(
    stream: notifications::Stream,
    shutdown: Option<ShutdownSignal>,
) -> impl Stream<Item = Result<Bytes, ApiError>> {
    stream::unfold((stream, shutdown), async |(mut stream, shutdown)| {
        let event = tokio::select! {
            event = stream.next() => event,
            () = shutdown_begun(shutdown.as_ref()) => return None,
        };
        match event {
            Ok(Some(event)) => Some((Ok(serialize_event(event)), (stream, shutdown))),
            Ok(None) => None,
            // Thousands of streams may end at once, and the requests that fail then are logged.
            Err(error @ Error::Unavailable(_)) => {
                tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "Notification stream ended, because the database is unavailable"
                );
                None
            }
            Err(error) => {
                // The client reconnects and continues after the last event that it received.
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "Notification stream ended with an error"
                );
                None
            }
        }
    })
}

async fn shutdown_begun(shutdown: Option<&ShutdownSignal>) {
    match shutdown {
        Some(ShutdownSignal(signal)) => signal.notified().await,
        None => std::future::pending().await,
    }
}

/// Serializes an event of the stream as server-sent events.
fn serialize_event(event: StreamEvent) -> Bytes {
    let text = match event {
        // An id without data: the browser stores the id but fires no event.
        StreamEvent::Started(seq) => format!("retry: {RETRY_MS}\nid: {seq}\n\n"),
        StreamEvent::Reset(seq) => {
            format!("retry: {RETRY_MS}\nid: {seq}\nevent: reset\ndata: {{}}\n\n")
        }
        StreamEvent::KeepAlive => ": still here\n\n".to_owned(),
        StreamEvent::Changes(changes) => {
            changes.into_iter().map(|change| serialize_change(change.seq, change.kind)).collect()
        }
    };
    text.into()
}

fn json(view: &impl Serialize) -> String {
    serde_json::to_string(view).unwrap_or_default()
}

/// How long a client should wait before it reconnects, in milliseconds.
const RETRY_MS: u32 = 2_000;

fn serialize_change(seq: i64, kind: InboxChangeKind) -> String {
    let (name, data) = match kind {
        InboxChangeKind::Upserted(notification) => {
            ("notification", json(&NotificationView::from(*notification)))
        }
        InboxChangeKind::Removed(id) => {
            ("removed", json(&RemovedNotificationView { id: id.into() }))
        }
    };
    // Compact JSON has no line breaks, and those in strings are escaped.
    format!("id: {seq}\nevent: {name}\ndata: {data}\n\n")
}
