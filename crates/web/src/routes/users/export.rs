//! `/users/me/export`: all that is held about the caller, as it is read.

use std::ops::ControlFlow;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, ContentType};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, get};
use futures_util::{Stream, stream};
use grateful_application::export::{
    self, HeartRecord, ReactionRecord, ReceivedShare, Section, SectionItems,
};
use grateful_application::{App, profiles};
use grateful_domain::{Comment, Session, Share};
use serde::Serialize;
use tokio::sync::mpsc;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::ApiError;
use crate::request::{RequestId, SignedIn, now};
use crate::response::{Envelope, Timestamp};
use crate::routes::auth::SessionView;
use crate::routes::follows::requests::FollowRequestView;
use crate::routes::notifications::NotificationView;
use crate::routes::posts::PostView;
use crate::routes::users::profile::OwnProfileView;

/// All that is held about the caller.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it documents what is written a part at a time")]
pub(crate) struct ExportView {
    profile: OwnProfileView,
    sessions: Vec<SessionView>,
    posts: Vec<PostView>,
    hearts: Vec<ExportHeartView>,
    reactions: Vec<ExportReactionView>,
    shares: Vec<ExportShareView>,
    /// What others sent.
    received_shares: Vec<ReceivedShareView>,
    comments: Vec<ExportCommentView>,
    followers: Vec<FollowRequestView>,
    following: Vec<FollowRequestView>,
    requests_received: Vec<FollowRequestView>,
    requests_sent: Vec<FollowRequestView>,
    blocks: Vec<FollowRequestView>,
    /// Batches, what they gather, and single ones; an entry names its batch in `parent_id`.
    notifications: Vec<NotificationView>,
}

/// A heart that the caller gave.
#[derive(Serialize, ToSchema)]
#[schema(as = GivenHeartView)]
pub(crate) struct ExportHeartView {
    post_id: Uuid,
    created_at: Timestamp,
}

/// An emoji that the caller left.
#[derive(Serialize, ToSchema)]
#[schema(as = GivenReactionView)]
pub(crate) struct ExportReactionView {
    post_id: Uuid,
    emoji_code: &'static str,
    created_at: Timestamp,
}

/// A post that the caller passed on.
#[derive(Serialize, ToSchema)]
#[schema(as = GivenShareView)]
pub(crate) struct ExportShareView {
    id: Uuid,
    post_id: Uuid,
    /// To whom; nobody where it is a link.
    recipient_ids: Vec<i64>,
    message_content: Option<String>,
    created_at: Timestamp,
}

/// A post that the caller was sent.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReceivedShareView {
    id: Uuid,
    post_id: Uuid,
    /// The username of whoever sent it.
    from: String,
    message_content: Option<String>,
    created_at: Timestamp,
}

/// What the caller said about a post.
#[derive(Serialize, ToSchema)]
#[schema(as = GivenCommentView)]
pub(crate) struct ExportCommentView {
    id: Uuid,
    post_id: Uuid,
    parent_id: Option<Uuid>,
    content: String,
    created_at: Timestamp,
    updated_at: Option<Timestamp>,
}

/// All that is held about the caller, in one document. Each part of it is as it was when it was read; a document that
/// does not end was cut short.
#[utoipa::path(tag = "export", responses((status = 200, body = Envelope<ExportView>)))]
#[get("/users/me/export")]
pub(crate) async fn export_account(
    app: Data<App>,
    me: SignedIn,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let profile = profiles::get_own(&app, me.user()).await?;
    let (begin, end) = frame_around(&OwnProfileView::from(profile), &request);
    Ok(HttpResponse::Ok()
        .content_type(ContentType::json())
        .insert_header((CACHE_CONTROL, "private, no-store"))
        .insert_header((CONTENT_DISPOSITION, "attachment; filename=\"grateful-export.json\""))
        .streaming(document(app, me.0, begin, end)))
}

