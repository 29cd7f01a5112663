//! `/posts`: what people are thankful for.

use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::{CACHE_CONTROL, ContentType, ETAG, EntityTag};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest, HttpResponse, delete, get, patch, post};
use grateful_application::feed::FeedPost;
use grateful_application::{Answer, App, Repeat, Upload, posts};
use grateful_domain::{
    Author, Content, Draft, Fields, ImageUrl, Invalid, PlaceName, PostEdit, PostType, Score,
    SeenPost, Slot, Title, Visibility,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::body::{Body, Field, RepeatableBody, as_is};
use crate::error::ApiError;
use crate::etag::{Expected, Known, etag};
use crate::extract::{PostPath, SignedIn, Viewing};
use crate::form::Form;
use crate::problem::Problem;
use crate::repeats::created;
use crate::wire::Timestamp;

/// A post as it is sent: to be published, or, with every field optional, to be changed.
#[derive(Deserialize, ToSchema)]
pub(crate) struct NewPost {
    #[serde(default)]
    #[schema(value_type = String, required, max_length = 500)]
    content: Field<String>,
    /// Detected from the content where it is absent.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "daily")]
    post_type: Field<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 100)]
    title: Field<String>,
    /// One of this server's own uploads.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    image_url: Field<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 100)]
    location: Field<String>,
    #[serde(default)]
    #[schema(value_type = Option<bool>, default = true)]
    is_public: Field<bool>,
}

impl NewPost {
    /// What is in a form. Its picture takes the place of any `image_url`.
    fn of_form(form: &mut Form) -> Self {
        Self {
            content: form.text("content"),
            post_type: form.choice("post_type"),
            title: form.text("title"),
            image_url: Field::Absent,
            location: form.text("location"),
            is_public: form.switch("is_public"),
        }
    }

    fn parse(self, has_picture: bool) -> Result<Draft, Invalid> {
        let mut fields = Fields::default();
        let image = self.image_url.optional(|raw| ImageUrl::parse(&raw)).map(Option::flatten);
        let image_url = fields.check("image_url", image);
        let named =
            fields.check("post_type", self.post_type.optional(|raw| PostType::from_code(&raw)));
        let has_image = has_picture || image_url.as_ref().is_some_and(Option::is_some);
        let content = self.content.required(|raw| {
            let detect = || PostType::detect(&raw, has_image);
            let post_type = named.flatten().unwrap_or_else(detect);
            Content::parse(&raw, post_type).map(|content| (content, post_type))
        });
        let content = fields.check("content", content);
        let title = self.title.optional(|raw| Title::parse(&raw)).map(Option::flatten);
        let title = fields.check("title", title);
        let location = self.location.optional(|raw| PlaceName::parse(&raw)).map(Option::flatten);
        let location = fields.check("location", location);
        let is_public = fields.check("is_public", self.is_public.optional(as_is));
        fields.finish(|| {
            let (content, post_type) = content?;
            Some(Draft {
                title: title?,
                content,
                post_type,
                image_url: image_url?,
                location: location?,
                visibility: Visibility::from_is_public(is_public?.unwrap_or(true)),
            })
        })
    }
}

/// A post in a form, with its picture.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it documents what `PostForm` reads")]
pub(crate) struct NewPicturedPost {
    #[schema(max_length = 500)]
    content: String,
    /// Detected from the content where it is absent.
    #[schema(example = "photo")]
    post_type: Option<String>,
    #[schema(max_length = 100)]
    title: Option<String>,
    #[schema(max_length = 100)]
    location: Option<String>,
    #[schema(default = true)]
    is_public: Option<bool>,
    /// JPEG, PNG or WebP, at most 5,242,880 bytes, 50 megapixels, and 12,000 pixels a side.
    #[schema(value_type = Option<String>, format = Binary)]
    image: Option<Vec<u8>>,
}

/// A post as it was sent in a form.
pub(crate) struct PostForm {
    draft: Draft,
    picture: Option<Upload>,
    repeat: Option<Repeat>,
}

impl FromRequest for PostForm {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let mut form = Form::read(request, payload, "image").await?;
            let draft = NewPost::of_form(&mut form).parse(form.picture.is_some())?;
            Ok(Self { draft, picture: form.picture, repeat: form.repeat })
        })
    }
}

/// What to change about a post; what is absent stays, and `null` clears what can be cleared.
#[derive(Deserialize, ToSchema)]
pub(crate) struct PostPatch {
    #[serde(default)]
    #[schema(value_type = Option<String>, nullable = false, max_length = 500)]
    content: Field<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>, nullable = false, example = "daily")]
    post_type: Field<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 100)]
    title: Field<String>,
    /// One of this server's own uploads.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    image_url: Field<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 100)]
    location: Field<String>,
    #[serde(default)]
    #[schema(value_type = Option<bool>, nullable = false)]
    is_public: Field<bool>,
}

