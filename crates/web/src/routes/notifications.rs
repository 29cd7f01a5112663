//! `/notifications`: the caller's notifications.

mod data_view;
pub(crate) mod stream;
mod stream_events;

use actix_web::web::{Data, Json};
use actix_web::{get, post};
use grateful_application::notifications::{NotificationCounts, NotificationStats, ReadFilter};
use grateful_application::{App, notifications};
use grateful_domain::notification::RenderedNotification;
use grateful_domain::{Author, FieldValidator, ListKey, NotificationType};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use self::data_view::NotificationDataView;
use crate::error::ApiError;
use crate::request::{NotificationPath, PageParams100, QueryParameters, SignedIn};
use crate::response::codes::NotificationTypeCode;
use crate::response::{ListResponse, Problem, Timestamp};

/// A notification.
#[derive(Serialize, ToSchema)]
pub(crate) struct NotificationView {
    id: Uuid,
    #[serde(rename = "type")]
    #[schema(value_type = NotificationTypeCode)]
    kind: &'static str,
    title: String,
    message: String,
    #[schema(value_type = NotificationDataView)]
    data: Map<String, Value>,
    read: bool,
    created_at: Timestamp,
    last_updated_at: Timestamp,
    post_id: Option<Uuid>,
    from_user: ActorView,
    is_batch: bool,
    batch_count: i32,
    parent_id: Option<Uuid>,
    /// The number of different actors.
    actor_count: i32,
    /// Up to eight actors. Only for a batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    actors: Option<Vec<ActorView>>,
}

/// The actor of a notification: the user who caused it.
#[derive(Serialize, ToSchema)]
pub(crate) struct ActorView {
    /// The id as a string.
    id: String,
    name: String,
    username: String,
    image: Option<String>,
}

/// How many top-level notifications the caller has.
#[derive(Serialize, ToSchema)]
pub(crate) struct NotificationSummaryView {
    unread_count: i64,
    total_count: i64,
}

/// Statistics of the caller's notifications.
#[derive(Serialize, ToSchema)]
pub(crate) struct NotificationStatsView {
    user_id: i64,
    #[schema(value_type = Option<NotificationTypeCode>)]
    notification_type: Option<&'static str>,
    last_hour: i64,
    last_day: i64,
    total: i64,
    /// How many more notifications of this type can start within the hour. Null without a type.
    rate_limit_remaining: Option<i32>,
    /// How many notifications the hourly limit has ever held back.
    held_back: i64,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct MarkedReadView {
    success: bool,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct MarkedAllReadView {
    success: bool,
    /// How many top-level notifications were unread.
    marked_count: i64,
}

/// Query parameters of the list of notifications.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "OpenAPI documentation of what `QueryParameters` reads")]
struct NotificationParams {
    /// The maximum number of items.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<u32>,
    /// The number of items to skip.
    #[param(minimum = 0, maximum = 10_000, default = 0)]
    offset: Option<u32>,
    /// The cursor from the `next` link of the previous page.
    cursor: Option<String>,
    /// Whether to list only unread notifications.
    #[param(default = false)]
    unread_only: Option<bool>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "OpenAPI documentation of what `QueryParameters` reads")]
struct NotificationStatsParams {
    /// The notification type. Default: all types.
    notification_type: Option<NotificationTypeCode>,
}

/// Lists the top-level notifications of the caller, newest activity first.
#[utoipa::path(
    tag = "notifications",
    params(NotificationParams),
    responses((status = 200, body = [NotificationView], description = "A page of notifications")),
)]
#[get("/notifications")]
pub(crate) async fn list_notifications(
    app: Data<App>,
    me: SignedIn,
    parameters: QueryParameters,
) -> Result<ListResponse<Vec<NotificationView>>, ApiError> {
    let mut fields = FieldValidator::default();
    let unread_only = parameters.check_flag(&mut fields, "unread_only", false);
    let (filter, list) = match unread_only {
        Some(true) => (ReadFilter::Unread, ListKey::UnreadNotifications),
        Some(false) | None => (ReadFilter::All, ListKey::Notifications),
    };
    let request = parameters.check_page(&mut fields, list);
    let request = fields.finish(|| request)?;
    let page = notifications::list(&app, me.user(), filter, request).await?;
    Ok(ListResponse::bare(page, list))
}

/// Returns how many top-level notifications the caller has, and how many of them are unread.
#[utoipa::path(
    tag = "notifications",
    responses((status = 200, body = NotificationSummaryView, description = "The numbers of notifications")),
)]
#[get("/notifications/summary")]
pub(crate) async fn get_notification_summary(
    app: Data<App>,
    me: SignedIn,
) -> Result<Json<NotificationSummaryView>, ApiError> {
    let NotificationCounts { unread, total } = notifications::count(&app, me.user()).await?;
    Ok(Json(NotificationSummaryView { unread_count: unread, total_count: total }))
}

