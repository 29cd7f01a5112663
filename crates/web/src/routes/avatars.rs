//! `/api/avatar`: default avatars of users without a photo.

use actix_web::http::header::{CACHE_CONTROL, ETAG};
use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use grateful_application::{App, photos};
use grateful_domain::Colour;

use crate::error::ApiError;
use crate::request::{IfNoneMatch, QueryParameters, UserPath};
use crate::response::{CROSS_ORIGIN, Problem, content_etag};

/// Returns the default avatar of a user as SVG: the user's initials on a colour.
#[utoipa::path(
    tag = "avatars",
    params(
        ("id" = i64, Path, description = "User id"),
        ("color" = Option<String>, Query, description = "Six hexadecimal digits. Default: the user's own colour"),
        ("If-None-Match" = Option<String>, Header, description = "Entity tags of the copies that the client has. If one is current, the response is 304"),
    ),
    responses(
        (status = 200, content_type = "image/svg+xml", body = String, description = "The avatar as SVG"),
        (status = 304, description = "The copy of the client is current"),
        (status = 404, body = Problem),
    ),
)]
#[get("/api/avatar/{id}")]
pub(crate) async fn get_default_avatar(
    app: Data<App>,
    UserPath(user): UserPath,
    parameters: QueryParameters,
    if_none_match: IfNoneMatch,
) -> Result<HttpResponse, ApiError> {
    let colour =
        parameters.optional("color", Colour::parse)?.unwrap_or_else(|| Colour::for_user(user));
    let author = photos::find_default_avatar_user(&app, user).await?;
    Ok(svg_response(svg(&author.initials(), colour), &if_none_match))
}

/// Builds the response. Caches may keep it for only an hour, since names change.
fn svg_response(svg: String, if_none_match: &IfNoneMatch) -> HttpResponse {
    let tag = content_etag(svg.as_bytes());
    let is_current = if_none_match.matches(&tag);
    let mut response = if is_current { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response
        .insert_header((ETAG, tag))
        .insert_header((CACHE_CONTROL, "public, max-age=3600"))
        .insert_header(CROSS_ORIGIN);
    if is_current { response.finish() } else { response.content_type("image/svg+xml").body(svg) }
}

fn svg(initials: &str, colour: Colour) -> String {
    let text_colour = colour.text_colour();
    let initials: String = initials.chars().map(escaped).collect();
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"256\" height=\"256\" viewBox=\"0 0 256 256\" role=\"img\" \
         aria-label=\"{initials}\"><rect width=\"256\" height=\"256\" fill=\"#{colour}\"/><text x=\"128\" y=\"128\" \
         fill=\"#{text_colour}\" font-family=\"system-ui, sans-serif\" font-size=\"104\" text-anchor=\"middle\" \
         dominant-baseline=\"central\">{initials}</text></svg>"
    )
}

/// Escapes everything but letters and digits as a character reference, which is valid in text and in attributes.
fn escaped(character: char) -> String {
    if character.is_alphanumeric() {
        character.to_string()
    } else {
        format!("&#{};", u32::from(character))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_inject_markup_into_its_avatar() {
        for character in ['<', '>', '&', '"', '\'', '💜'] {
            let svg = svg(&character.to_string(), Colour::parse("7C3AED").unwrap());
            assert_eq!(svg.matches('<').count(), 5, "{svg}");
            assert!(svg.contains(&format!(">&#{};<", u32::from(character))), "{svg}");
        }
    }
}
