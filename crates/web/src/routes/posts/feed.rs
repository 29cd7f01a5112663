//! `/posts/feed` and `/posts/trending`: feeds of public posts.

use actix_web::web::Data;
use grateful_application::{App, feed};
use grateful_domain::{
    FeedPageRequest, FieldValidator, Limit, PageRequest, TrendingWindow, ValidationError, Viewer,
};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::cursors::{ListKey, encode, encode_feed};
use crate::error::ApiError;
use crate::request::{Field, PageParams, QueryParameters, SignedInReader, check_limit};
use crate::response::JsonResponse;
use crate::routes::posts::PostView;

/// Query parameters of the feed.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct FeedParams {
    /// `true`: ranked by score, with a new post at every fifth position. `false`: newest first.
    #[serde(default)]
    #[param(value_type = Option<bool>, default = true)]
    algorithm: Field<String>,
    /// Whether to add the score to each post.
    #[serde(default)]
    #[param(value_type = Option<bool>, default = false)]
    explain: Field<String>,
    /// The maximum number of items.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 20)]
    limit: Field<String>,
    /// The number of posts to skip: at most 500 in the ranked feed, 10,000 in the newest.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 0, maximum = 10_000, default = 0)]
    offset: Field<String>,
    /// The cursor from the `next` link of the previous page.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    cursor: Field<String>,
}

/// Query parameters of trending posts.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct TrendingParams {
    /// The time window, in hours.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 168, default = 24)]
    window_hours: Field<String>,
    /// The maximum number of items.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 10)]
    limit: Field<String>,
}

impl TrendingParams {
    fn parse(self) -> Result<(TrendingWindow, Limit), ValidationError> {
        let mut fields = FieldValidator::default();
        let window = self.window_hours.into_number();
        let window = window.map_or(Ok(TrendingWindow::DEFAULT), TrendingWindow::parse);
        let window = fields.check("window_hours", window);
        let limit = check_limit(&mut fields, self.limit, 10);
        fields.finish(|| window.zip(limit))
    }
}

/// The feed and the page that are requested.
enum FeedRequest {
    Ranked(FeedPageRequest),
    Newest(PageRequest),
}

impl FeedParams {
    fn parse(self) -> Result<(FeedRequest, bool), ValidationError> {
        let mut fields = FieldValidator::default();
        let algorithm = fields.check("algorithm", self.algorithm.flag());
        let explain = fields.check("explain", self.explain.flag());
        let page = PageParams::<20> { limit: self.limit, offset: self.offset, cursor: self.cursor };
        let feed = match algorithm.flatten() {
            Some(false) => page.check(&mut fields, ListKey::NewestPosts).map(FeedRequest::Newest),
            Some(true) | None => page.check_feed(&mut fields).map(FeedRequest::Ranked),
        };
        fields.finish(|| Some((feed?, explain?.unwrap_or(false))))
    }
}

/// Returns a page of the feed of public posts.
///
/// The ranked feed has up to 500 posts, ordered by their score for the caller, with a new post at every fifth position.
/// The other feed has the newest posts first. A client that follows the `next` links sees no post twice and misses no
/// post that still exists, even if other users post in the meantime.
#[utoipa::path(
    get,
    path = "/posts/feed",
    tag = "feed",
    params(FeedParams),
    responses((status = 200, body = [PostView], description = "A page of posts")),
)]
pub(crate) async fn get_feed(
    app: Data<App>,
    me: SignedInReader,
    QueryParameters(parameters): QueryParameters<FeedParams>,
) -> Result<JsonResponse<Vec<PostView>>, ApiError> {
    let (feed, explain) = parameters.parse()?;
    match feed {
        FeedRequest::Ranked(request) => {
            let page = me
                .read(async |user| feed::list_ranked(&app, Viewer::User(user), request).await)
                .await?;
            let posts = page.posts.into_iter().map(|post| PostView::from_feed(post, explain));
            let next = page.next.as_ref().map(encode_feed);
            Ok(JsonResponse::bare(posts.collect()).with_next(next))
        }
        FeedRequest::Newest(request) if explain => {
            let page = me
                .read(async |user| {
                    feed::list_newest_scored(&app, Viewer::User(user), request).await
                })
                .await?;
            let next = page.next.map(|position| encode(ListKey::NewestPosts, position));
            let posts = page.items.into_iter().map(|post| PostView::from_feed(post, true));
            Ok(JsonResponse::bare(posts.collect()).with_next(next))
        }
        FeedRequest::Newest(request) => {
            let page = me
                .read(async |user| feed::list_newest(&app, Viewer::User(user), request).await)
                .await?;
            Ok(JsonResponse::list(page, ListKey::NewestPosts))
        }
    }
}

/// Lists the public posts of the last `window_hours` hours, highest trending score first.
#[utoipa::path(
    get,
    path = "/posts/trending",
    tag = "feed",
    params(TrendingParams),
    responses((status = 200, body = [PostView], description = "The trending posts")),
)]
pub(crate) async fn list_trending_posts(
    app: Data<App>,
    me: SignedInReader,
    QueryParameters(parameters): QueryParameters<TrendingParams>,
) -> Result<JsonResponse<Vec<PostView>>, ApiError> {
    let (window, limit) = parameters.parse()?;
    let list = async |user| feed::list_trending(&app, Viewer::User(user), window, limit).await;
    let posts = me.read(list).await?;
    Ok(JsonResponse::bare(posts.into_iter().map(PostView::from).collect()))
}
