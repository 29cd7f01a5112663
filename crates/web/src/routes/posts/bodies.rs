//! Posts as clients send them, in JSON and in forms.

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
    fn of_form(form: &mut MultipartForm) -> Self {
        Self {
            content: form.text("content"),
            post_type: form.choice("post_type"),
            title: form.text("title"),
            image_url: Field::Absent,
            location: form.text("location"),
            is_public: form.switch("is_public"),
        }
    }

    pub(super) fn parse(self, has_picture: bool) -> Result<Draft, ValidationError> {
        let mut fields = FieldValidator::default();
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
    pub(super) draft: Draft,
    pub(super) picture: Option<Upload>,
    pub(super) idempotency: Option<IdempotentRequest>,
}

impl FromRequest for PostForm {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let mut form = MultipartForm::read(request, payload, "image").await?;
            let draft = NewPost::of_form(&mut form).parse(form.picture.is_some())?;
            Ok(Self { draft, picture: form.picture, idempotency: form.idempotency })
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
    pub(super) fn parse(self) -> Result<PostEdit, ValidationError> {
        let mut fields = FieldValidator::default();
        let content = fields.check("content", self.content.replacement(as_is));
        let post_type =
            fields.check("post_type", self.post_type.replacement(|raw| PostType::from_code(&raw)));
        let title = fields.check("title", self.title.change(|raw| Title::parse(&raw)));
        let image_url =
            fields.check("image_url", self.image_url.change(|raw| ImageUrl::parse(&raw)));
        let location =
            fields.check("location", self.location.change(|raw| LocationName::parse(&raw)));
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