/// What stands before and behind the sections: an [`Envelope`], begun by hand since its data is not there as a whole.
fn frame_around(profile: &OwnProfileView, request: &HttpRequest) -> (String, String) {
    let request_id = request.extensions().get::<RequestId>().map(ToString::to_string);
    let begin = format!(r#"{{"success":true,"data":{{"profile":{}"#, json(profile));
    let end = format!(
        r#"}},"timestamp":{},"request_id":{}}}"#,
        json(&Timestamp(now(request))),
        json(&request_id.unwrap_or_default()),
    );
    (begin, end)
}

/// The document, a portion at a time. One is read while the one before is sent, so that a slow reader costs no memory.
fn document(
    app: Data<App>,
    session: Session,
    begin: String,
    end: String,
) -> impl Stream<Item = Result<Bytes, ApiError>> {
    let (portions, mut sent) = mpsc::channel(1);
    actix_web::rt::spawn(async move {
        let mut text = Text::new(begin);
        let exported = export::export(&app, session.user, async |section, entries| {
            text.add(section, entries, &session);
            match portions.send(Ok(text.take())).await {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            }
        });
        let last = match exported.await {
            Ok(()) => Ok(text.finish(&end)),
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "An export was cut short");
                Err(error.into())
            }
        };
        // Whoever has gone away needs no end.
        _ = portions.send(last).await;
    });
    stream::poll_fn(move |context| sent.poll_recv(context))
}

/// The text of the document as far as it is not sent yet.
struct Text {
    pending: String,
    open: Option<Section>,
    /// Whether the open section has entries already.
    has_entries: bool,
}

impl Text {
    fn new(begin: String) -> Self {
        Self { pending: begin, open: None, has_entries: false }
    }

    fn add(&mut self, section: Section, entries: SectionItems, session: &Session) {
        if self.open != Some(section) {
            self.close();
            for part in [",\"", name_of(section), "\":["] {
                self.pending.push_str(part);
            }
            (self.open, self.has_entries) = (Some(section), false);
        }
        match entries {
            SectionItems::Sessions(some) => self.list(some, |it| SessionView::new(it, session)),
            SectionItems::Posts(some) => self.list(some, PostView::from),
            SectionItems::Hearts(some) => self.list(some, ExportHeartView::from),
            SectionItems::Reactions(some) => self.list(some, ExportReactionView::from),
            SectionItems::Shares(some) => self.list(some, ExportShareView::from),
            SectionItems::ReceivedShares(some) => self.list(some, ReceivedShareView::from),
            SectionItems::Comments(some) => self.list(some, ExportCommentView::from),
            SectionItems::Users(some) => self.list(some, FollowRequestView::from),
            SectionItems::Notifications(some) => self.list(some, NotificationView::from),
        }
    }

    fn list<T, V: Serialize>(&mut self, entries: Vec<T>, view: impl Fn(T) -> V) {
        for entry in entries {
            if self.has_entries {
                self.pending.push(',');
            }
            self.pending.push_str(&json(&view(entry)));
            self.has_entries = true;
        }
    }

    fn close(&mut self) {
        if self.open.is_some() {
            self.pending.push(']');
        }
    }

    fn take(&mut self) -> Bytes {
        std::mem::take(&mut self.pending).into()
    }

    fn finish(mut self, end: &str) -> Bytes {
        self.close();
        self.pending.push_str(end);
        self.take()
    }
}

fn json(view: &impl Serialize) -> String {
    serde_json::to_string(view).unwrap_or_default()
}

fn name_of(section: Section) -> &'static str {
    match section {
        Section::Sessions => "sessions",
        Section::Posts => "posts",
        Section::Hearts => "hearts",
        Section::Reactions => "reactions",
        Section::Shares => "shares",
        Section::ReceivedShares => "received_shares",
        Section::Comments => "comments",
        Section::Followers => "followers",
        Section::Following => "following",
        Section::RequestsReceived => "requests_received",
        Section::RequestsSent => "requests_sent",
        Section::Blocks => "blocks",
        Section::Notifications => "notifications",
    }
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
            message_content: share.details.message().map(|words| words.as_str().to_owned()),
            created_at: share.created_at.into(),
        }
    }
}

impl From<ReceivedShare> for ReceivedShareView {
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