impl PostPatch {
    fn parse(self) -> Result<PostEdit, Invalid> {
        let mut fields = Fields::default();
        let content = fields.check("content", self.content.replacement(as_is));
        let post_type =
            fields.check("post_type", self.post_type.replacement(|raw| PostType::from_code(&raw)));
        let title = fields.check("title", self.title.change(|raw| Title::parse(&raw)));
        let image_url =
            fields.check("image_url", self.image_url.change(|raw| ImageUrl::parse(&raw)));
        let location = fields.check("location", self.location.change(|raw| PlaceName::parse(&raw)));
        let is_public = fields.check("is_public", self.is_public.replacement(as_is));
        fields.finish(|| {
            Some(PostEdit {
                content: content?,
                title: title?,
                post_type: post_type?,
                image_url: image_url?,
                location: location?,
                visibility: is_public?.map(Visibility::from_is_public),
            })
        })
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct AuthorView {
    id: i64,
    username: String,
    display_name: Option<String>,
    /// The display name, else the username.
    name: String,
    /// Equals `profile_image_url`.
    image: Option<String>,
    profile_image_url: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct PostView {
    id: Uuid,
    author_id: i64,
    title: Option<String>,
    content: String,
    post_type: &'static str,
    image_url: Option<String>,
    location: Option<String>,
    is_public: bool,
    created_at: Timestamp,
    updated_at: Option<Timestamp>,
    author: AuthorView,
    hearts_count: i32,
    reactions_count: i32,
    shares_count: i32,
    comments_count: i32,
    is_hearted: bool,
    /// The code of the emoji that the caller left on it.
    current_user_reaction: Option<&'static str>,
    /// Why it stands where it stands; only in a feed, where `explain` asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    score: Option<ScoreView>,
}

/// What a post is worth to the caller: worth, relationship and decay multiply to the total.
#[derive(Serialize, ToSchema)]
pub(crate) struct ScoreView {
    total: f64,
    /// Engagement and bonus, but not less than 0.5.
    worth: f64,
    /// Hearts, emoji and shares, weighed.
    engagement: f64,
    /// What posts of its type have over others.
    bonus: f64,
    /// 2 where the caller follows the author, else 1.
    relationship: f64,
    /// What is left of it at its age: half after a day.
    decay: f64,
    /// `ranked` where its total brought it here, `fresh` where it is here for being new.
    #[schema(example = "ranked")]
    slot: &'static str,
}

/// Which part of a list of posts.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it documents what `Parameters` reads")]
pub(crate) struct PostPage {
    /// How many at most.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<u32>,
    /// How many to pass over.
    #[param(minimum = 0, maximum = 10_000, default = 0)]
    offset: Option<u32>,
    /// Where to go on, from the `next` link of the page before.
    cursor: Option<String>,
}

/// Which part of a list of what was made of a post.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it documents what `Parameters` reads")]
pub(crate) struct LongPage {
    /// How many at most.
    #[param(minimum = 1, maximum = 100, default = 100)]
    limit: Option<u32>,
    /// How many to pass over.
    #[param(minimum = 0, maximum = 10_000, default = 0)]
    offset: Option<u32>,
    /// Where to go on, from the `next` link of the page before.
    cursor: Option<String>,
}

/// Publishes a post.
#[utoipa::path(
    tag = "posts",
    request_body = NewPost,
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes it safe to send the request again")),
    responses((status = 201, body = PostView), (status = 409, body = Problem)),
)]
#[post("/posts")]
pub(crate) async fn publish(
    app: Data<App>,
    me: SignedIn,
    RepeatableBody { body, repeat }: RepeatableBody<NewPost>,
) -> Result<HttpResponse, ApiError> {
    let answer = posts::publish(&app, me.user(), body.parse(false)?, repeat, recorded).await?;
    Ok(published(answer))
}

/// Publishes a post, with a picture.
#[utoipa::path(
    tag = "posts",
    request_body(content = NewPicturedPost, content_type = "multipart/form-data"),
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes it safe to send the request again")),
    responses(
        (status = 201, body = PostView),
        (status = 409, body = Problem),
        (status = 413, body = Problem),
        (status = 415, body = Problem),
        (status = 422, body = Problem),
        (status = 503, body = Problem),
    ),
)]
#[post("/posts/upload")]
pub(crate) async fn upload(
    app: Data<App>,
    me: SignedIn,
    PostForm { draft, picture, repeat }: PostForm,
) -> Result<HttpResponse, ApiError> {
    Ok(published(match picture {
        Some(picture) => {
            posts::publish_pictured(&app, me.user(), draft, picture, repeat, recorded).await?
        }
        None => posts::publish(&app, me.user(), draft, repeat, recorded).await?,
    }))
}

