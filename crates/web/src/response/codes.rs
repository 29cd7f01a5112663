//! The closed sets of the API as string enums, from the lists of the domain.

use std::borrow::Cow;

use grateful_domain::{
    Emoji, FollowState, NotificationType, PostType, ShareMethod, Slot, Visibility,
};
use serde_json::Value;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::{RefOr, schema};
use utoipa::{PartialSchema, ToSchema};

/// All codes of problems, by status.
pub(crate) const ERROR_CODES: [&str; 18] = [
    "business_logic_error",
    "authentication_error",
    "permission_denied",
    "not_found",
    "method_not_allowed",
    "request_timeout",
    ALREADY_EXISTS,
    "conflict",
    "precondition_failed",
    "payload_too_large",
    "uri_too_long",
    "unsupported_media_type",
    "range_not_satisfiable",
    "validation_error",
    "rate_limit_exceeded",
    "headers_too_large",
    "internal_error",
    "unavailable",
];

/// The code of a conflict with what exists already.
pub(crate) const ALREADY_EXISTS: &str = "already_exists";

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
    PostTypeCode as "PostType": PostType::ALL.into_iter().map(PostType::code);
    /// Who can see a post. `private` wins over `is_public`.
    PrivacyLevelCode as "PrivacyLevel": Visibility::ALL.into_iter().map(Visibility::privacy_level);
    /// The code of an emoji.
    EmojiCode as "EmojiCode": Emoji::ALL.into_iter().map(Emoji::code);
    /// What a reaction is to.
    ReactionObjectCode as "ReactionObject": ["post"].into_iter();
    /// The type of a notification. `post_interaction` is a batch of hearts and reactions on one post.
    NotificationTypeCode as "NotificationType":
        NotificationType::ALL.into_iter().map(NotificationType::code);
    /// The state of a follow.
    FollowStateCode as "FollowState": FollowState::ALL.into_iter().filter_map(FollowState::code);
    /// How a post is shared: as a link, or as a message to other users.
    ShareMethodCode as "ShareMethod": ShareMethod::ALL.into_iter().map(ShareMethod::code);
    /// Why a post is at its position of the feed: for its score, or because it is new.
    SlotCode as "Slot": Slot::ALL.into_iter().map(Slot::code);
    /// The type of a problem.
    ErrorCode as "ErrorCode": ERROR_CODES.into_iter();
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
