//! `/users/me/export`: all personal data of the caller, streamed.

use std::ops::ControlFlow;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, ContentType};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use futures_util::{FutureExt as _, Stream, stream};
use grateful_application::export::{self, Section, SectionItems};
use grateful_application::{App, CallerMark, profiles, read_as};
use grateful_domain::{Comment, HeartRecord, ReactionRecord, ReceivedShare, Session, Share};
use serde::Serialize;
use tokio::sync::mpsc;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::ApiError;
use crate::request::{RequestId, SignedIn, now};
use crate::response::codes::EmojiCode;
use crate::response::{Envelope, Timestamp};
use crate::routes::auth::SessionView;
use crate::routes::follows::requests::FollowListItemView;
use crate::routes::notifications::NotificationView;
use crate::routes::posts::PostView;
use crate::routes::users::profile::OwnProfileView;

/// All personal data of the caller.
#[derive(ToSchema)]
#[expect(dead_code, reason = "OpenAPI documentation of what `ExportWriter` writes")]
pub(crate) struct ExportView {
    profile: OwnProfileView,
    sessions: Vec<SessionView>,
    posts: Vec<PostView>,
    hearts: Vec<ExportHeartView>,
    reactions: Vec<ExportReactionView>,
    shares: Vec<ExportShareView>,
    /// Posts that other users sent to the caller.
    received_shares: Vec<ExportReceivedShareView>,
    comments: Vec<ExportCommentView>,
    followers: Vec<FollowListItemView>,
    following: Vec<FollowListItemView>,
    requests_received: Vec<FollowListItemView>,
    requests_sent: Vec<FollowListItemView>,
    blocks: Vec<FollowListItemView>,
    /// Single notifications, batches, and the children of batches. A child has the id of its batch in `parent_id`.
    notifications: Vec<NotificationView>,
}

/// A heart of the caller.
#[derive(Serialize, ToSchema)]
pub(crate) struct ExportHeartView {
    post_id: Uuid,
    created_at: Timestamp,
}

/// An emoji reaction of the caller.
#[derive(Serialize, ToSchema)]
pub(crate) struct ExportReactionView {
    post_id: Uuid,
    #[schema(value_type = EmojiCode)]
    emoji_code: &'static str,
    created_at: Timestamp,
}

/// A share by the caller.
#[derive(Serialize, ToSchema)]
pub(crate) struct ExportShareView {
    id: Uuid,
    post_id: Uuid,
    /// The recipients of a message. Empty for a link.
    recipient_ids: Vec<i64>,
    message_content: Option<String>,
    created_at: Timestamp,
}

/// A post that another user sent to the caller.
#[derive(Serialize, ToSchema)]
pub(crate) struct ExportReceivedShareView {
    id: Uuid,
    post_id: Uuid,
    /// The username of the sender.
    from: String,
    message_content: Option<String>,
    created_at: Timestamp,
}

/// A comment of the caller.
#[derive(Serialize, ToSchema)]
pub(crate) struct ExportCommentView {
    id: Uuid,
    post_id: Uuid,
    parent_id: Option<Uuid>,
    content: String,
    created_at: Timestamp,
    updated_at: Option<Timestamp>,
}

/// Exports all personal data of the caller as one JSON document.
///
/// Each part shows the state at the time when it was read. A document that is cut off before its end is incomplete.
#[utoipa::path(
    get,
    path = "/users/me/export",
    tag = "export",
    responses(
        (status = 200, body = Envelope<ExportView>, description = "All personal data of the caller, streamed"),
    ),
)]
pub(crate) async fn export_personal_data(
    app: Data<App>,
    me: SignedIn,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let mark: Option<CallerMark> = request.extensions().get().copied();
    let profile = profiles::get_own(&app, me.user()).await?;
    let (head, tail) = envelope_parts(&OwnProfileView::from(profile), &request);
    Ok(HttpResponse::Ok()
        .content_type(ContentType::json())
        .insert_header((CACHE_CONTROL, "private, no-store"))
        .insert_header((CONTENT_DISPOSITION, "attachment; filename=\"grateful-export.json\""))
        .streaming(document_bytes(app, (me.0, mark), head, tail)))
}

