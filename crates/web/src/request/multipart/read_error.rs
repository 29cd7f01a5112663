//! Errors of forms that cannot be read.

use actix_multipart::MultipartError;
use actix_web::error::PayloadError;
use grateful_application::Upload;
use grateful_domain::ValidationError;

use crate::WebConfig;
use crate::error::ApiError;

/// Converts an error of the multipart library. Its messages are not for users, so each error has one of our own.
pub(super) fn read_error(error: &MultipartError) -> ApiError {
    let reason = match error {
        MultipartError::Payload(PayloadError::Overflow) => return text_too_large(),
        MultipartError::Payload(_) => "is incomplete",
        MultipartError::Incomplete => {
            "is incomplete: the closing boundary is missing, or its lines do not end with CRLF"
        }
        MultipartError::BoundaryMissing => "has a malformed boundary line",
        MultipartError::ContentDispositionMissing
        | MultipartError::ContentDispositionNameMissing => "has a part without a name",
        MultipartError::Nested => "has a part with parts of its own, which are not supported",
        MultipartError::Parse(_) => "has a part with malformed headers",
        MultipartError::ContentTypeMissing
        | MultipartError::ContentTypeParse
        | MultipartError::ContentTypeIncompatible => return unsupported_type(),
        // Only extractors that this server does not use have the other errors.
        _ => "is not valid multipart/form-data",
    };
    ValidationError::field("body", reason).into()
}

/// The error of a form whose image is too large.
pub(super) fn image_too_large() -> ApiError {
    ApiError::BodyTooLarge(Upload::MAX_BYTES)
}

/// The error of a form with too many bytes outside its image.
pub(super) fn text_too_large() -> ApiError {
    ApiError::BodyTooLarge(WebConfig::MAX_BODY_BYTES)
}

/// The error of a body that is not a form.
pub(super) fn unsupported_type() -> ApiError {
    ApiError::UnsupportedMediaType(&["multipart/form-data"])
}

#[cfg(test)]
mod tests {
    use actix_web::ResponseError as _;
    use actix_web::error::ParseError;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::no_type(MultipartError::ContentTypeMissing, 415)]
    #[case::malformed_type(MultipartError::ContentTypeParse, 415)]
    #[case::other_type(MultipartError::ContentTypeIncompatible, 415)]
    #[case::boundary(MultipartError::BoundaryMissing, 422)]
    #[case::no_disposition(MultipartError::ContentDispositionMissing, 422)]
    #[case::no_name(MultipartError::ContentDispositionNameMissing, 422)]
    #[case::nested(MultipartError::Nested, 422)]
    #[case::incomplete(MultipartError::Incomplete, 422)]
    #[case::headers(MultipartError::Parse(ParseError::Header), 422)]
    #[case::interrupted(MultipartError::Payload(PayloadError::Incomplete(None)), 422)]
    #[case::chunks(MultipartError::Payload(PayloadError::EncodingCorrupted), 422)]
    #[case::too_long(MultipartError::Payload(PayloadError::Overflow), 413)]
    #[case::not_consumed(MultipartError::NotConsumed, 422)]
    #[case::duplicate(MultipartError::DuplicateField("a".into()), 422)]
    #[case::missing(MultipartError::MissingField("a".into()), 422)]
    #[case::unknown(MultipartError::UnknownField("a".into()), 422)]
    fn no_error_repeats_the_message_of_the_library(
        #[case] error: MultipartError,
        #[case] status: u16,
    ) {
        let message = error.to_string();

        let error = read_error(&error);

        assert_eq!(error.status_code().as_u16(), status, "{message}");
        assert!(!error.to_string().contains(&message), "{message}");
    }
}
