//! `/notifications`: the caller's notifications.

mod data_view;
pub(crate) mod stream;
mod stream_events;

use actix_web::web::Data;
use grateful_application::notifications::ReadFilter;
use grateful_application::{App, notifications};
use grateful_domain::notification::{NotificationCounts, NotificationStats, RenderedNotification};
use grateful_domain::{Author, FieldValidator, NotificationType, ValidationError};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use self::data_view::NotificationDataView;
use crate::cursors::ListKey;
use crate::error::ApiError;
use crate::request::{
    Field, NotificationPath, PageParams, QueryParameters, SignedIn, SignedInReader,
};
use crate::response::codes::NotificationTypeCode;
use crate::response::{JsonResponse, Problem, Timestamp};

/// A notification.
#[derive(Serialize, ToSchema)]
pub(crate) struct NotificationView {
    id: Uuid,
    #[serde(rename = "type")]
    #[schema(value_type = NotificationTypeCode)]
    kind: &'static str,
    title: String,
    message: String,
    data: NotificationDataView,
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

/// Query parameters of the list of notifications, beside those of its pages.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct NotificationParams {
    /// Whether to list only unread notifications.
    #[serde(default)]
    #[param(value_type = Option<bool>, default = false)]
    unread_only: Field<String>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct NotificationStatsParams {
    /// The notification type. Default: all types.
    #[serde(default)]
    #[param(value_type = Option<NotificationTypeCode>)]
    notification_type: Field<String>,
}

/// Lists the top-level notifications of the caller, newest activity first.
#[utoipa::path(
    get,
    path = "/notifications",
    tag = "notifications",
    params(PageParams<20>, NotificationParams),
    responses((status = 200, body = [NotificationView], description = "A page of notifications")),
)]
pub(crate) async fn list_notifications(
    app: Data<App>,
    me: SignedInReader,
    QueryParameters(page): QueryParameters<PageParams<20>>,
    QueryParameters(NotificationParams { unread_only }): QueryParameters<NotificationParams>,
) -> Result<JsonResponse<Vec<NotificationView>>, ApiError> {
    let mut fields = FieldValidator::default();
    let (filter, list) = match fields.check("unread_only", unread_only.flag()).flatten() {
        Some(true) => (ReadFilter::Unread, ListKey::UnreadNotifications),
        Some(false) | None => (ReadFilter::All, ListKey::Notifications),
    };
    let request = page.check(&mut fields, list);
    let request = fields.finish(|| request)?;
    let read = async |user| notifications::list(&app, user, filter, request).await;
    let page = me.read(read).await?;
    Ok(JsonResponse::list(page, list))
}

/// Returns how many top-level notifications the caller has, and how many of them are unread.
#[utoipa::path(
    get,
    path = "/notifications/summary",
    tag = "notifications",
    responses((status = 200, body = NotificationSummaryView, description = "The numbers of notifications")),
)]
pub(crate) async fn get_notification_summary(
    app: Data<App>,
    me: SignedInReader,
) -> Result<JsonResponse<NotificationSummaryView>, ApiError> {
    let counts = me.read(async |user| notifications::count(&app, user).await).await?;
    let NotificationCounts { unread, total } = counts;
    Ok(JsonResponse::bare(NotificationSummaryView { unread_count: unread, total_count: total }))
}

/// Returns how many notifications the caller received lately. Each event counts, batched or not.
#[utoipa::path(
    get,
    path = "/notifications/stats",
    tag = "notifications",
    params(NotificationStatsParams),
    responses((status = 200, body = NotificationStatsView, description = "The statistics")),
)]
pub(crate) async fn get_notification_stats(
    app: Data<App>,
    me: SignedInReader,
    QueryParameters(parameters): QueryParameters<NotificationStatsParams>,
) -> Result<JsonResponse<NotificationStatsView>, ApiError> {
    let kind = parameters.notification_type.optional(|raw| NotificationType::from_code(&raw));
    let kind = kind.map_err(|reason| ValidationError::field("notification_type", reason))?;
    let read = async |user| Ok((user, notifications::get_stats(&app, user, kind).await?));
    let (user, stats) = me.read(read).await?;
    let NotificationStats { last_hour, last_day, total, remaining, held_back } = stats;
    Ok(JsonResponse::bare(NotificationStatsView {
        user_id: user.into(),
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
    get,
    path = "/notifications/{id}/children",
    tag = "notifications",
    params(("id" = Uuid, Path, description = "Notification id"), PageParams<100>),
    responses(
        (status = 200, body = [NotificationView], description = "A page of the children of the batch"),
        (status = 404, body = Problem),
    ),
)]
pub(crate) async fn list_notification_children(
    app: Data<App>,
    me: SignedInReader,
    NotificationPath(batch): NotificationPath,
    QueryParameters(page): QueryParameters<PageParams<100>>,
) -> Result<JsonResponse<Vec<NotificationView>>, ApiError> {
    let request = page.parse(ListKey::NotificationChildren(batch))?;
    let list = async |user| notifications::list_children(&app, user, batch, request).await;
    let page = me.read(list).await?;
    Ok(JsonResponse::list(page, ListKey::NotificationChildren(batch)))
}

/// Marks a notification as read: a batch together with its children.
#[utoipa::path(
    post,
    path = "/notifications/{id}/read",
    tag = "notifications",
    params(("id" = Uuid, Path, description = "Notification id")),
    responses(
        (status = 200, body = MarkedReadView, description = "The notification is read"),
        (status = 404, body = Problem),
    ),
)]
pub(crate) async fn mark_notification_read(
    app: Data<App>,
    me: SignedIn,
    NotificationPath(id): NotificationPath,
) -> Result<JsonResponse<MarkedReadView>, ApiError> {
    notifications::mark_read(&app, me.user(), id).await?;
    Ok(JsonResponse::bare(MarkedReadView { success: true }))
}

/// Marks as read all notifications that exist at the time of the request.
#[utoipa::path(
    post,
    path = "/notifications/read-all",
    tag = "notifications",
    responses((status = 200, body = MarkedAllReadView, description = "All notifications are read")),
)]
pub(crate) async fn mark_all_notifications_read(
    app: Data<App>,
    me: SignedIn,
) -> Result<JsonResponse<MarkedAllReadView>, ApiError> {
    let marked_count = notifications::mark_all_read(&app, me.user()).await?;
    Ok(JsonResponse::bare(MarkedAllReadView { success: true, marked_count }))
}

impl From<RenderedNotification> for NotificationView {
    fn from(rendered: RenderedNotification) -> Self {
        let data = NotificationDataView::from(&rendered);
        let RenderedNotification { notification, text, actor, actors, .. } = rendered;
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
            post_id: notification.subject.post.map(Uuid::from),
            from_user: actor.map_or_else(ActorView::unknown, ActorView::from),
            is_batch,
            batch_count: counts.child_count,
            parent_id: notification.parent.map(Uuid::from),
            actor_count: counts.actor_count,
            actors: is_batch.then(|| actors.into_iter().map(ActorView::from).collect()),
        }
    }
}

/// The id shown for an actor whose account is deleted.
const UNKNOWN_USER_ID: &str = "0";
/// The username shown for an actor whose account is deleted.
const UNKNOWN_USERNAME: &str = "unknown";

impl ActorView {
    /// A user whose account is deleted (docs/http-api.md#shapes).
    fn unknown() -> Self {
        Self {
            id: UNKNOWN_USER_ID.to_owned(),
            name: RenderedNotification::UNKNOWN_USER_NAME.to_owned(),
            username: UNKNOWN_USERNAME.to_owned(),
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
