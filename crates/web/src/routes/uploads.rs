//! `/uploads`: image files, without authentication.

use std::io;

use actix_web::body::SizedStream;
use actix_web::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_RANGE, ETAG, EntityTag, Header,
    IF_RANGE, IfRange, RANGE, Range,
};
use actix_web::web::{Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use futures_util::stream;
use grateful_application::App;
use grateful_application::uploads::{self, File};

use crate::error::ApiError;
use crate::request::{IfNoneMatch, IsHead};
use crate::response::CROSS_ORIGIN;

/// Returns a file or a range of it.
pub(crate) async fn get_upload(
    app: Data<App>,
    request: HttpRequest,
    path: Path<String>,
    if_none_match: IfNoneMatch,
    IsHead(is_head): IsHead,
) -> Result<HttpResponse, ApiError> {
    let file = uploads::find(&app, &path).await?;
    let tag = EntityTag::new_strong(tag_value(&file));
    if if_none_match.matches(&tag) {
        return Ok(with_file_headers(HttpResponse::NotModified(), &file, tag).finish());
    }
    let (response, (first, end)) = match requested_range(&request, &tag, file.size)? {
        None => (HttpResponse::Ok(), (0, file.size)),
        Some((first, last)) => {
            let mut partial = HttpResponse::PartialContent();
            partial.insert_header((CONTENT_RANGE, format!("bytes {first}-{last}/{}", file.size)));
            (partial, (first, last + 1))
        }
    };
    let mut response = with_file_headers(response, &file, tag);
    if is_head {
        let nothing = stream::empty::<io::Result<Bytes>>();
        return Ok(response.body(SizedStream::new(end - first, nothing)));
    }
    let bytes = uploads::read(&app, &file, first..end).await?;
    Ok(response.body(SizedStream::new(end - first, bytes)))
}

/// The file's version without the characters that an entity tag cannot have: quotes and control characters.
fn tag_value(file: &File) -> String {
    let is_allowed = |character: &char| character.is_ascii_graphic() && *character != '"';
    file.version.chars().filter(is_allowed).collect()
}

fn with_file_headers(
    mut response: HttpResponseBuilder,
    file: &File,
    tag: EntityTag,
) -> HttpResponseBuilder {
    let cache_control =
        if file.is_immutable { "public, max-age=31536000, immutable" } else { "public, no-cache" };
    response
        .insert_header((ETAG, tag))
        .insert_header((CACHE_CONTROL, cache_control))
        .insert_header((ACCEPT_RANGES, "bytes"))
        .insert_header(CROSS_ORIGIN);
    match file.format {
        Some(format) => response.content_type(format.media_type()),
        // Browsers must not render an unknown format as a page of this server.
        None => response
            .content_type("application/octet-stream")
            .insert_header((CONTENT_DISPOSITION, "attachment")),
    };
    response
}

/// Returns the positions of the first and the last requested byte, or `None` for the whole file. A request for several
/// ranges or a malformed range gets the whole file, as RFC 9110 (14.2) allows.
fn requested_range(
    request: &HttpRequest,
    tag: &EntityTag,
    size: u64,
) -> Result<Option<(u64, u64)>, ApiError> {
    if !request.headers().contains_key(RANGE) || !if_range_matches(request, tag) {
        return Ok(None);
    }
    let Ok(Range::Bytes(ranges)) = Range::parse(request) else { return Ok(None) };
    match ranges.as_slice() {
        [range] => {
            let range = range.to_satisfiable_range(size);
            range.map(Some).ok_or(ApiError::RangeNotSatisfiable(size))
        }
        _ => Ok(None),
    }
}

/// Whether the file is in the state that `If-Range` requires.
fn if_range_matches(request: &HttpRequest, tag: &EntityTag) -> bool {
    match IfRange::parse(request) {
        Ok(IfRange::EntityTag(required)) => required.strong_eq(tag),
        Ok(IfRange::Date(_)) => false,
        Err(_) => !request.headers().contains_key(IF_RANGE),
    }
}
