//! `/posts/feed` and `/posts/trending`: what everybody is thankful for.

use actix_web::get;
use actix_web::web::{Data, Json};
use grateful_application::{App, feed};
use grateful_domain::{FeedPageRequest, FieldValidator, Limit, ListKind, PageRequest};
use utoipa::IntoParams;

use crate::error::ApiError;
use crate::request::{QueryParameters, SignedIn};
use crate::response::ListResponse;
use crate::routes::posts::PostView;

/// Which part of the feed, and in which order.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it documents what `Parameters` reads")]
pub(crate) struct FeedPage {
    /// The best first, every fifth a new one; or, where false, the newest first.
    #[param(default = true)]
    algorithm: Option<bool>,
    /// Whether to say of each post why it stands where it stands.
    #[param(default = false)]
    explain: Option<bool>,
    /// The maximum number of items.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<u32>,
    /// How many to pass over: at most 500 of the ranked feed, 10,000 of the newest.
    #[param(minimum = 0, maximum = 10_000, default = 0)]
    offset: Option<u32>,
    /// The cursor from the `next` link of the previous page.
    cursor: Option<String>,
}

/// How far back to look.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it documents what `Parameters` reads")]
pub(crate) struct TrendingPage {
    /// In hours.
    #[param(minimum = 1, maximum = 168, default = 24)]
    window_hours: Option<u32>,
    /// The maximum number of items.
    #[param(minimum = 1, maximum = 100, default = 10)]
    limit: Option<u32>,
}

/// Which feed is asked for.
enum Feed {
    Ranked(FeedPageRequest),
    Newest(PageRequest),
}

/// Everybody's public posts.
///
/// The best for the caller first, and every fifth a new one, for 500 posts; or the newest first. Following the `next` links
/// meets no post twice and misses none that stays, whatever others write meanwhile.
#[utoipa::path(tag = "feed", params(FeedPage), responses((status = 200, body = [PostView])))]
#[get("/posts/feed")]
pub(crate) async fn get_feed(
    app: Data<App>,
    me: SignedIn,
    parameters: QueryParameters,
) -> Result<ListResponse<Vec<PostView>>, ApiError> {
    let (feed, explained) = asked_for(&parameters)?;
    match feed {
        Feed::Ranked(stretch) => {
            let leg = feed::list_ranked(&app, me.viewer(), stretch).await?;
            let posts = leg.posts.into_iter().map(|post| PostView::of(post, explained));
            Ok(ListResponse::bare_with_cursor(
                posts.collect(),
                leg.next.map(|walk| walk.to_cursor()),
            ))
        }
        Feed::Newest(page) if explained => {
            let slice = feed::list_newest_scored(&app, me.viewer(), page).await?;
            let next = slice.next.map(|place| place.to_cursor(ListKind::NewestPosts));
            let posts = slice.items.into_iter().map(|post| PostView::of(post, true));
            Ok(ListResponse::bare_with_cursor(posts.collect(), next))
        }
        Feed::Newest(page) => Ok(ListResponse::bare(
            feed::list_newest(&app, me.viewer(), page).await?,
            ListKind::NewestPosts,
        )),
    }
}

fn asked_for(parameters: &QueryParameters) -> Result<(Feed, bool), ApiError> {
    let mut fields = FieldValidator::default();
    let algorithm = parameters.check_flag(&mut fields, "algorithm", true);
    let explained = parameters.check_flag(&mut fields, "explain", false);
    let feed = match algorithm {
        Some(false) => parameters.check_page(&mut fields, ListKind::NewestPosts).map(Feed::Newest),
        Some(true) | None => parameters.check_feed_page(&mut fields).map(Feed::Ranked),
    };
    Ok(fields.finish(|| feed.zip(explained))?)
}

/// The public posts of the last hours that move people most.
#[utoipa::path(tag = "feed", params(TrendingPage), responses((status = 200, body = [PostView])))]
#[get("/posts/trending")]
pub(crate) async fn get_trending(
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
