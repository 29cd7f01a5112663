//! `/uploads`: the files of pictures, for everybody.

use actix_web::body::SizedStream;
use actix_web::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_RANGE, ETAG, EntityTag, Header,
    IF_RANGE, IfRange, RANGE, Range,
};
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, get};
use grateful_application::App;
use grateful_application::uploads::{self, File};

use crate::error::ApiError;
use crate::request::IfNoneMatch;
use crate::response::CROSS_ORIGIN;

/// A file, or a part of it.
#[get("/uploads/{path:.*}")]
pub(crate) async fn get_upload(
    app: Data<App>,
    request: HttpRequest,
    path: Path<String>,
    known: IfNoneMatch,
) -> Result<HttpResponse, ApiError> {
    let file = uploads::find(&app, &path).await?;
    let tag = EntityTag::new_strong(tag_text(&file));
    if known.has(&tag) {
        return Ok(head(HttpResponse::NotModified(), &file, tag).finish());
    }
    let (status, (first, end)) = match wanted(&request, &tag, file.size)? {
        None => (HttpResponse::Ok(), (0, file.size)),
        Some((first, last)) => {
            let mut part = HttpResponse::PartialContent();
            part.insert_header((CONTENT_RANGE, format!("bytes {first}-{last}/{}", file.size)));
            (part, (first, last + 1))
        }
    };
    let bytes = uploads::read(&app, &file, first..end).await?;
    Ok(head(status, &file, tag).body(SizedStream::new(end - first, bytes)))
}

/// Quotes and controls cannot stand in a tag.
fn tag_text(file: &File) -> String {
    file.version.chars().filter(|sign| sign.is_ascii_graphic() && *sign != '"').collect()
}

fn head(mut response: HttpResponseBuilder, file: &File, tag: EntityTag) -> HttpResponseBuilder {
    let caching =
        if file.is_immutable { "public, max-age=31536000, immutable" } else { "public, no-cache" };
    response
        .insert_header((ETAG, tag))
        .insert_header((CACHE_CONTROL, caching))
        .insert_header((ACCEPT_RANGES, "bytes"))
        .insert_header(CROSS_ORIGIN);
    match file.format {
        Some(format) => response.content_type(format.media_type()),
        // Whatever it is, it is not shown as a page of this server.
        None => response
            .content_type("application/octet-stream")
            .insert_header((CONTENT_DISPOSITION, "attachment")),
    };
    response
}

/// The first and the last byte that are wanted; nothing where it is all of them. Several parts at once, and what cannot be
/// read, get the whole file, as RFC 9110 (14.2) allows.
fn wanted(
    request: &HttpRequest,
    tag: &EntityTag,
    size: u64,
) -> Result<Option<(u64, u64)>, ApiError> {
    if !request.headers().contains_key(RANGE) || !is_of_this(request, tag) {
        return Ok(None);
    }
    let Ok(Range::Bytes(parts)) = Range::parse(request) else { return Ok(None) };
    match parts.as_slice() {
        [part] => {
            let wanted = part.to_satisfiable_range(size);
            wanted.map(Some).ok_or(ApiError::RangeNotSatisfiable(size))
        }
        _ => Ok(None),
    }
}

/// Whether a part is wanted of just this state of the file.
fn is_of_this(request: &HttpRequest, tag: &EntityTag) -> bool {
    match IfRange::parse(request) {
        Ok(IfRange::EntityTag(wanted)) => wanted.strong_eq(tag),
        Ok(IfRange::Date(_)) => false,
        Err(_) => !request.headers().contains_key(IF_RANGE),
    }
}
