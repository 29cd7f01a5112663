//! `/users/me/profile/photo`: the profile photo.

use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use grateful_application::image_files::{PhotoSize, photo_url};
use grateful_application::{App, Focus, IdempotentRequest, Upload, photos};
use grateful_domain::{Colour, ProfilePhoto, UserId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::request::{FormFields, MultipartForm, SignedIn};
use crate::response::{Envelope, JsonResponse, Problem, RecordedJson, stored_body};

/// The form that uploads a photo.
#[derive(ToSchema)]
#[schema(as = NewPhotoForm)]
pub(crate) struct PhotoForm {
    /// JPEG, PNG or WebP, at most 5,242,880 bytes, 50 megapixels, and 12,000 pixels per side.
    #[schema(rename = "file", value_type = String, format = Binary)]
    image: Upload,
    /// The point of the image that matters most, as fractions of the width and the height: `0.5,0.3`. If absent, it is
    /// detected.
    #[schema(value_type = Option<String>, nullable = false, example = "0.5,0.3")]
    focus: Option<Focus>,
    #[schema(ignore)]
    idempotency: Option<IdempotentRequest>,
}

/// The fields of [`PhotoForm`].
const FORM_FIELDS: FormFields = FormFields { image: "file", texts: &["focus"] };

impl FromRequest for PhotoForm {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(
            async move { Self::parse(MultipartForm::read(request, payload, &FORM_FIELDS).await?) },
        )
    }
}

impl PhotoForm {
    fn parse(mut form: MultipartForm) -> Result<Self, ApiError> {
        let focus = form.non_blank_text("focus").optional(|raw| parse_focus(&raw));
        let mut fields = form.validator;
        let focus = fields.check("focus", focus);
        let image = fields.check("file", form.image.ok_or("is required"));
        let idempotency = form.idempotency;
        Ok(fields.finish(|| Some(Self { image: image?, focus: focus?, idempotency }))?)
    }
}

fn parse_focus(raw: &str) -> Result<Focus, &'static str> {
    let parts = raw
        .split_once(',')
        .and_then(|(x, y)| Some((x.trim().parse().ok()?, y.trim().parse().ok()?)));
    let focus = parts.and_then(|(x, y)| Focus::new(x, y));
    focus.ok_or("must be two numbers from 0 to 1, such as 0.5,0.3")
}

/// A new profile photo.
#[derive(Serialize, ToSchema)]
pub(crate) struct PhotoView {
    /// The common prefix of the file names.
    filename: String,
    /// The URL of the medium size.
    profile_image_url: String,
    urls: PhotoUrlsView,
    /// Always true.
    success: bool,
}

/// The URL of each size of a photo.
#[derive(Serialize, ToSchema)]
pub(crate) struct PhotoUrlsView {
    /// 64 × 64 pixels.
    thumbnail: String,
    /// 128 × 128 pixels.
    small: String,
    /// 256 × 256 pixels.
    medium: String,
    /// 512 × 512 pixels.
    large: String,
}

/// The result of deleting a photo.
#[derive(Serialize, ToSchema)]
pub(crate) struct DeletedPhotoView {
    /// Always true.
    deleted: bool,
}

/// The default avatar of a user.
#[derive(Serialize, ToSchema)]
pub(crate) struct DefaultAvatarView {
    #[schema(example = "/api/avatar/1?color=A855F7")]
    avatar_url: String,
}

/// Uploads the profile photo of the caller. Replaces an earlier one.
#[utoipa::path(
    post,
    path = "/users/me/profile/photo",
    tag = "photos",
    request_body(content = PhotoForm, content_type = "multipart/form-data"),
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes retries of the request safe")),
    responses(
        (status = 200, body = Envelope<PhotoView>, description = "The new photo"),
        (status = 409, body = Problem),
        (status = 413, body = Problem),
        (status = 415, body = Problem),
        (status = 422, body = Problem),
        (status = 503, body = Problem),
    ),
)]
pub(crate) async fn upload_photo(
    app: Data<App>,
    me: SignedIn,
    PhotoForm { image, focus, idempotency }: PhotoForm,
) -> Result<RecordedJson, ApiError> {
    let record = |photo: &ProfilePhoto| stored_body(&PhotoView::from(photo));
    let recorded = photos::upload(&app, me.user(), image, focus, idempotency, record).await?;
    Ok(JsonResponse::recorded(recorded).in_envelope())
}

/// Deletes the profile photo of the caller.
#[utoipa::path(
    delete,
    path = "/users/me/profile/photo",
    tag = "photos",
    responses(
        (status = 200, body = Envelope<DeletedPhotoView>, description = "The photo is deleted"),
        (status = 404, body = Problem, description = "The caller has no photo"),
    ),
)]
pub(crate) async fn delete_photo(
    app: Data<App>,
    me: SignedIn,
) -> Result<JsonResponse<DeletedPhotoView>, ApiError> {
    photos::delete(&app, me.user()).await?;
    Ok(JsonResponse::enveloped(DeletedPhotoView { deleted: true }))
}

/// Returns the URL of the caller's default avatar.
#[utoipa::path(
    get,
    path = "/users/me/profile/photo/default",
    tag = "photos",
    responses(
        (status = 200, body = Envelope<DefaultAvatarView>, description = "The URL of the default avatar of the caller"),
    ),
)]
pub(crate) async fn get_default_avatar_url(me: SignedIn) -> JsonResponse<DefaultAvatarView> {
    JsonResponse::enveloped(DefaultAvatarView { avatar_url: avatar_url(me.user()) })
}

fn avatar_url(user: UserId) -> String {
    format!("/api/avatar/{user}?color={}", Colour::for_user(user))
}

impl From<&ProfilePhoto> for PhotoView {
    fn from(photo: &ProfilePhoto) -> Self {
        let url = |size| photo_url(photo, size);
        Self {
            filename: photo.as_str().to_owned(),
            profile_image_url: url(PhotoSize::Medium),
            urls: PhotoUrlsView {
                thumbnail: url(PhotoSize::Thumbnail),
                small: url(PhotoSize::Small),
                medium: url(PhotoSize::Medium),
                large: url(PhotoSize::Large),
            },
            success: true,
        }
    }
}
