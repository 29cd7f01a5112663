//! The events of the notification stream, for the OpenAPI document.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::routes::notifications::NotificationView;

/// One event of the notification stream, by its fields: `event` and `id` as text, `data` as JSON.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[expect(
    dead_code,
    clippy::large_enum_variant,
    reason = "OpenAPI documentation of what `serialize_event` writes"
)]
pub(crate) enum NotificationStreamEvent {
    Changed(NotificationEvent),
    Removed(RemovedEvent),
    Reset(ResetEvent),
}

/// A notification is new in the list, or has changed.
#[derive(Serialize, ToSchema)]
pub(crate) struct NotificationEvent {
    #[schema(inline)]
    event: NotificationEventName,
    /// The id to send as `Last-Event-ID`.
    id: i64,
    data: NotificationView,
}

/// A notification left the list: it was deleted, or is a child of a batch from now on.
#[derive(Serialize, ToSchema)]
pub(crate) struct RemovedEvent {
    #[schema(inline)]
    event: RemovedEventName,
    /// The id to send as `Last-Event-ID`.
    id: i64,
    data: RemovedNotificationView,
}

/// The client was away for more than 24 hours and must load the list again.
#[derive(Serialize, ToSchema)]
pub(crate) struct ResetEvent {
    #[schema(inline)]
    event: ResetEventName,
    /// The id to send as `Last-Event-ID`.
    id: i64,
    /// Empty.
    #[schema(value_type = Object)]
    data: (),
}

/// A notification that left the list.
#[derive(Serialize, ToSchema)]
pub(crate) struct RemovedNotificationView {
    pub(crate) id: Uuid,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "OpenAPI documentation of what `serialize_event` writes")]
enum NotificationEventName {
    Notification,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "OpenAPI documentation of what `serialize_event` writes")]
enum RemovedEventName {
    Removed,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "OpenAPI documentation of what `serialize_event` writes")]
enum ResetEventName {
    Reset,
}