/// Returns how many notifications the caller received lately. Each event counts, batched or not.
#[utoipa::path(
    tag = "notifications",
    params(NotificationStatsParams),
    responses((status = 200, body = NotificationStatsView, description = "The statistics")),
)]
#[get("/notifications/stats")]
pub(crate) async fn get_notification_stats(
    app: Data<App>,
    me: SignedIn,
    parameters: QueryParameters,
) -> Result<Json<NotificationStatsView>, ApiError> {
    let kind = parameters.optional("notification_type", NotificationType::from_code)?;
    let stats = notifications::get_stats(&app, me.user(), kind).await?;
    let NotificationStats { last_hour, last_day, total, remaining, held_back } = stats;
    Ok(Json(NotificationStatsView {
        user_id: me.user().into(),
        notification_type: kind.map(NotificationType::code),
        last_hour,
        last_day,
        total,
        rate_limit_remaining: remaining,
        held_back,
    }))
}

/// Lists the children of a batch, newest first. The list is empty for a notification that is no batch.
#[utoipa::path(
    tag = "notifications",
    params(("id" = Uuid, Path, description = "Notification id"), PageParams100),
    responses(
        (status = 200, body = [NotificationView], description = "A page of the children of the batch"),
        (status = 404, body = Problem),
    ),
)]
#[get("/notifications/{id}/children")]
pub(crate) async fn list_notification_children(
    app: Data<App>,
    me: SignedIn,
    NotificationPath(batch): NotificationPath,
    parameters: QueryParameters,
) -> Result<ListResponse<Vec<NotificationView>>, ApiError> {
    let request = parameters.page(ListKey::NotificationChildren(batch))?;
    let page = notifications::list_children(&app, me.user(), batch, request).await?;
    Ok(ListResponse::bare(page, ListKey::NotificationChildren(batch)))
}

/// Marks a notification as read: a batch together with its children.
#[utoipa::path(
    tag = "notifications",
    params(("id" = Uuid, Path, description = "Notification id")),
    responses(
        (status = 200, body = MarkedReadView, description = "The notification is read"),
        (status = 404, body = Problem),
    ),
)]
#[post("/notifications/{id}/read")]
pub(crate) async fn mark_notification_read(
    app: Data<App>,
    me: SignedIn,
    NotificationPath(id): NotificationPath,
) -> Result<Json<MarkedReadView>, ApiError> {
    notifications::mark_read(&app, me.user(), id).await?;
    Ok(Json(MarkedReadView { success: true }))
}

/// Marks as read all notifications that exist at the time of the request.
#[utoipa::path(
    tag = "notifications",
    responses((status = 200, body = MarkedAllReadView, description = "All notifications are read")),
)]
#[post("/notifications/read-all")]
pub(crate) async fn mark_all_notifications_read(
    app: Data<App>,
    me: SignedIn,
) -> Result<Json<MarkedAllReadView>, ApiError> {
    let marked_count = notifications::mark_all_read(&app, me.user()).await?;
    Ok(Json(MarkedAllReadView { success: true, marked_count }))
}

impl From<RenderedNotification> for NotificationView {
    fn from(rendered: RenderedNotification) -> Self {
        let RenderedNotification { notification, text, data, actor, actors } = rendered;
        let counts = notification.batch_counts();
        let is_batch = notification.batch.is_some();
        Self {
            id: notification.id.into(),
            kind: notification.kind.code(),
            title: text.title,
            message: text.message,
            data,
            read: notification.read_at.is_some(),
            created_at: notification.created_at.into(),
            last_updated_at: notification.last_updated_at.into(),
            post_id: notification.post.map(Uuid::from),
            from_user: actor.map_or_else(ActorView::unknown, ActorView::from),
            is_batch,
            batch_count: counts.child_count,
            parent_id: notification.parent.map(Uuid::from),
            actor_count: counts.actor_count,
            actors: is_batch.then(|| actors.into_iter().map(ActorView::from).collect()),
        }
    }
}

impl ActorView {
    /// A user whose account is deleted (docs/http-api.md#shapes).
    fn unknown() -> Self {
        Self {
            id: RenderedNotification::UNKNOWN_USER_ID.to_owned(),
            name: RenderedNotification::UNKNOWN_USER_NAME.to_owned(),
            username: RenderedNotification::UNKNOWN_USERNAME.to_owned(),
            image: None,
        }
    }
}

impl From<Author> for ActorView {
    fn from(author: Author) -> Self {
        Self {
            id: author.id.to_string(),
            name: author.name().to_owned(),
            username: author.username.into(),
            image: author.profile_image_url,
        }
    }
}
