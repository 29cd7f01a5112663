//! Request bodies with posts: JSON and multipart forms.

use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use grateful_application::{IdempotentRequest, Upload};
use grateful_domain::{
    Content, Draft, FieldValidator, ImageUrl, LocationName, PostEdit, PostType, Title,
    ValidationError, Visibility,
};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::request::{Field, MultipartForm, as_is};

/// The body that creates a post.
#[derive(Deserialize, ToSchema)]
pub(crate) struct NewPost {
    #[serde(default)]
    #[schema(value_type = String, required, max_length = 500)]
    content: Field<String>,
    /// If absent, it is detected from the content.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "daily")]
    post_type: Field<String>,
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 100)]
    title: Field<String>,
    /// The URL of an image that was uploaded to this server.
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
    /// Reads the text fields of a form. The image of the form replaces any `image_url`.
    fn from_form(form: &mut MultipartForm) -> Self {
        Self {
            content: form.text("content"),
            post_type: form.non_blank_text("post_type"),
            title: form.text("title"),
            image_url: Field::Absent,
            location: form.text("location"),
            is_public: form.flag("is_public"),
        }
    }

    pub(super) fn parse(self, has_uploaded_image: bool) -> Result<Draft, ValidationError> {
        let mut fields = FieldValidator::default();
        let image_url = self.image_url.optional(|raw| ImageUrl::parse(&raw)).map(Option::flatten);
        let image_url = fields.check("image_url", image_url);
        let requested_type =
            fields.check("post_type", self.post_type.optional(|raw| PostType::from_code(&raw)));
        let has_image = has_uploaded_image || image_url.as_ref().is_some_and(Option::is_some);
        let content = self.content.required(|raw| {
            let detect = || PostType::detect(&raw, has_image);
            let post_type = requested_type.flatten().unwrap_or_else(detect);
            Content::parse(&raw, post_type).map(|content| (content, post_type))
        });
        let content = fields.check("content", content);
        let title = self.title.optional(|raw| Title::parse(&raw)).map(Option::flatten);
        let title = fields.check("title", title);
        let location = self.location.optional(|raw| LocationName::parse(&raw)).map(Option::flatten);
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

/// The form that creates a post with an image.
#[derive(ToSchema)]
#[expect(dead_code, reason = "OpenAPI documentation of what `PostForm` reads")]
pub(crate) struct NewPostForm {
    #[schema(max_length = 500)]
    content: String,
    /// If absent, it is detected from the content.
    #[schema(example = "photo")]
    post_type: Option<String>,
    #[schema(max_length = 100)]
    title: Option<String>,
    #[schema(max_length = 100)]
    location: Option<String>,
    #[schema(default = true)]
    is_public: Option<bool>,
    /// JPEG, PNG or WebP, at most 5,242,880 bytes, 50 megapixels, and 12,000 pixels per side.
    #[schema(value_type = Option<String>, format = Binary)]
    image: Option<Vec<u8>>,
}

/// A parsed form that creates a post.
pub(crate) struct PostForm {
    pub(super) draft: Draft,
    pub(super) image: Option<Upload>,
    pub(super) idempotency: Option<IdempotentRequest>,
}

impl FromRequest for PostForm {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let mut form = MultipartForm::read(request, payload, "image").await?;
            let draft = NewPost::from_form(&mut form).parse(form.image.is_some())?;
            Ok(Self { draft, image: form.image, idempotency: form.idempotency })
        })
    }
}

/// Changes to a post. An absent field stays as it is, and `null` clears a field that can be cleared.
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
    /// The URL of an image that was uploaded to this server.
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
    pub(super) fn parse(self) -> Result<PostEdit, ValidationError> {
        let mut fields = FieldValidator::default();
        let content = fields.check("content", self.content.non_null(as_is));
        let post_type =
            fields.check("post_type", self.post_type.non_null(|raw| PostType::from_code(&raw)));
        let title = fields.check("title", self.title.clearable(|raw| Title::parse(&raw)));
        let image_url =
            fields.check("image_url", self.image_url.clearable(|raw| ImageUrl::parse(&raw)));
        let location =
            fields.check("location", self.location.clearable(|raw| LocationName::parse(&raw)));
        let is_public = fields.check("is_public", self.is_public.non_null(as_is));
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
