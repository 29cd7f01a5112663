//! `/api/avatar`: default avatars of users without a photo.

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, ETAG};
use actix_web::web::Data;
use grateful_application::{App, photos};
use grateful_domain::{Colour, ValidationError};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::error::ApiError;
use crate::request::{Field, IfNoneMatch, QueryParameters, UserPath};
use crate::response::{CROSS_ORIGIN, Problem, content_etag};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AvatarParams {
    /// Six hexadecimal digits. Default: the user's own colour
    #[serde(default)]
    #[param(value_type = Option<String>)]
    color: Field<String>,
}

/// Returns the default avatar of a user as SVG: the user's initials on a colour.
#[utoipa::path(
    get,
    path = "/api/avatar/{id}",
    tag = "avatars",
    params(
        ("id" = i64, Path, description = "User id"),
        AvatarParams,
        ("If-None-Match" = Option<String>, Header, description = "Entity tags of the copies that the client has. If one is current, the response is 304"),
    ),
    responses(
        (status = 200, content_type = "image/svg+xml", body = String, description = "The avatar as SVG"),
        (status = 304, description = "The copy of the client is current"),
        (status = 404, body = Problem),
    ),
)]
pub(crate) async fn get_default_avatar(
    app: Data<App>,
    UserPath(user): UserPath,
    QueryParameters(AvatarParams { color }): QueryParameters<AvatarParams>,
    if_none_match: IfNoneMatch,
) -> Result<HttpResponse, ApiError> {
    let colour = color.optional(|raw| Colour::parse(&raw));
    let colour = colour.map_err(|reason| ValidationError::field("color", reason))?;
    let colour = colour.unwrap_or_else(|| Colour::for_user(user));
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

/// Escapes everything but letters and digits as a character reference, which is valid in text and in attributes. Drops
/// characters that XML forbids even as references (Extensible Markup Language 1.0, section 2.2).
fn escaped(character: char) -> String {
    match character {
        '\0'..'\t' | '\u{b}' | '\u{c}' | '\u{e}'..' ' | '\u{fffe}' | '\u{ffff}' => String::new(),
        _ if character.is_alphanumeric() => character.to_string(),
        _ => format!("&#{};", u32::from(character)),
    }
}

#[cfg(test)]
mod tests {
    use grateful_domain::{Author, DisplayName, Username};
    use proptest::prelude::*;
    use roxmltree::Document;
    use rstest::rstest;

    use super::*;

    /// Requires that the avatar is well-formed, says the initials twice, and is one rectangle with one text.
    fn assert_well_formed(initials: &str) {
        let svg = svg(initials, Colour::parse("7C3AED").unwrap());
        let document = Document::parse(&svg).unwrap_or_else(|error| panic!("{error}: {svg}"));
        let root = document.root_element();
        let tags: Vec<_> = root.descendants().map(|node| node.tag_name().name()).collect();
        assert_eq!(tags, ["svg", "rect", "text", ""], "{svg}");
        let text = root.children().find_map(|node| node.text());
        assert_eq!(root.attribute("aria-label"), text, "{svg}");
    }

    fn initials_of(display_name: &str) -> String {
        let author = Author {
            id: 1.into(),
            username: Username::parse("ana").unwrap(),
            display_name: Some(DisplayName::from_stored(display_name.to_owned())),
            profile_image_url: None,
        };
        author.initials()
    }

    #[rstest]
    #[case::markup("<script>alert(1)</script>")]
    #[case::signs("& < > ' \" ]]>")]
    #[case::an_entity("&lt; &#0;")]
    #[case::leading_combining_marks("\u{301}\u{302} \u{301}")]
    #[case::hundreds_of_marks(&format!("z{0} y{0}", "\u{301}".repeat(48)))]
    #[case::a_family("👩\u{200d}👩\u{200d}👧\u{200d}👧 👨🏽\u{200d}🚀")]
    #[case::a_keycap("#\u{fe0f}\u{20e3}")]
    #[case::right_to_left("\u{202e}دوود كهن")]
    #[case::fillers("\u{3164}\u{2800} \u{ffa0}")]
    #[case::controls("\0\u{1b}\u{7f}\u{85}")]
    #[case::noncharacters("\u{fffe} \u{ffff}\u{fdd0}")]
    #[case::line_separators("\u{2028}\u{2029}")]
    #[case::nothing("")]
    fn the_avatar_of_a_hostile_name_is_well_formed(#[case] display_name: &str) {
        assert_well_formed(&initials_of(display_name));
    }

    #[test]
    fn no_character_makes_an_avatar_malformed() {
        let characters: Vec<char> = ('\0'..=char::MAX).collect();
        for part in characters.chunks(4096) {
            assert_well_formed(&part.iter().collect::<String>());
        }
    }

    proptest! {
        #[test]
        fn the_avatar_of_any_name_is_well_formed(display_name: String) {
            assert_well_formed(&initials_of(&display_name));
        }
    }

    #[test]
    fn a_name_cannot_inject_markup_into_its_avatar() {
        for character in ['<', '>', '&', '"', '\'', '💜'] {
            let svg = svg(&character.to_string(), Colour::parse("7C3AED").unwrap());
            assert_eq!(svg.matches('<').count(), 5, "{svg}");
            assert!(svg.contains(&format!(">&#{};<", u32::from(character))), "{svg}");
        }
    }
}
