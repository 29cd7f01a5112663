//! `/api/avatar`: what stands for people who have no photo.

use actix_web::http::header::{CACHE_CONTROL, ETAG, EntityTag};
use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use grateful_application::{App, photos};
use grateful_domain::Colour;
use sha2::{Digest, Sha256};

use crate::error::ApiError;
use crate::request::{IfNoneMatch, QueryParameters, UserPath};
use crate::response::{CROSS_ORIGIN, Problem};

/// The initials of somebody on a colour.
#[utoipa::path(
    tag = "avatars",
    params(
        ("id" = i64, Path, description = "User id"),
        ("color" = Option<String>, Query, description = "Six hexadecimal digits; their own colour where it is absent"),
        ("If-None-Match" = Option<String>, Header, description = "The states that are known already"),
    ),
    responses(
        (status = 200, content_type = "image/svg+xml", body = String),
        (status = 304),
        (status = 404, body = Problem),
    ),
)]
#[get("/api/avatar/{id}")]
pub(crate) async fn get_avatar(
    app: Data<App>,
    UserPath(user): UserPath,
    parameters: QueryParameters,
    known: IfNoneMatch,
) -> Result<HttpResponse, ApiError> {
    let colour =
        parameters.optional("color", Colour::parse)?.unwrap_or_else(|| Colour::for_user(user));
    let author = photos::find_default_avatar_user(&app, user).await?;
    Ok(answer(svg(&author.initials(), colour), &known))
}

/// Names change, so that a copy is good for an hour and then asked for again.
fn answer(svg: String, known: &IfNoneMatch) -> HttpResponse {
    let digest = Sha256::digest(&svg);
    let beginning = digest.first_chunk().copied().unwrap_or_default();
    let tag = EntityTag::new_strong(format!("{:032x}", u128::from_be_bytes(beginning)));
    let is_known = known.has(&tag);
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response
        .insert_header((ETAG, tag))
        .insert_header((CACHE_CONTROL, "public, max-age=3600"))
        .insert_header(CROSS_ORIGIN);
    if is_known { response.finish() } else { response.content_type("image/svg+xml").body(svg) }
}

fn svg(initials: &str, colour: Colour) -> String {
    let ink = colour.text_colour();
    let initials: String = initials.chars().map(escaped).collect();
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"256\" height=\"256\" viewBox=\"0 0 256 256\" role=\"img\" \
         aria-label=\"{initials}\"><rect width=\"256\" height=\"256\" fill=\"#{colour}\"/><text x=\"128\" y=\"128\" \
         fill=\"#{ink}\" font-family=\"system-ui, sans-serif\" font-size=\"104\" text-anchor=\"middle\" \
         dominant-baseline=\"central\">{initials}</text></svg>"
    )
}

/// As a reference to the character, which is the same in texts and in attributes.
fn escaped(letter: char) -> String {
    if letter.is_alphanumeric() { letter.to_string() } else { format!("&#{};", u32::from(letter)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_break_out_of_its_picture() {
        for sign in ['<', '>', '&', '"', '\'', '💜'] {
            let svg = svg(&sign.to_string(), Colour::parse("7C3AED").unwrap());
            assert_eq!(svg.matches('<').count(), 5, "{svg}");
            assert!(svg.contains(&format!(">&#{};<", u32::from(sign))), "{svg}");
        }
    }
}
