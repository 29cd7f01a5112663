#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod access;
mod app;
mod config;
mod cursors;
mod error;
mod metrics;
mod middleware;
mod openapi;
mod rate_limit_policy;
mod request;
mod response;
mod routes;
mod server;

use utoipa_actix_web::scope;
use utoipa_actix_web::service_config::ServiceConfig;

pub use self::access::{Access, access_to};
pub use self::app::app;
pub use self::config::{MetricsPage, RateLimitsConfig, SiteRoutes, WebConfig};
pub use self::metrics::all_metrics;
pub use self::openapi::{document, document_3_0};
pub use self::rate_limit_policy::{RateLimitPolicy, rate_limit_policy};
use self::routes::{auth, avatars, follows, health, notifications, posts, users};
pub use self::server::serve;

/// The path prefix of the versioned API.
pub const API: &str = "/api/v1";

/// Registers the whole API. Fixed paths come before patterns with an id in the same position.
fn register_routes(service: &mut ServiceConfig<'_>) {
    service
        .service(health::get_root)
        .service(health::get_health)
        .service(health::get_liveness)
        .service(health::get_readiness)
        .service(routes::metrics::get_metrics)
        .service(openapi::get_openapi_document)
        .service(openapi::get_openapi_3_0_document)
        .service(avatars::get_default_avatar)
        .service(
            scope::scope(API)
                .service(auth::sign_up)
                .service(auth::log_in)
                .service(auth::get_current_user)
                .service(auth::log_out)
                .service(auth::list_sessions)
                .service(auth::revoke_session)
                .service(auth::revoke_all_sessions)
                .service(auth::change_password)
                .service(users::search::search_users)
                .service(users::search::validate_usernames)
                .service(users::search::get_user_by_username)
                .service(users::profile::get_own_profile)
                .service(users::profile::update_profile)
                .service(users::photo::upload_photo)
                .service(users::photo::delete_photo)
                .service(users::photo::get_default_avatar_url)
                .service(users::account::delete_account)
                .service(users::export::export_personal_data)
                .service(users::profile::get_profile_by_username)
                .service(users::profile::get_profile)
                .service(users::posts::list_own_posts)
                .service(users::posts::list_user_posts)
                .service(users::locations::search_locations)
                .service(posts::create_post)
                .service(posts::create_post_with_image)
                .service(posts::feed::get_feed)
                .service(posts::feed::list_trending_posts)
                .service(posts::get_post)
                .service(posts::update_post)
                .service(posts::delete_post)
                .service(posts::hearts::add_heart)
                .service(posts::hearts::remove_heart)
                .service(posts::hearts::get_heart_status)
                .service(posts::hearts::list_hearts)
                .service(posts::reactions::set_reaction)
                .service(posts::reactions::remove_reaction)
                .service(posts::reactions::list_reactions)
                .service(posts::reactions::get_reaction_summary)
                .service(posts::shares::create_share)
                .service(posts::shares::delete_share)
                .service(posts::comments::create_comment)
                .service(posts::comments::list_comments)
                .service(posts::comments::list_replies)
                .service(posts::comments::update_comment)
                .service(posts::comments::delete_comment)
                .service(follows::requests::list_follow_requests)
                .service(follows::suggestions::list_follow_suggestions)
                .service(follows::get_follow_statuses)
                .service(follows::follow_user)
                .service(follows::unfollow_user)
                .service(follows::get_follow_status)
                .service(follows::requests::accept_follow_request)
                .service(follows::requests::decline_follow_request)
                .service(users::blocks::list_blocks)
                .service(users::followers::remove_follower)
                .service(users::followers::list_followers)
                .service(users::followers::list_following)
                .service(users::followers::get_follow_stats)
                .service(users::blocks::block_user)
                .service(users::blocks::unblock_user)
                .service(notifications::list_notifications)
                .service(notifications::get_notification_summary)
                .service(notifications::get_notification_stats)
                .service(notifications::mark_all_notifications_read)
                .service(notifications::stream::create_stream_ticket)
                .service(notifications::stream::stream_notifications)
                .service(notifications::list_notification_children)
                .service(notifications::mark_notification_read),
        );
}
