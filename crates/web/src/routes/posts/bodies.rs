//! Request bodies with posts: JSON and multipart forms.

use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use grateful_application::image_files::parse_image_url;
use grateful_application::{IdempotentRequest, Upload};
use grateful_domain::{
    Content, Draft, FieldValidator, LocationName, PostEdit, PostType, Title, ValidationError,
    Visibility,
};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::request::{Field, FormFields, MultipartForm, as_is};
use crate::response::codes::{PostTypeCode, PrivacyLevelCode};

/// The body that creates a post.
#[derive(Deserialize, ToSchema)]
pub(crate) struct NewPost {
    #[serde(default)]
    #[schema(value_type = String, required, max_length = 500)]
    content: Field<String>,
    /// If absent, it is detected from the content.
    #[serde(default)]
    #[schema(value_type = Option<PostTypeCode>)]
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
    /// Whether other users can see the post. Default: `true`.
    #[serde(default)]
    #[schema(value_type = Option<bool>)]
    is_public: Field<bool>,
    #[serde(default)]
    #[schema(value_type = Option<PrivacyLevelCode>)]
    privacy_level: Field<String>,
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
            privacy_level: form.non_blank_text("privacy_level"),
        }
    }

    pub(super) fn parse(self) -> Result<Draft, ValidationError> {
        self.check(FieldValidator::default(), false)
    }

    /// Parses the fields, and reports the errors in `fields` too.
    fn check(
        self,
        mut fields: FieldValidator,
        has_uploaded_image: bool,
    ) -> Result<Draft, ValidationError> {
        let image_url = self.image_url.optional(|raw| parse_image_url(&raw)).map(Option::flatten);
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
        let level = self.privacy_level.optional(|raw| Visibility::from_code(&raw));
        let level = fields.check("privacy_level", level);
        fields.finish(|| {
            let (content, post_type) = content?;
            let visibility = requested_visibility(is_public?, level?);
            Some(Draft {
                title: title?,
                content,
                post_type,
                image_url: image_url?,
                location: location?,
                visibility: visibility.unwrap_or(Visibility::Public),
            })
        })
    }
}

/// Combines the flag and the privacy level that a client sent, if it sent any. Private wins over public.
fn requested_visibility(is_public: Option<bool>, level: Option<Visibility>) -> Option<Visibility> {
    let flag = is_public.map(Visibility::from_is_public);
    if flag == Some(Visibility::Private) { flag } else { level.or(flag) }
}

/// The form that creates a post with an image.
#[derive(ToSchema)]
#[expect(dead_code, reason = "OpenAPI documentation of what `PostForm` reads")]
pub(crate) struct NewPostForm {
    #[schema(max_length = 500, example = "Grateful for the first snow.")]
    content: String,
    /// If absent, it is detected from the content.
    #[schema(nullable = false)]
    post_type: Option<PostTypeCode>,
    #[schema(nullable = false, max_length = 100, example = "Winter")]
    title: Option<String>,
    #[schema(nullable = false, max_length = 100, example = "Porto")]
    location: Option<String>,
    /// Whether other users can see the post. Default: `true`.
    #[schema(nullable = false)]
    is_public: Option<bool>,
    #[schema(nullable = false)]
    privacy_level: Option<PrivacyLevelCode>,
    /// JPEG, PNG or WebP, at most 5,242,880 bytes, 50 megapixels, and 12,000 pixels per side.
    #[schema(nullable = false, value_type = Option<String>, format = Binary)]
    image: Option<Vec<u8>>,
}

/// The fields of [`NewPostForm`].
const FORM_FIELDS: FormFields = FormFields {
    image: "image",
    texts: &["content", "post_type", "title", "location", "is_public", "privacy_level"],
};

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
            let mut form = MultipartForm::read(request, payload, &FORM_FIELDS).await?;
            let new = NewPost::from_form(&mut form);
            let draft = new.check(form.validator, form.image.is_some())?;
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
    #[schema(value_type = Option<PostTypeCode>, nullable = false)]
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
    #[serde(default)]
    #[schema(value_type = Option<PrivacyLevelCode>, nullable = false)]
    privacy_level: Field<String>,
}

impl PostPatch {
    pub(super) fn parse(self) -> Result<PostEdit, ValidationError> {
        let mut fields = FieldValidator::default();
        let content = fields.check("content", self.content.non_null(as_is));
        let post_type =
            fields.check("post_type", self.post_type.non_null(|raw| PostType::from_code(&raw)));
        let title = fields.check("title", self.title.clearable(|raw| Title::parse(&raw)));
        let image_url =
            fields.check("image_url", self.image_url.clearable(|raw| parse_image_url(&raw)));
        let location =
            fields.check("location", self.location.clearable(|raw| LocationName::parse(&raw)));
        let is_public = fields.check("is_public", self.is_public.non_null(as_is));
        let level = self.privacy_level.non_null(|raw| Visibility::from_code(&raw));
        let level = fields.check("privacy_level", level);
        fields.finish(|| {
            Some(PostEdit {
                content: content?,
                title: title?,
                post_type: post_type?,
                image_url: image_url?,
                location: location?,
                visibility: requested_visibility(is_public?, level?),
            })
        })
    }
}
