//! The `Content-Type` of a form.

use actix_web::http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use grateful_domain::ValidationError;

use super::parameters::Parameters;
use super::read_error::unsupported_type;
use crate::error::ApiError;

/// Returns the boundary of a form. Rejects a body that is not a form.
pub(super) fn boundary_of(headers: &HeaderMap) -> Result<String, ApiError> {
    let content_type = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let content_type = String::from_utf8_lossy(content_type.unwrap_or_default());
    let essence = content_type.split(';').next().unwrap_or_default();
    if !essence.trim().eq_ignore_ascii_case("multipart/form-data") {
        return Err(unsupported_type());
    }
    let boundary = Parameters::of(&content_type).find("boundary");
    let boundary = boundary.filter(|boundary| is_boundary(boundary.as_bytes()));
    let reason = "needs a boundary of 1 to 70 letters, digits or punctuation in its Content-Type";
    Ok(boundary.ok_or_else(|| ValidationError::field("body", reason))?)
}

/// Whether RFC 2046 §5.1.1 allows this boundary.
fn is_boundary(boundary: &[u8]) -> bool {
    let is_allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(byte);
    (1..=70).contains(&boundary.len())
        && !boundary.ends_with(b" ")
        && boundary.iter().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use actix_web::ResponseError as _;
    use rstest::rstest;

    use super::*;

    fn boundary(content_type: &[u8]) -> Result<String, u16> {
        let mut headers = HeaderMap::new();
        let value = HeaderValue::from_bytes(content_type).unwrap_or_else(|error| panic!("{error}"));
        headers.insert(CONTENT_TYPE, value);
        boundary_of(&headers).map_err(|error| error.status_code().as_u16())
    }

    #[rstest]
    #[case::token(
        "multipart/form-data; boundary=----WebKitFormBoundaryAb1",
        "----WebKitFormBoundaryAb1"
    )]
    #[case::quoted("multipart/form-data; boundary=\"a b\"", "a b")]
    #[case::java("multipart/form-data; boundary=----=_Part_0_1.2", "----=_Part_0_1.2")]
    #[case::quoted_java("multipart/form-data; boundary=\"----=_Part_0_1.2\"", "----=_Part_0_1.2")]
    #[case::case("MultiPart/Form-Data;charset=utf-8;BOUNDARY=Ab", "Ab")]
    fn the_boundary_is_read(#[case] content_type: &str, #[case] expected: &str) {
        assert_eq!(boundary(content_type.as_bytes()), Ok(expected.to_owned()));
    }

    #[test]
    fn a_boundary_has_1_to_70_characters() {
        for (length, is_valid) in [(0, false), (1, true), (70, true), (71, false)] {
            let content_type = format!("multipart/form-data; boundary={}", "x".repeat(length));
            assert_eq!(boundary(content_type.as_bytes()).is_ok(), is_valid, "{length}");
        }
    }

    #[rstest]
    #[case::none(b"multipart/form-data", 422)]
    #[case::empty(b"multipart/form-data; boundary=", 422)]
    #[case::quoted_empty(b"multipart/form-data; boundary=\"\"", 422)]
    #[case::space_at_the_end(b"multipart/form-data; boundary=\"a \"", 422)]
    #[case::quote(b"multipart/form-data; boundary=\"a\\\"b\"", 422)]
    #[case::not_ascii(b"multipart/form-data; boundary=a\xe9", 422)]
    #[case::mixed(b"multipart/mixed; boundary=a", 415)]
    #[case::longer_type(b"multipart/form-datax; boundary=a", 415)]
    #[case::nothing(b"", 415)]
    fn a_type_without_a_usable_boundary_is_refused(
        #[case] content_type: &[u8],
        #[case] status: u16,
    ) {
        assert_eq!(boundary(content_type), Err(status));
    }
}
