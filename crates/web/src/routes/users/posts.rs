//! `/users/me/posts` and `/users/{id}/posts`: posts by author.

use actix_web::web::Data;
use grateful_application::{App, posts};
use grateful_domain::Viewer;

use crate::cursors::ListKey;
use crate::error::ApiError;
use crate::request::{PageParams, QueryParameters, SignedInReader, UserPath};
use crate::response::{Envelope, JsonResponse, Problem};
use crate::routes::posts::PostView;

/// Lists the posts of the caller, including private ones, newest first.
#[utoipa::path(
    get,
    path = "/users/me/posts",
    tag = "users",
    params(PageParams<20>),
    responses((status = 200, body = Envelope<Vec<PostView>>, description = "A page of posts")),
)]
pub(crate) async fn list_own_posts(
    app: Data<App>,
    me: SignedInReader,
    QueryParameters(page): QueryParameters<PageParams<20>>,
) -> Result<JsonResponse<Vec<PostView>>, ApiError> {
    let request = page.parse(ListKey::OwnPosts)?;
    let list = async |user| posts::list_by_author(&app, Viewer::User(user), user, request).await;
    let page = me.read(list).await?;
    Ok(JsonResponse::list(page, ListKey::OwnPosts).in_envelope())
}

/// Lists the posts of a user that the caller may see, newest first.
#[utoipa::path(
    get,
    path = "/users/{id}/posts",
    tag = "users",
    params(("id" = i64, Path, description = "User id"), PageParams<20>),
    responses(
        (status = 200, body = Envelope<Vec<PostView>>, description = "A page of posts"),
        (status = 404, body = Problem, description = "The user does not exist"),
    ),
)]
pub(crate) async fn list_user_posts(
    app: Data<App>,
    me: SignedInReader,
    UserPath(author): UserPath,
    QueryParameters(page): QueryParameters<PageParams<20>>,
) -> Result<JsonResponse<Vec<PostView>>, ApiError> {
    let request = page.parse(ListKey::UserPosts(author))?;
    let list = async |user| posts::list_by_author(&app, Viewer::User(user), author, request).await;
    let page = me.read(list).await?;
    Ok(JsonResponse::list(page, ListKey::UserPosts(author)).in_envelope())
}
