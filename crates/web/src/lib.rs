#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod access;
mod app;
mod auth;
mod avatars;
mod body;
mod comments;
mod config;
mod docs;
mod error;
mod etag;
mod export;
mod extract;
mod feed;
mod follows;
mod form;
mod health;
mod hearts;
mod limits;
mod locations;
mod metric;
mod middleware;
mod monitoring;
mod notifications;
mod openapi;
mod people;
mod photos;
mod posts;
mod problem;
mod profiles;
mod quota;
mod reactions;
mod repeats;
mod server;
mod shares;
mod uploads;
mod users;
mod wire;

use utoipa_actix_web::scope;
use utoipa_actix_web::service_config::ServiceConfig;

pub use self::access::{Access, access_to};
pub use self::app::app;
pub use self::config::WebConfig;
pub use self::limits::{Activity, LimitsConfig, activity_of};
pub use self::metric::all_metrics;
pub use self::monitoring::MetricsPage;
pub use self::openapi::document;
pub use self::server::serve;

/// Where everything lives that the contract puts under a version.
pub const API: &str = "/api/v1";

/// The whole API on one screen. Fixed paths come before those with an id in the same place.
fn routes(service: &mut ServiceConfig<'_>) {
    service
        .service(health::get_root)
        .service(health::get_health)
        .service(health::liveness)
        .service(health::readiness)
        .service(monitoring::get_metrics)
        .service(openapi::get_openapi_document)
        .service(avatars::get_avatar)
        .service(
            scope::scope(API)
                .service(auth::sign_up)
                .service(auth::log_in)
                .service(auth::current_user)
                .service(auth::log_out)
                .service(auth::list_sessions)
                .service(auth::end_session)
                .service(auth::end_all_sessions)
                .service(auth::change_password)
                .service(people::search_users)
                .service(people::validate_usernames)
                .service(people::get_user_by_username)
                .service(profiles::get_own_profile)
                .service(profiles::update_profile)
                .service(photos::upload_photo)
                .service(photos::delete_photo)
                .service(photos::get_default_photo)
                .service(profiles::delete_account)
                .service(export::export_account)
                .service(profiles::get_profile_by_username)
                .service(profiles::get_profile)
                .service(users::list_own_posts)
                .service(users::list_user_posts)
                .service(locations::search_locations)
                .service(posts::create_post)
                .service(posts::upload_post)
                .service(feed::get_feed)
                .service(feed::get_trending)
                .service(posts::get_post)
                .service(posts::update_post)
                .service(posts::delete_post)
                .service(hearts::add_heart)
                .service(hearts::remove_heart)
                .service(hearts::get_heart_count)
                .service(hearts::list_hearts)
                .service(reactions::set_reaction)
                .service(reactions::remove_reaction)
                .service(reactions::list_reactions)
                .service(reactions::get_reaction_summary)
                .service(shares::share_post)
                .service(shares::unshare_post)
                .service(comments::create_comment)
                .service(comments::list_comments)
                .service(comments::list_replies)
                .service(comments::update_comment)
                .service(comments::delete_comment)
                .service(follows::list_follow_requests)
                .service(follows::list_follow_suggestions)
                .service(follows::get_follow_statuses)
                .service(follows::follow_user)
                .service(follows::unfollow_user)
                .service(follows::get_follow_status)
                .service(follows::accept_follow_request)
                .service(follows::decline_follow_request)
                .service(follows::list_blocks)
                .service(follows::list_followers)
                .service(follows::list_following)
                .service(follows::get_follow_stats)
                .service(follows::block_user)
                .service(follows::unblock_user)
                .service(notifications::list_notifications)
                .service(notifications::get_notification_summary)
                .service(notifications::get_notification_stats)
                .service(notifications::mark_all_read)
                .service(notifications::create_stream_ticket)
                .service(notifications::stream_notifications)
                .service(notifications::list_notification_children)
                .service(notifications::mark_read),
        );
}
