#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod access;
mod app;
mod config;
mod cursors;
mod dispatch;
mod error;
mod metrics;
mod middleware;
mod openapi;
mod rate_limit_policy;
mod request;
mod response;
mod routes;
mod server;

use actix_web::web;
use utoipa::OpenApi as _;

pub use self::access::{Access, access_to};
pub use self::app::app;
pub use self::config::{MetricsPage, RateLimitsConfig, SiteRoutes, WebConfig};
use self::dispatch::NamedHandler;
pub use self::metrics::all_metrics;
pub use self::openapi::{document, document_3_0};
pub use self::rate_limit_policy::{RateLimitPolicy, rate_limit_policy};
use self::routes::{auth, avatars, follows, health, notifications, posts, users};
pub use self::server::serve;

/// The path prefix of the versioned API.
pub const API: &str = "/api/v1";

/// Declares a group of handlers: the OpenAPI document of them, and a list of them with their names.
macro_rules! handlers {
    ($(#[$doc:meta])* $group:ident: $($($name:ident)::+),+ $(,)?) => {
        $(#[$doc])*
        #[derive(utoipa::OpenApi)]
        #[openapi(paths($($($name)::+),+))]
        struct $group;

        impl $group {
            fn handlers() -> Vec<NamedHandler> {
                vec![$(NamedHandler::new(stringify!($($name)::+), web::to($($name)::+))),+]
            }
        }
    };
}

handlers! {
    /// The handlers outside the versioned API.
    Unversioned:
    health::get_root,
    health::get_health,
    health::get_liveness,
    health::get_readiness,
    routes::metrics::get_metrics,
    openapi::get_openapi_document,
    openapi::get_openapi_3_0_document,
    avatars::get_default_avatar,
}

handlers! {
    /// The handlers of the versioned API.
    Versioned:
    auth::sign_up,
    auth::log_in,
    auth::get_current_user,
    auth::log_out,
    auth::list_sessions,
    auth::revoke_session,
    auth::revoke_all_sessions,
    auth::change_password,
    users::search::search_users,
    users::search::validate_usernames,
    users::search::get_user_by_username,
    users::profile::get_own_profile,
    users::profile::update_profile,
    users::photo::upload_photo,
    users::photo::delete_photo,
    users::photo::get_default_avatar_url,
    users::account::delete_account,
    users::export::export_personal_data,
    users::profile::get_profile_by_username,
    users::profile::get_profile,
    users::posts::list_own_posts,
    users::posts::list_user_posts,
    users::locations::search_locations,
    posts::create_post,
    posts::create_post_with_image,
    posts::feed::get_feed,
    posts::feed::list_trending_posts,
    posts::get_post,
    posts::update_post,
    posts::delete_post,
    posts::hearts::add_heart,
    posts::hearts::remove_heart,
    posts::hearts::get_heart_status,
    posts::hearts::list_hearts,
    posts::reactions::set_reaction,
    posts::reactions::remove_reaction,
    posts::reactions::list_reactions,
    posts::reactions::get_reaction_summary,
    posts::shares::create_share,
    posts::shares::delete_share,
    posts::comments::create_comment,
    posts::comments::list_comments,
    posts::comments::list_replies,
    posts::comments::update_comment,
    posts::comments::delete_comment,
    follows::requests::list_follow_requests,
    follows::suggestions::list_follow_suggestions,
    follows::get_follow_statuses,
    follows::follow_user,
    follows::unfollow_user,
    follows::get_follow_status,
    follows::requests::accept_follow_request,
    follows::requests::decline_follow_request,
    users::blocks::list_blocks,
    users::followers::remove_follower,
    users::followers::list_followers,
    users::followers::list_following,
    users::followers::get_follow_stats,
    users::blocks::block_user,
    users::blocks::unblock_user,
    notifications::list_notifications,
    notifications::get_notification_summary,
    notifications::get_notification_stats,
    notifications::mark_all_notifications_read,
    notifications::stream::create_stream_ticket,
    notifications::stream::stream_notifications,
    notifications::list_notification_children,
    notifications::mark_notification_read,
}

/// The document of all handlers, as they declare themselves.
fn declared_document() -> utoipa::openapi::OpenApi {
    Unversioned::openapi().nest(API, Versioned::openapi())
}

/// The handlers of the whole API, and those that are not part of it.
fn all_handlers() -> Vec<NamedHandler> {
    let undocumented = vec![
        NamedHandler::new("get_docs_page", web::to(openapi::swagger_ui::get_docs_page)),
        NamedHandler::new("get_docs_file", web::to(openapi::swagger_ui::get_docs_file)),
        NamedHandler::new("get_upload", web::to(routes::uploads::get_upload)),
    ];
    [Unversioned::handlers(), Versioned::handlers(), undocumented].into_iter().flatten().collect()
}
