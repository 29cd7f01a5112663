//! `/posts/{id}/share`: shares of posts, as links or messages.

use actix_web::HttpResponse;
use actix_web::web::Data;
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
use crate::response::codes::ShareMethodCode;
use crate::response::{JsonResponse, Problem, RecordedJson, Timestamp, stored_body};

/// How to share a post.
#[derive(Deserialize, ToSchema)]
pub(crate) struct NewShare {
    #[serde(default)]
    #[schema(value_type = ShareMethodCode, required)]
    share_method: Field<String>,
    /// The recipients of a message: 1 to 5 users.
    #[serde(default)]
    #[schema(value_type = Option<Vec<i64>>, min_items = 1, max_items = 5)]
    recipient_ids: Field<Vec<i64>>,
    /// The text of a message.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 200)]
    message: Field<String>,
}

impl NewShare {
    fn parse(self, sender: UserId) -> Result<ShareDetails, ValidationError> {
        let mut fields = FieldValidator::default();
        let method = self.share_method.required(|raw| ShareMethod::from_code(&raw));
        if fields.check("share_method", method) == Some(ShareMethod::Url) {
            check_unused(&mut fields, "recipient_ids", self.recipient_ids, Vec::is_empty);
            check_unused(&mut fields, "message", self.message, |text| text.trim().is_empty());
            return fields.finish(|| Some(ShareDetails::Url));
        }
        let recipients = self.recipient_ids.required(|raw| Recipients::parse(sender, &raw));
        let recipients = fields.check("recipient_ids", recipients);
        let message = self.message.optional(|raw| ShareMessage::parse(&raw)).map(Option::flatten);
        let message = fields.check("message", message);
        fields.finish(|| Some(ShareDetails::Message { recipients: recipients?, message: message? }))
    }
}

/// Rejects a field of a message that is sent with a link, which reaches no recipient. An empty value is accepted.
fn check_unused<T>(
    fields: &mut FieldValidator,
    name: &'static str,
    field: Field<T>,
    is_empty: impl Fn(&T) -> bool,
) {
    let reason = "can only be sent with the share_method message";
    let unused = field.optional(|value| if is_empty(&value) { Ok(()) } else { Err(reason) });
    fields.check(name, unused);
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ShareView {
    id: Uuid,
    user_id: i64,
    post_id: Uuid,
    #[schema(value_type = ShareMethodCode)]
    share_method: &'static str,
    /// The URL of the post in the front end, if it is shared as a link.
    share_url: Option<String>,
    /// The number of recipients, if it is shared as a message.
    recipient_count: Option<usize>,
    message_content: Option<String>,
    created_at: Timestamp,
}

/// Shares a post as a link or a message. Sharing a link again returns the first share.
#[utoipa::path(
    post,
    path = "/posts/{id}/share",
    tag = "shares",
    request_body(content = NewShare, example = json!({"share_method": "url"})),
    params(
        ("id" = Uuid, Path, description = "Post id"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes retries of the request safe"),
    ),
    responses(
        (status = 201, body = ShareView, description = "The share"),
        (status = 400, body = Problem, description = "The post is private"),
        (status = 403, body = Problem, description = "A block exists between a recipient and the caller or the author of the post"),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
        (status = 429, body = Problem),
    ),
)]
pub(crate) async fn create_share(
    app: Data<App>,
    config: Data<WebConfig>,
    me: SignedIn,
    PostPath(post): PostPath,
    IdempotentBody { body, idempotency }: IdempotentBody<NewShare>,
) -> Result<RecordedJson, ApiError> {
    let record = |share: &Share| stored_body(&ShareView::new(share, &config.frontend_url));
    let details = body.parse(me.user())?;
    let recorded = shares::create(&app, me.user(), post, details, idempotency, record).await?;
    Ok(JsonResponse::recorded(recorded).created())
}

/// Deletes the caller's link share of a post, even if the caller can no longer see the post.
#[utoipa::path(
    delete,
    path = "/posts/{id}/share",
    tag = "shares",
    params(("id" = Uuid, Path, description = "Post id")),
    responses(
        (status = 204, description = "The link share is deleted"),
        (status = 404, body = Problem, description = "The caller has not shared the post as a link"),
    ),
)]
pub(crate) async fn delete_share(
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
                let text = message.as_ref().map(|message| message.as_str().to_owned());
                (ShareMethod::Message, None, Some(recipients.as_slice().len()), text)
            }
        };
        Self {
            id: share.id.into(),
            user_id: share.user.into(),
            post_id: share.post.into(),
            share_method: method.code(),
            share_url,
            recipient_count,
            message_content,
            created_at: share.created_at.into(),
        }
    }
}