/// One post.
#[utoipa::path(
    tag = "posts",
    params(
        ("id" = Uuid, Path, description = "The post"),
        ("If-None-Match" = Option<String>, Header, description = "The states that are known already"),
    ),
    responses((status = 200, body = PostView), (status = 304), (status = 404, body = Problem)),
)]
#[get("/posts/{id}")]
pub(crate) async fn read(
    app: Data<App>,
    Viewing(viewer): Viewing,
    PostPath(post): PostPath,
    known: Known,
) -> Result<HttpResponse, ApiError> {
    let seen = posts::read(&app, viewer, post).await?;
    Ok(if known.has(&etag(seen.post.revision())) { not_modified(&seen) } else { tagged(seen) })
}

/// Changes one's own post.
#[utoipa::path(
    tag = "posts",
    request_body = PostPatch,
    params(
        ("id" = Uuid, Path, description = "The post"),
        ("If-Match" = Option<String>, Header, description = "The states in which it may be changed"),
    ),
    responses(
        (status = 200, body = PostView),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 412, body = Problem),
    ),
)]
#[patch("/posts/{id}")]
pub(crate) async fn edit(
    app: Data<App>,
    me: SignedIn,
    PostPath(post): PostPath,
    expected: Expected,
    Body(patch): Body<PostPatch>,
) -> Result<HttpResponse, ApiError> {
    let allows = |revision| expected.allows(revision);
    Ok(tagged(posts::edit(&app, me.user(), post, patch.parse()?, allows).await?))
}

/// Takes one's own post back, with all that hangs on it.
#[utoipa::path(
    tag = "posts",
    params(("id" = Uuid, Path, description = "The post")),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem)),
)]
#[delete("/posts/{id}")]
pub(crate) async fn delete(
    app: Data<App>,
    me: SignedIn,
    PostPath(post): PostPath,
) -> Result<HttpResponse, ApiError> {
    posts::delete(&app, me.user(), post).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Anybody's copy must ask again before it is used: what others did to the post is not in its tag.
const REVALIDATE: (actix_web::http::header::HeaderName, &str) =
    (CACHE_CONTROL, "private, no-cache");

fn tagged(seen: SeenPost) -> HttpResponse {
    let tag = etag(seen.post.revision());
    HttpResponse::Ok()
        .insert_header((ETAG, tag))
        .insert_header(REVALIDATE)
        .json(PostView::from(seen))
}

fn not_modified(seen: &SeenPost) -> HttpResponse {
    let tag = etag(seen.post.revision());
    HttpResponse::NotModified().insert_header((ETAG, tag)).insert_header(REVALIDATE).finish()
}

/// The answer to a publication as it is kept for repeats: its tag, a line break, its body.
fn recorded(seen: &SeenPost) -> Vec<u8> {
    let tag = etag(seen.post.revision());
    let body = serde_json::to_string(&PostView::from(seen.clone())).unwrap_or_default();
    format!("{}\n{body}", tag.tag()).into_bytes()
}

fn published(answer: Answer) -> HttpResponse {
    let (kept, mut response) = created(answer);
    let kept = String::from_utf8_lossy(&kept);
    let (tag, body) = kept.split_once('\n').unwrap_or_default();
    response.insert_header((ETAG, EntityTag::new_strong(tag.to_owned())));
    response.content_type(ContentType::json()).body(body.to_owned())
}

impl From<Author> for AuthorView {
    fn from(author: Author) -> Self {
        Self {
            id: author.id.into(),
            name: author.name().to_owned(),
            username: author.username.into(),
            display_name: author.display_name.map(Into::into),
            image: author.profile_image_url.clone(),
            profile_image_url: author.profile_image_url,
        }
    }
}

impl From<SeenPost> for PostView {
    fn from(seen: SeenPost) -> Self {
        let SeenPost { post, author, hearted, reaction } = seen;
        Self {
            id: post.id.into(),
            author_id: post.author.into(),
            title: post.draft.title.map(Into::into),
            content: post.draft.content.into(),
            post_type: post.draft.post_type.code(),
            image_url: post.draft.image_url.map(Into::into),
            location: post.draft.location.map(Into::into),
            is_public: post.draft.visibility.is_public(),
            created_at: post.created_at.into(),
            updated_at: post.updated_at.map(Into::into),
            author: author.into(),
            hearts_count: post.engagement.hearts,
            reactions_count: post.engagement.reactions,
            shares_count: post.engagement.shares,
            comments_count: post.engagement.comments,
            is_hearted: hearted,
            current_user_reaction: reaction.map(grateful_domain::Emoji::code),
            score: None,
        }
    }
}

impl PostView {
    /// A post of a feed, with what put it there where that is asked for.
    pub(crate) fn of(post: FeedPost, explained: bool) -> Self {
        let FeedPost { seen, score, slot } = post;
        let score = explained.then(|| ScoreView::of(score, slot));
        Self { score, ..seen.into() }
    }
}

impl ScoreView {
    fn of(score: Score, slot: Slot) -> Self {
        let Score { total, worth, engagement, bonus, relationship, decay } = score;
        Self { total, worth, engagement, bonus, relationship, decay, slot: slot.code() }
    }
}
