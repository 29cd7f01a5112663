//! The headers of a part of a form.

use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderMap};
use grateful_domain::ValidationError;

use super::parameters::Parameters;

/// What the headers of a part say about it (RFC 7578).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PartHead {
    /// The name of the field. Bytes that are not UTF-8 are replaced.
    pub(super) name: String,
    /// Whether the part is a file: it has a file name or the type of an image.
    pub(super) is_file: bool,
    /// Whether the content is encoded, for example as base64.
    pub(super) is_encoded: bool,
}

impl PartHead {
    /// Reads the headers of a part.
    ///
    /// The multipart library refuses a part with a file name that is not UTF-8, which the server does not use.
    pub(super) fn parse(headers: &HeaderMap) -> Result<Self, ValidationError> {
        let text = |name: &str| {
            let value = headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()));
            value.unwrap_or_default()
        };
        let disposition = text(CONTENT_DISPOSITION.as_str());
        let kind = disposition.split(';').next().unwrap_or_default();
        let name = Parameters::of(&disposition).find("name");
        let name = name.filter(|_| kind.trim().eq_ignore_ascii_case("form-data"));
        let has_file_name =
            Parameters::of(&disposition).any(|(parameter, _)| is_file_name(parameter));
        let content_type = text(CONTENT_TYPE.as_str()).trim().to_ascii_lowercase();
        Ok(Self {
            name: name
                .ok_or_else(|| ValidationError::field("body", "has a part without a name"))?,
            is_file: has_file_name || content_type.starts_with("image/"),
            is_encoded: is_encoded(&text("content-transfer-encoding")),
        })
    }
}

fn is_file_name(parameter: &str) -> bool {
    parameter.eq_ignore_ascii_case("filename") || parameter.eq_ignore_ascii_case("filename*")
}

/// RFC 7578 deprecates `Content-Transfer-Encoding`, but some clients send the values that mean no encoding.
fn is_encoded(encoding: &str) -> bool {
    let plain = ["", "7bit", "8bit", "binary"];
    !plain.iter().any(|plain| encoding.trim().eq_ignore_ascii_case(plain))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};
    use rstest::rstest;

    use super::*;

    fn parse(headers: &[(&str, &[u8])]) -> Option<PartHead> {
        let headers = headers.iter().map(|(name, value)| {
            let value = HeaderValue::from_bytes(value).unwrap_or_else(|error| panic!("{error}"));
            (
                HeaderName::from_bytes(name.as_bytes()).unwrap_or_else(|error| panic!("{error}")),
                value,
            )
        });
        PartHead::parse(&headers.collect()).ok()
    }

    fn parse_disposition(value: &[u8]) -> Option<PartHead> {
        parse(&[("Content-Disposition", value)])
    }

    #[rstest]
    #[case::shift_jis(b"form-data; name=\"image\"; filename=\"\x95\x5c.png\"")]
    #[case::shift_jis_quote(b"form-data; name=\"image\"; filename=\"\x95\x5c\"")]
    #[case::latin_1(b"form-data; name=\"image\"; filename=\"caf\xe9.png\"")]
    #[case::latin_1_without_quotes(b"form-data; name=image; filename=caf\xe9.png")]
    #[case::before_the_name(b"form-data; filename=\"\xff\xfe\"; name=\"image\"")]
    #[case::malformed_extended(b"form-data; name=\"image\"; filename*=x")]
    #[case::latin_1_extended(b"form-data; name=\"image\"; filename*=ISO-8859-1''caf%E9.png")]
    #[case::empty(b"form-data; name=\"image\"; filename=")]
    #[case::type_in_capitals(b"Form-Data; Name=\"image\"; FileName=\"a.png\"")]
    fn an_unreadable_file_name_is_a_file_name(#[case] disposition: &[u8]) {
        let head = PartHead { name: "image".into(), is_file: true, is_encoded: false };
        assert_eq!(parse_disposition(disposition), Some(head));
    }

    #[test]
    fn a_part_without_a_name_is_refused() {
        for disposition in [
            &b"form-data"[..],
            b"form-data; filename=\"a.png\"",
            b"form-data; name*=UTF-8''image",
            b"attachment; name=\"image\"",
            b"",
        ] {
            assert_eq!(parse_disposition(disposition), None);
        }
        assert_eq!(parse(&[("Content-Type", b"image/png")]), None);
    }

    #[test]
    fn a_part_with_the_type_of_an_image_is_a_file() {
        for (content_type, is_file) in
            [("image/png", true), (" IMAGE/webp; q=1", true), ("text/plain", false), ("", false)]
        {
            let disposition = ("Content-Disposition", &b"form-data; name=\"a\""[..]);
            let head = parse(&[disposition, ("Content-Type", content_type.as_bytes())]);
            assert_eq!(head.map(|head| head.is_file), Some(is_file), "{content_type}");
        }
    }

    #[test]
    fn a_transfer_encoding_is_recognised() {
        for (encoding, is_encoded) in
            [("7bit", false), ("8BIT", false), ("Binary", false), ("base64", true), ("x", true)]
        {
            let disposition = ("Content-Disposition", &b"form-data; name=\"a\""[..]);
            let head = parse(&[disposition, ("Content-Transfer-Encoding", encoding.as_bytes())]);
            assert_eq!(head.map(|head| head.is_encoded), Some(is_encoded), "{encoding}");
        }
    }
}
