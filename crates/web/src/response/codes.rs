//! The closed sets of the API as string enums, from the lists of the domain.

use std::borrow::Cow;

use grateful_domain::{
    Emoji, FollowState, NotificationType, PostType, ShareMethod, Slot, Visibility, closed_enum,
};
use serde_json::Value;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::{RefOr, schema};
use utoipa::{PartialSchema, ToSchema};

closed_enum! {
    /// The type of a problem.
    pub(crate) enum ProblemCode {
        BusinessLogic = "business_logic_error",
        Authentication = "authentication_error",
        PermissionDenied = "permission_denied",
        NotFound = "not_found",
        MethodNotAllowed = "method_not_allowed",
        RequestTimeout = "request_timeout",
        AlreadyExists = "already_exists",
        Conflict = "conflict",
        PreconditionFailed = "precondition_failed",
        PayloadTooLarge = "payload_too_large",
        UriTooLong = "uri_too_long",
        UnsupportedMediaType = "unsupported_media_type",
        RangeNotSatisfiable = "range_not_satisfiable",
        Validation = "validation_error",
        RateLimitExceeded = "rate_limit_exceeded",
        HeadersTooLarge = "headers_too_large",
        Internal = "internal_error",
        Unavailable = "unavailable",
    }
}

/// Declares schemas of strings that are one of the listed codes.
macro_rules! code_schemas {
    ($($(#[doc = $doc:literal])+ $type:ident as $name:literal: $codes:expr;)+) => {$(
        $(#[doc = $doc])+
        pub(crate) enum $type {}

        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                string_enum(concat!($($doc),+).trim(), $codes).into()
            }
        }

        impl ToSchema for $type {
            fn name() -> Cow<'static, str> {
                $name.into()
            }
        }
    )+};
}

code_schemas! {
    /// The type of a post.
    PostTypeCode as "PostType": PostType::CODES.into_iter();
    /// Who can see a post. `private` wins over `is_public`.
    PrivacyLevelCode as "PrivacyLevel": Visibility::CODES.into_iter();
    /// The code of an emoji.
    EmojiCode as "EmojiCode": Emoji::CODES.into_iter();
    /// What a reaction is to.
    ReactionObjectCode as "ReactionObject": ["post"].into_iter();
    /// The type of a notification. `post_interaction` is a batch of hearts and reactions on one post.
    NotificationTypeCode as "NotificationType": NotificationType::CODES.into_iter();
    /// The state of a follow.
    FollowStateCode as "FollowState": FollowState::ALL.into_iter().filter_map(FollowState::code);
    /// How a post is shared: as a link, or as a message to other users.
    ShareMethodCode as "ShareMethod": ShareMethod::CODES.into_iter();
    /// Why a post is at its position of the feed: for its score, or because it is new.
    SlotCode as "Slot": Slot::CODES.into_iter();
    /// The type of a problem.
    ErrorCode as "ErrorCode": ProblemCode::CODES.into_iter();
}

fn string_enum(
    description: &str,
    codes: impl Iterator<Item = &'static str>,
) -> schema::ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::String))
        .description(Some(description))
        .enum_values(Some(codes.map(Value::from)))
}