/// Returns the text before and after the sections: an [`Envelope`], written by hand since its data is never in memory
/// as a whole.
fn envelope_parts(profile: &OwnProfileView, request: &HttpRequest) -> (String, String) {
    let request_id = request.extensions().get::<RequestId>().map(ToString::to_string);
    let head = format!(r#"{{"success":true,"data":{{"profile":{}"#, json(profile));
    let tail = format!(
        r#"}},"timestamp":{},"request_id":{}}}"#,
        json(&Timestamp(now(request))),
        json(&request_id.unwrap_or_default()),
    );
    (head, tail)
}

/// Streams the document in chunks. Nothing is read before the stream is polled, which `HEAD` does not do.
fn document_bytes(
    app: Data<App>,
    caller: (Session, Option<CallerMark>),
    head: String,
    tail: String,
) -> impl Stream<Item = Result<Bytes, ApiError>> {
    async move { read_document(app, caller, head, tail) }.flatten_stream()
}

/// Reads the document in a task. A chunk is read while the previous one is sent, so that nothing piles up in memory for a
/// slow client.
fn read_document(
    app: Data<App>,
    caller: (Session, Option<CallerMark>),
    head: String,
    tail: String,
) -> impl Stream<Item = Result<Bytes, ApiError>> {
    let (session, mark) = caller;
    let (sender, mut receiver) = mpsc::channel(1);
    actix_web::rt::spawn(async move {
        let mut writer = ExportWriter::new(head);
        let export = export::export(&app, session.user, async |section, items| {
            writer.write_items(section, items, &session);
            match sender.send(Ok(writer.take())).await {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            }
        });
        let last = match read_as(mark, export).await {
            Ok(()) => Ok(writer.finish(&tail)),
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "Export failed");
                Err(error.into())
            }
        };
        // A disconnected client needs no end.
        _ = sender.send(last).await;
    });
    stream::poll_fn(move |context| receiver.poll_recv(context))
}

/// Writes the sections of the document. Holds the text that is not sent yet.
struct ExportWriter {
    pending: String,
    open_section: Option<Section>,
    /// Whether the open section already has items.
    has_items: bool,
}

impl ExportWriter {
    fn new(head: String) -> Self {
        Self { pending: head, open_section: None, has_items: false }
    }

    fn write_items(&mut self, section: Section, items: SectionItems, session: &Session) {
        if self.open_section != Some(section) {
            self.close_section();
            for part in [",\"", section.code(), "\":["] {
                self.pending.push_str(part);
            }
            (self.open_section, self.has_items) = (Some(section), false);
        }
        match items {
            SectionItems::Sessions(items) => {
                self.append(items, |item| SessionView::new(item, session));
            }
            SectionItems::Posts(items) => self.append(items, PostView::from),
            SectionItems::Hearts(items) => self.append(items, ExportHeartView::from),
            SectionItems::Reactions(items) => self.append(items, ExportReactionView::from),
            SectionItems::Shares(items) => self.append(items, ExportShareView::from),
            SectionItems::ReceivedShares(items) => {
                self.append(items, ExportReceivedShareView::from);
            }
            SectionItems::Comments(items) => self.append(items, ExportCommentView::from),
            SectionItems::Users(items) => self.append(items, FollowListItemView::from),
            SectionItems::Notifications(items) => self.append(items, NotificationView::from),
        }
    }

    fn append<T, V: Serialize>(&mut self, items: Vec<T>, view: impl Fn(T) -> V) {
        for item in items {
            if self.has_items {
                self.pending.push(',');
            }
            self.pending.push_str(&json(&view(item)));
            self.has_items = true;
        }
    }

    fn close_section(&mut self) {
        if self.open_section.is_some() {
            self.pending.push(']');
        }
    }

    fn take(&mut self) -> Bytes {
        std::mem::take(&mut self.pending).into()
    }

    fn finish(mut self, tail: &str) -> Bytes {
        self.close_section();
        self.pending.push_str(tail);
        self.take()
    }
}

fn json(view: &impl Serialize) -> String {
    serde_json::to_string(view).unwrap_or_default()
}

impl From<HeartRecord> for ExportHeartView {
    fn from(HeartRecord { post, at }: HeartRecord) -> Self {
        Self { post_id: post.into(), created_at: at.into() }
    }
}

impl From<ReactionRecord> for ExportReactionView {
    fn from(ReactionRecord { post, emoji, at }: ReactionRecord) -> Self {
        Self { post_id: post.into(), emoji_code: emoji.code(), created_at: at.into() }
    }
}

impl From<Share> for ExportShareView {
    fn from(share: Share) -> Self {
        Self {
            id: share.id.into(),
            post_id: share.post.into(),
            recipient_ids: share.details.recipients().iter().copied().map(i64::from).collect(),
            message_content: share.details.message().map(|text| text.as_str().to_owned()),
            created_at: share.created_at.into(),
        }
    }
}

impl From<ReceivedShare> for ExportReceivedShareView {
    fn from(ReceivedShare { share, post, by, message, at }: ReceivedShare) -> Self {
        Self {
            id: share.into(),
            post_id: post.into(),
            from: by,
            message_content: message.map(Into::into),
            created_at: at.into(),
        }
    }
}

impl From<Comment> for ExportCommentView {
    fn from(comment: Comment) -> Self {
        Self {
            id: comment.id.into(),
            post_id: comment.post.into(),
            parent_id: comment.parent.map(Into::into),
            content: comment.text.into(),
            created_at: comment.created_at.into(),
            updated_at: comment.updated_at.map(Into::into),
        }
    }
}
