//! `/users`: people and what they wrote.

use actix_web::get;
use actix_web::web::Data;
use grateful_application::{App, posts};
use grateful_domain::ListKind;

use crate::error::ApiError;
use crate::request::{PageParams20, QueryParameters, SignedIn, UserPath};
use crate::response::{Envelope, ListResponse, Problem};
use crate::routes::posts::PostView;

/// One's own posts, newest first, private ones included.
#[utoipa::path(tag = "users", params(PageParams20), responses((status = 200, body = Envelope<Vec<PostView>>)))]
#[get("/users/me/posts")]
pub(crate) async fn list_own_posts(
    app: Data<App>,
    me: SignedIn,
    parameters: QueryParameters,
) -> Result<ListResponse<Vec<PostView>>, ApiError> {
    let page = parameters.page(ListKind::UserPosts)?;
    let slice = posts::list_by_author(&app, me.viewer(), me.user(), page).await?;
    Ok(ListResponse::enveloped(slice, ListKind::UserPosts))
}

/// Somebody's posts that one may see, newest first.
#[utoipa::path(
    tag = "users",
    params(("id" = i64, Path, description = "User id"), PageParams20),
    responses((status = 200, body = Envelope<Vec<PostView>>), (status = 404, body = Problem)),
)]
#[get("/users/{id}/posts")]
pub(crate) async fn list_user_posts(
    app: Data<App>,
    me: SignedIn,
    UserPath(author): UserPath,
    parameters: QueryParameters,
) -> Result<ListResponse<Vec<PostView>>, ApiError> {
    let page = parameters.page(ListKind::UserPosts)?;
    let slice = posts::list_by_author(&app, me.viewer(), author, page).await?;
    Ok(ListResponse::enveloped(slice, ListKind::UserPosts))
}
