//! `/notifications/stream`: what people are told, as it comes.

use std::pin::Pin;

use actix_server::GracefulShutdownSignal;
use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_TYPE, HeaderName};
use actix_web::web::{Bytes, Data, Json};
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse, get, post};
use futures_util::{Stream, stream};
use grateful_application::notifications::{self, InboxChangeKind, StreamEvent, StreamTicket};
use grateful_application::{App, Error};
use grateful_domain::{Session, ValidationError};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::ApiError;
use crate::request::{QueryParameters, SignedIn};
use crate::response::Problem;
use crate::routes::notifications::NotificationView;

/// The order to stop, at which streams end: they would keep the server from stopping otherwise.
#[derive(Clone)]
pub(crate) struct ShutdownSignal(pub(crate) GracefulShutdownSignal);

/// What opens one stream.
#[derive(Serialize, ToSchema)]
pub(crate) struct TicketView {
    /// For the parameter `ticket`, once.
    ticket: String,
    /// For how many seconds it is good.
    expires_in: i64,
}

/// Issues a ticket that opens one stream, for browsers, whose `EventSource` cannot send a header.
#[utoipa::path(tag = "notifications", responses((status = 200, body = TicketView)))]
#[post("/notifications/stream/ticket")]
pub(crate) async fn create_stream_ticket(
    app: Data<App>,
    me: SignedIn,
) -> Result<Json<TicketView>, ApiError> {
    let (ticket, lifetime) = notifications::issue_ticket(&app, &me.0).await?;
    let ticket = ticket.as_str().to_owned();
    Ok(Json(TicketView { ticket, expires_in: lifetime.num_seconds() }))
}

/// Follows one's list of notifications: `notification` is new in it or reads differently, `removed` is in it no more, and
/// at `reset` the list has to be read anew. Goes on behind `Last-Event-ID` with nothing missed or repeated.
#[utoipa::path(
    tag = "notifications",
    params(
        ("ticket" = Option<String>, Query, description = "In place of the token"),
        ("Last-Event-ID" = Option<i64>, Header, description = "The last event that was seen"),
    ),
    responses(
        (status = 200, body = String, content_type = "text/event-stream"),
        (status = 422, body = Problem),
    ),
)]
#[get("/notifications/stream")]
pub(crate) async fn stream_notifications(
    app: Data<App>,
    StreamSession(session): StreamSession,
    LastEventId(last): LastEventId,
    stopping: Option<Data<ShutdownSignal>>,
) -> Result<HttpResponse, ApiError> {
    let followed = notifications::Stream::open(app.get_ref().clone(), session, last).await?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream; charset=utf-8"))
        // Proxies would wait for the end.
        .insert_header((X_ACCEL_BUFFERING, "no"))
        .streaming(events(followed, stopping.map(|stopping| stopping.get_ref().clone()))))
}

const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Whoever has a token, or else a ticket, which is used up.
pub(crate) struct StreamSession(Session);

impl FromRequest for StreamSession {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            if let Some(session) = request.extensions().get::<Session>() {
                return Ok(Self(session.clone()));
            }
            let missing = || Error::Unauthenticated("Authentication is required");
            let parameters = QueryParameters::extract(&request).await?;
            let ticket = parameters.text("ticket").ok_or_else(missing)?;
            let unknown = || Error::Unauthenticated("The ticket is invalid, used, or has expired");
            let ticket = StreamTicket::parse(ticket).ok_or_else(unknown)?;
            let app =
                request.app_data::<Data<App>>().ok_or_else(|| Error::Internal("no App".into()))?;
            let session = notifications::redeem_ticket(app, &ticket).await?;
            // For the line of the request in the log.
            request.extensions_mut().insert(session.clone());
            Ok(Self(session))
        })
    }
}

/// Behind which event a client wants to go on.
pub(crate) struct LastEventId(Option<i64>);

impl FromRequest for LastEventId {
    type Error = ApiError;
    type Future = std::future::Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let header = request.headers().get("Last-Event-ID").filter(|value| !value.is_empty());
        let number = header.map(|value| value.to_str().ok().and_then(|text| text.parse().ok()));
        std::future::ready(match number {
            None => Ok(Self(None)),
            Some(Some(number)) => Ok(Self(Some(number))),
            Some(None) => {
                let reason = "must be the id of an event of this stream";
                Err(ValidationError::field("Last-Event-ID", reason).into())
            }
        })
    }
}

/// The events as text. One portion is made when the one before has been taken, so that a slow reader costs no memory.
fn events(
    followed: notifications::Stream,
    stopping: Option<ShutdownSignal>,
) -> impl Stream<Item = Result<Bytes, ApiError>> {
    stream::unfold((followed, stopping), async |(mut followed, stopping)| {
        let step = tokio::select! {
            step = followed.next() => step,
            () = stopped(stopping.as_ref()) => return None,
        };
        match step {
            Ok(Some(step)) => Some((Ok(text(step)), (followed, stopping))),
            Ok(None) => None,
            Err(error) => {
                // The client comes back, and goes on behind the last event that it has seen.
                tracing::warn!(error = &error as &dyn std::error::Error, "A stream was cut short");
                None
            }
        }
    })
}

async fn stopped(stopping: Option<&ShutdownSignal>) {
    match stopping {
        Some(ShutdownSignal(signal)) => signal.notified().await,
        None => std::future::pending().await,
    }
}

/// A step in the form of server-sent events.
fn text(step: StreamEvent) -> Bytes {
    let text = match step {
        // No data, so that no event comes of it; yet the client knows where to go on from.
        StreamEvent::Started(seq) => format!("retry: {RETRY_MS}\nid: {seq}\n\n"),
        StreamEvent::Reset(seq) => {
            format!("retry: {RETRY_MS}\nid: {seq}\nevent: reset\ndata: {{}}\n\n")
        }
        StreamEvent::KeepAlive => ": still here\n\n".to_owned(),
        StreamEvent::Changes(changes) => {
            changes.into_iter().map(|change| event(change.seq, change.what)).collect()
        }
    };
    text.into()
}

fn json(view: &impl Serialize) -> String {
    serde_json::to_string(view).unwrap_or_default()
}

/// What is in the list no more.
#[derive(Serialize)]
struct RemovedView {
    id: Uuid,
}

/// How long a client should wait before it comes back.
const RETRY_MS: u32 = 2_000;

fn event(seq: i64, what: InboxChangeKind) -> String {
    let (name, data) = match what {
        InboxChangeKind::Shown(seen) => ("notification", json(&NotificationView::from(*seen))),
        InboxChangeKind::Removed(id) => ("removed", json(&RemovedView { id: id.into() })),
    };
    // JSON has no line breaks of its own, and escapes those of texts.
    format!("id: {seq}\nevent: {name}\ndata: {data}\n\n")
}
