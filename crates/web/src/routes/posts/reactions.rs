//! `/posts/{id}/reactions`: emoji reactions.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::web::Data;
use grateful_application::reactions::ReactionSummary;
use grateful_application::{App, reactions};
use grateful_domain::{Emoji, FieldValidator, Reaction, ValidationError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::cursors::ListKey;
use crate::error::ApiError;
use crate::request::{
    Field, JsonBody, PageParams, PostPath, QueryParameters, SignedIn, SignedInReader,
};
use crate::response::codes::{EmojiCode, ReactionObjectCode};
use crate::response::{Envelope, JsonResponse, Problem, Timestamp};

#[derive(Deserialize, ToSchema)]
pub(crate) struct NewReaction {
    #[serde(default)]
    #[schema(value_type = EmojiCode, required)]
    emoji_code: Field<String>,
    /// Only posts have reactions.
    #[serde(default)]
    #[schema(value_type = Option<ReactionObjectCode>)]
    object_type: Field<String>,
}

impl NewReaction {
    fn parse(self) -> Result<Emoji, ValidationError> {
        let mut fields = FieldValidator::default();
        let emoji =
            fields.check("emoji_code", self.emoji_code.required(|raw| Emoji::from_code(&raw)));
        let is_post = |raw: String| if raw == "post" { Ok(()) } else { Err("must be post") };
        fields.check("object_type", self.object_type.optional(is_post));
        fields.finish(|| emoji)
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ReactionView {
    id: Uuid,
    user_id: i64,
    post_id: Uuid,
    #[schema(value_type = EmojiCode)]
    emoji_code: &'static str,
    emoji_display: &'static str,
    created_at: Timestamp,
    user: ReactionUserView,
}

/// The user of a reaction.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReactionUserView {
    id: i64,
    username: String,
    display_name: Option<String>,
    profile_image_url: Option<String>,
}

/// The emoji reactions of a post, counted.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReactionSummaryView {
    total_count: i32,
    /// The number of reactions by emoji code. Codes without reactions are absent.
    emoji_counts: BTreeMap<&'static str, i64>,
    /// The code of the caller's reaction.
    #[schema(value_type = Option<EmojiCode>)]
    user_reaction: Option<&'static str>,
}

/// Sets the caller's emoji reaction to a post. Replaces an earlier one.
#[utoipa::path(
    post,
    path = "/posts/{id}/reactions",
    tag = "reactions",
    request_body(content = NewReaction, example = json!({"emoji_code": "hug"})),
    params(("id" = Uuid, Path, description = "Post id")),
    responses(
        (status = 201, body = Envelope<ReactionView>, description = "The reaction of the caller"),
        (status = 404, body = Problem),
    ),
)]
pub(crate) async fn set_reaction(
    app: Data<App>,
    me: SignedIn,
    PostPath(post): PostPath,
    JsonBody(new): JsonBody<NewReaction>,
) -> Result<JsonResponse<ReactionView>, ApiError> {
    let reaction = reactions::set(&app, me.user(), post, new.parse()?).await?;
    Ok(JsonResponse::enveloped(reaction.into()).created())
}

/// Removes the caller's emoji reaction to a post.
#[utoipa::path(
    delete,
    path = "/posts/{id}/reactions",
    tag = "reactions",
    params(("id" = Uuid, Path, description = "Post id")),
    responses(
        (status = 204, description = "The reaction is removed"),
        (status = 404, body = Problem, description = "The caller cannot see the post, or has not reacted to it"),
    ),
)]
pub(crate) async fn remove_reaction(
    app: Data<App>,
    me: SignedIn,
    PostPath(post): PostPath,
) -> Result<HttpResponse, ApiError> {
    reactions::remove(&app, me.user(), post).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Lists the emoji reactions to a post with their users, newest first.
#[utoipa::path(
    get,
    path = "/posts/{id}/reactions",
    tag = "reactions",
    params(("id" = Uuid, Path, description = "Post id"), PageParams<100>),
    responses(
        (status = 200, body = Envelope<Vec<ReactionView>>, description = "A page of reactions"),
        (status = 404, body = Problem),
    ),
)]
pub(crate) async fn list_reactions(
    app: Data<App>,
    me: SignedInReader,
    PostPath(post): PostPath,
    QueryParameters(page): QueryParameters<PageParams<100>>,
) -> Result<JsonResponse<Vec<ReactionView>>, ApiError> {
    let request = page.parse(ListKey::Reactions(post))?;
    let page = me.read(async |user| reactions::list(&app, user, post, request).await).await?;
    Ok(JsonResponse::list(page, ListKey::Reactions(post)).in_envelope())
}

/// Returns the number of reactions to a post by emoji, and the caller's own.
#[utoipa::path(
    get,
    path = "/posts/{id}/reactions/summary",
    tag = "reactions",
    params(("id" = Uuid, Path, description = "Post id")),
    responses(
        (status = 200, body = Envelope<ReactionSummaryView>, description = "The reactions of the post, counted"),
        (status = 404, body = Problem),
    ),
)]
pub(crate) async fn get_reaction_summary(
    app: Data<App>,
    me: SignedInReader,
    PostPath(post): PostPath,
) -> Result<JsonResponse<ReactionSummaryView>, ApiError> {
    let summary = me.read(async |user| reactions::get_summary(&app, user, post).await).await?;
    Ok(JsonResponse::enveloped(summary.into()))
}

impl From<Reaction> for ReactionView {
    fn from(reaction: Reaction) -> Self {
        let user = reaction.user;
        Self {
            id: reaction.id.into(),
            user_id: user.id.into(),
            post_id: reaction.post.into(),
            emoji_code: reaction.emoji.code(),
            emoji_display: reaction.emoji.display(),
            created_at: reaction.created_at.into(),
            user: ReactionUserView {
                id: user.id.into(),
                username: user.username.into(),
                display_name: user.display_name.map(Into::into),
                profile_image_url: user.profile_image_url,
            },
        }
    }
}

impl From<ReactionSummary> for ReactionSummaryView {
    fn from(summary: ReactionSummary) -> Self {
        let counts = summary.counts.into_iter().map(|count| (count.emoji.code(), count.count));
        Self {
            total_count: summary.total,
            emoji_counts: counts.collect(),
            user_reaction: summary.own.map(Emoji::code),
        }
    }
}
