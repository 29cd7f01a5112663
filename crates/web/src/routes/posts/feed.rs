//! `/posts/feed` and `/posts/trending`: feeds of public posts.

use actix_web::get;
use actix_web::web::{Data, Json};
use grateful_application::{App, feed};
use grateful_domain::{FeedPageRequest, FieldValidator, Limit, ListKey, PageRequest};
use utoipa::IntoParams;

use crate::error::ApiError;
use crate::request::{QueryParameters, SignedIn};
use crate::response::ListResponse;
use crate::routes::posts::PostView;

/// Query parameters of the feed.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "OpenAPI documentation of what `QueryParameters` reads")]
pub(crate) struct FeedParams {
    /// `true`: ranked by score, with a new post at every fifth position. `false`: newest first.
    #[param(default = true)]
    algorithm: Option<bool>,
    /// Whether to add the score to each post.
    #[param(default = false)]
    explain: Option<bool>,
    /// The maximum number of items.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<u32>,
    /// The number of posts to skip: at most 500 in the ranked feed, 10,000 in the newest.
    #[param(minimum = 0, maximum = 10_000, default = 0)]
    offset: Option<u32>,
    /// The cursor from the `next` link of the previous page.
    cursor: Option<String>,
}

/// Query parameters of trending posts.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "OpenAPI documentation of what `QueryParameters` reads")]
pub(crate) struct TrendingParams {
    /// The time window, in hours.
    #[param(minimum = 1, maximum = 168, default = 24)]
    window_hours: Option<u32>,
    /// The maximum number of items.
    #[param(minimum = 1, maximum = 100, default = 10)]
    limit: Option<u32>,
}

/// The feed and the page that are requested.
enum FeedRequest {
    Ranked(FeedPageRequest),
    Newest(PageRequest),
}

/// Returns a page of the feed of public posts.
///
/// The ranked feed has up to 500 posts, ordered by their score for the caller, with a new post at every fifth position.
/// The other feed has the newest posts first. A client that follows the `next` links sees no post twice and misses no
/// post that still exists, even if other users post in the meantime.
#[utoipa::path(
    tag = "feed",
    params(FeedParams),
    responses((status = 200, body = [PostView], description = "A page of posts")),
)]
#[get("/posts/feed")]
pub(crate) async fn get_feed(
    app: Data<App>,
    me: SignedIn,
    parameters: QueryParameters,
) -> Result<ListResponse<Vec<PostView>>, ApiError> {
    let (feed, explain) = parse_feed_request(&parameters)?;
    match feed {
        FeedRequest::Ranked(request) => {
            let page = feed::list_ranked(&app, me.viewer(), request).await?;
            let posts = page.posts.into_iter().map(|post| PostView::from_feed(post, explain));
            let next = page.next.map(|cursor| cursor.to_cursor());
            Ok(ListResponse::bare_with_cursor(posts.collect(), next))
        }
        FeedRequest::Newest(request) if explain => {
            let page = feed::list_newest_scored(&app, me.viewer(), request).await?;
            let next = page.next.map(|position| position.to_cursor(ListKey::NewestPosts));
            let posts = page.items.into_iter().map(|post| PostView::from_feed(post, true));
            Ok(ListResponse::bare_with_cursor(posts.collect(), next))
        }
        FeedRequest::Newest(request) => {
            let page = feed::list_newest(&app, me.viewer(), request).await?;
            Ok(ListResponse::bare(page, ListKey::NewestPosts))
        }
    }
}

fn parse_feed_request(parameters: &QueryParameters) -> Result<(FeedRequest, bool), ApiError> {
    let mut fields = FieldValidator::default();
    let algorithm = parameters.check_flag(&mut fields, "algorithm", true);
    let explain = parameters.check_flag(&mut fields, "explain", false);
    let feed = match algorithm {
        Some(false) => {
            parameters.check_page(&mut fields, ListKey::NewestPosts).map(FeedRequest::Newest)
        }
        Some(true) | None => parameters.check_feed_page(&mut fields).map(FeedRequest::Ranked),
    };
    Ok(fields.finish(|| feed.zip(explain))?)
}

/// Lists the public posts of the last `window_hours` hours, highest trending score first.
#[utoipa::path(
    tag = "feed",
    params(TrendingParams),
    responses((status = 200, body = [PostView], description = "The trending posts")),
)]
#[get("/posts/trending")]
pub(crate) async fn list_trending_posts(
    app: Data<App>,
    me: SignedIn,
    parameters: QueryParameters,
) -> Result<Json<Vec<PostView>>, ApiError> {
    let mut fields = FieldValidator::default();
    let window = parameters.check_window(&mut fields);
    let limit = parameters.check_limit(&mut fields, Limit::TRENDING);
    let (window, limit) = fields.finish(|| window.zip(limit))?;
    let posts = feed::list_trending(&app, me.viewer(), window, limit).await?;
    Ok(Json(posts.into_iter().map(PostView::from).collect()))
}
