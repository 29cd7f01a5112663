//! `/posts/{id}/reactions`: emoji.

use std::collections::BTreeMap;

use actix_web::web::Data;
use actix_web::{HttpResponse, delete, get, post};
use grateful_application::reactions::ReactionSummary;
use grateful_application::{App, reactions};
use grateful_domain::{Emoji, FieldValidator, ListKind, Reaction, ValidationError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::ApiError;
use crate::request::{Field, JsonBody, PageParams100, PostPath, QueryParameters, SignedIn};
use crate::response::{Envelope, EnvelopeResponse, ListResponse, Problem, Timestamp};

#[derive(Deserialize, ToSchema)]
pub(crate) struct NewReaction {
    #[serde(default)]
    #[schema(value_type = String, required, example = "hug")]
    emoji_code: Field<String>,
}

impl NewReaction {
    fn parse(self) -> Result<Emoji, ValidationError> {
        let mut fields = FieldValidator::default();
        let emoji =
            fields.check("emoji_code", self.emoji_code.required(|raw| Emoji::from_code(&raw)));
        fields.finish(|| emoji)
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ReactionView {
    id: Uuid,
    user_id: i64,
    post_id: Uuid,
    emoji_code: &'static str,
    emoji_display: &'static str,
    created_at: Timestamp,
    user: ReactorView,
}

/// Who left an emoji.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReactorView {
    id: i64,
    username: String,
    display_name: Option<String>,
    profile_image_url: Option<String>,
}

/// How a post stands with its emoji.
#[derive(Serialize, ToSchema)]
pub(crate) struct SummaryView {
    total_count: i32,
    /// How many of each, by its code; those that nobody left are absent.
    emoji_counts: BTreeMap<&'static str, i64>,
    /// The code of the caller's own.
    user_reaction: Option<&'static str>,
}

/// Leaves an emoji on a post, in place of an earlier one.
#[utoipa::path(
    tag = "reactions",
    request_body = NewReaction,
    params(("id" = Uuid, Path, description = "Post id")),
    responses((status = 201, body = Envelope<ReactionView>), (status = 404, body = Problem)),
)]
#[post("/posts/{id}/reactions")]
pub(crate) async fn set_reaction(
    app: Data<App>,
    me: SignedIn,
    PostPath(post): PostPath,
    JsonBody(new): JsonBody<NewReaction>,
) -> Result<EnvelopeResponse<ReactionView>, ApiError> {
    let reaction = reactions::set(&app, me.user(), post, new.parse()?).await?;
    Ok(EnvelopeResponse::created(reaction.into()))
}

/// Takes one's emoji back.
#[utoipa::path(
    tag = "reactions",
    params(("id" = Uuid, Path, description = "Post id")),
    responses((status = 204), (status = 404, body = Problem)),
)]
#[delete("/posts/{id}/reactions")]
pub(crate) async fn remove_reaction(
    app: Data<App>,
    me: SignedIn,
    PostPath(post): PostPath,
) -> Result<HttpResponse, ApiError> {
    reactions::remove(&app, me.user(), post).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The emoji on a post and who left them, newest first.
#[utoipa::path(
    tag = "reactions",
    params(("id" = Uuid, Path, description = "Post id"), PageParams100),
    responses((status = 200, body = Envelope<Vec<ReactionView>>), (status = 404, body = Problem)),
)]
#[get("/posts/{id}/reactions")]
pub(crate) async fn list_reactions(
    app: Data<App>,
    me: SignedIn,
    PostPath(post): PostPath,
    parameters: QueryParameters,
) -> Result<ListResponse<Vec<ReactionView>>, ApiError> {
    let page = parameters.page(ListKind::Reactions)?;
    Ok(ListResponse::enveloped(
        reactions::list(&app, me.user(), post, page).await?,
        ListKind::Reactions,
    ))
}

/// How a post stands with its emoji.
#[utoipa::path(
    tag = "reactions",
    params(("id" = Uuid, Path, description = "Post id")),
    responses((status = 200, body = Envelope<SummaryView>), (status = 404, body = Problem)),
)]
#[get("/posts/{id}/reactions/summary")]
pub(crate) async fn get_reaction_summary(
    app: Data<App>,
    me: SignedIn,
    PostPath(post): PostPath,
) -> Result<EnvelopeResponse<SummaryView>, ApiError> {
    Ok(EnvelopeResponse::ok(reactions::get_summary(&app, me.user(), post).await?.into()))
}

impl From<Reaction> for ReactionView {
    fn from(reaction: Reaction) -> Self {
        let by = reaction.by;
        Self {
            id: reaction.id.into(),
            user_id: by.id.into(),
            post_id: reaction.post.into(),
            emoji_code: reaction.emoji.code(),
            emoji_display: reaction.emoji.display(),
            created_at: reaction.created_at.into(),
            user: ReactorView {
                id: by.id.into(),
                username: by.username.into(),
                display_name: by.display_name.map(Into::into),
                profile_image_url: by.profile_image_url,
            },
        }
    }
}

impl From<ReactionSummary> for SummaryView {
    fn from(summary: ReactionSummary) -> Self {
        let counts = summary.counts.into_iter().map(|it| (it.emoji.code(), it.count));
        Self {
            total_count: summary.total,
            emoji_counts: counts.collect(),
            user_reaction: summary.own.map(Emoji::code),
        }
    }
}
