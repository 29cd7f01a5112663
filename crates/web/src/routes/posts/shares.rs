//! `/posts/{id}/share`: passing posts on.

use actix_web::web::Data;
use actix_web::{HttpResponse, delete, post};
use grateful_application::{App, shares};
use grateful_domain::{
    FieldValidator, Recipients, Share, ShareDetails, ShareMessage, ShareMethod, UserId,
    ValidationError,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::WebConfig;
use crate::error::ApiError;
use crate::request::{Field, IdempotentBody, PostPath, SignedIn};
use crate::response::{Problem, ReplayableResponse, Timestamp, stored_body};

/// How to pass a post on.
#[derive(Deserialize, ToSchema)]
pub(crate) struct NewShareBody {
    /// `url` or `message`.
    #[serde(default)]
    #[schema(value_type = String, required, example = "url")]
    share_method: Field<String>,
    /// To whom, for a message: 1 to 5 people.
    #[serde(default)]
    #[schema(value_type = Option<Vec<i64>>)]
    recipient_ids: Field<Vec<i64>>,
    /// In which words, for a message.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 200)]
    message: Field<String>,
}

impl NewShareBody {
    fn parse(self, sender: UserId) -> Result<ShareDetails, ValidationError> {
        let mut fields = FieldValidator::default();
        let method = self.share_method.required(|raw| ShareMethod::from_code(&raw));
        if fields.check("share_method", method) == Some(ShareMethod::Url) {
            return Ok(ShareDetails::Url);
        }
        let recipients = self.recipient_ids.required(|raw| Recipients::parse(sender, &raw));
        let recipients = fields.check("recipient_ids", recipients);
        let message = self.message.optional(|raw| ShareMessage::parse(&raw)).map(Option::flatten);
        let message = fields.check("message", message);
        fields.finish(|| Some(ShareDetails::Message { recipients: recipients?, message: message? }))
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ShareView {
    id: Uuid,
    user_id: i64,
    post_id: Uuid,
    share_method: &'static str,
    /// Where the post is found in the front end, for a link.
    share_url: Option<String>,
    /// How many people it was sent to, for a message.
    recipient_count: Option<usize>,
    message_content: Option<String>,
    created_at: Timestamp,
}

/// Passes a post on. A link that one has already is the same link.
#[utoipa::path(
    tag = "shares",
    request_body = NewShareBody,
    params(
        ("id" = Uuid, Path, description = "Post id"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes retries of the request safe"),
    ),
    responses(
        (status = 201, body = ShareView),
        (status = 400, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
        (status = 429, body = Problem),
    ),
)]
#[post("/posts/{id}/share")]
pub(crate) async fn share_post(
    app: Data<App>,
    config: Data<WebConfig>,
    me: SignedIn,
    PostPath(post): PostPath,
    IdempotentBody { body, idempotency }: IdempotentBody<NewShareBody>,
) -> Result<ReplayableResponse, ApiError> {
    let record = |share: &Share| stored_body(&ShareView::new(share, &config.frontend_url));
    let how = body.parse(me.user())?;
    Ok(ReplayableResponse::bare_created(
        shares::create(&app, me.user(), post, how, idempotency, record).await?,
    ))
}

/// Gives one's link to a post back.
#[utoipa::path(
    tag = "shares",
    params(("id" = Uuid, Path, description = "Post id")),
    responses((status = 204), (status = 404, body = Problem)),
)]
#[delete("/posts/{id}/share")]
pub(crate) async fn unshare_post(
    app: Data<App>,
    me: SignedIn,
    PostPath(post): PostPath,
) -> Result<HttpResponse, ApiError> {
    shares::delete(&app, me.user(), post).await?;
    Ok(HttpResponse::NoContent().finish())
}

impl ShareView {
    fn new(share: &Share, frontend_url: &str) -> Self {
        let (method, share_url, recipient_count, message_content) = match &share.details {
            ShareDetails::Url => {
                let url = format!("{frontend_url}/post/{}", share.post);
                (ShareMethod::Url, Some(url), None, None)
            }
            ShareDetails::Message { recipients, message } => {
                let words = message.as_ref().map(|message| message.as_str().to_owned());
                (ShareMethod::Message, None, Some(recipients.as_slice().len()), words)
            }
        };
        Self {
            id: share.id.into(),
            user_id: share.by.into(),
            post_id: share.post.into(),
            share_method: method.code(),
            share_url,
            recipient_count,
            message_content,
            created_at: share.created_at.into(),
        }
    }
}
