//! The web client, with previews of posts from the use cases.

use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::web::Data;
use futures_util::future::{FutureExt as _, LocalBoxFuture};
use grateful_application::{App, posts};
use grateful_domain::{PostForViewer, PostId, Viewer};
use grateful_site::{PostPreview, PostPreviews, Site, StatusAccess};
use grateful_web::SiteRoutes;
use uuid::Uuid;

/// The pages of the client. `public_url` is where links to posts lead.
pub(crate) fn site_routes(public_url: &str, status: StatusAccess) -> SiteRoutes {
    let site = Site::new(public_url, Arc::new(GuestPreviews)).with_status_for(status);
    let fallback = site.clone();
    SiteRoutes::new(
        move |service| site.configure(service),
        move |request| fallback.not_found(request),
    )
}

/// Previews of the posts that a guest can see.
struct GuestPreviews;

impl PostPreviews for GuestPreviews {
    fn find<'a>(
        &'a self,
        request: &'a HttpRequest,
        id: &'a str,
    ) -> LocalBoxFuture<'a, Option<PostPreview>> {
        async move {
            let app = request.app_data::<Data<App>>()?;
            let id = PostId::from(Uuid::parse_str(id).ok()?);
            let post = posts::get(app, Viewer::Guest, id).await.ok()?;
            Some(preview(&post))
        }
        .boxed_local()
    }
}

fn preview(PostForViewer { post, author, .. }: &PostForViewer) -> PostPreview {
    let title = post.draft.title.as_ref().map(|title| title.as_str().to_owned());
    PostPreview {
        path: format!("/post/{}", Uuid::from(post.id)),
        title: title.unwrap_or_else(|| format!("{} is grateful", author.name())),
        description: post.draft.content.as_str().to_owned(),
        image_url: post.draft.image_url.as_ref().map(|image| image.as_str().to_owned()),
        author: author.name().to_owned(),
    }
}
