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
        .service(health::greet)
        .service(health::report_health)
        .service(health::report_alive)
        .service(health::report_ready)
        .service(monitoring::show_metrics)
        .service(openapi::openapi_json)
        .service(avatars::draw)
        .service(
            scope::scope(API)
                .service(auth::sign_up)
                .service(auth::log_in)
                .service(auth::who_am_i)
                .service(auth::log_out)
                .service(auth::list_sessions)
                .service(auth::end_session)
                .service(auth::log_out_everywhere)
                .service(auth::change_password)
                .service(people::search)
                .service(people::sort_names)
                .service(people::find)
                .service(profiles::read_own)
                .service(profiles::edit)
                .service(photos::set)
                .service(photos::remove)
                .service(photos::read_default)
                .service(profiles::leave)
                .service(export::download)
                .service(profiles::read_by_username)
                .service(profiles::read)
                .service(users::list_my_posts)
                .service(users::list_posts)
                .service(locations::search)
                .service(posts::publish)
                .service(posts::upload)
                .service(feed::read_feed)
                .service(feed::read_trending)
                .service(posts::read)
                .service(posts::edit)
                .service(posts::delete)
                .service(hearts::give)
                .service(hearts::take_back)
                .service(hearts::count)
                .service(hearts::list)
                .service(reactions::react)
                .service(reactions::take_back)
                .service(reactions::list)
                .service(reactions::summarise)
                .service(shares::pass_on)
                .service(shares::take_back)
                .service(comments::say)
                .service(comments::list)
                .service(comments::list_replies)
                .service(comments::reword)
                .service(comments::delete)
                .service(follows::list_requests)
                .service(follows::suggest)
                .service(follows::report_relations)
                .service(follows::follow)
                .service(follows::unfollow)
                .service(follows::report_relation)
                .service(follows::accept)
                .service(follows::decline)
                .service(follows::list_blocks)
                .service(follows::list_followers)
                .service(follows::list_following)
                .service(follows::count)
                .service(follows::block)
                .service(follows::unblock)
                .service(notifications::list)
                .service(notifications::count)
                .service(notifications::report_stats)
                .service(notifications::read_all)
                .service(notifications::issue_ticket)
                .service(notifications::follow)
                .service(notifications::list_children)
                .service(notifications::read),
        );
}
