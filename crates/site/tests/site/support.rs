use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::HeaderMap;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::{App, HttpRequest, HttpResponse, web};
use futures_util::future::{FutureExt as _, LocalBoxFuture};
use grateful_site::{PostPreview, PostPreviews, Site, StatusAccess};

/// What a browser sends when the user opens an address.
pub(crate) const BROWSER: &str =
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";

/// The id of the one post that a guest can see.
pub(crate) const PUBLIC_POST: &str = "01a22b4f-f111-7dd0-9527-eb744351d08a";

#[derive(Clone)]
struct OnePost(PostPreview);

impl PostPreviews for OnePost {
    fn find<'a>(
        &'a self,
        _: &'a HttpRequest,
        id: &'a str,
    ) -> LocalBoxFuture<'a, Option<PostPreview>> {
        let post = (id == PUBLIC_POST).then(|| self.0.clone());
        async { post }.boxed_local()
    }
}

pub(crate) fn a_preview() -> PostPreview {
    PostPreview {
        path: format!("/post/{PUBLIC_POST}"),
        title: "Monday morning".to_owned(),
        description: "For the bus driver who waited.".to_owned(),
        image_url: None,
        author: "Ana".to_owned(),
    }
}

/// A response with its whole body.
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// Sends a request to a site with one post and, as its fallback, an API that answers `/`.
pub(crate) async fn send(preview: PostPreview, request: TestRequest) -> Response {
    let (status, headers, body) = send_raw(preview, request).await;
    Response { status, headers, body: String::from_utf8(body).unwrap() }
}

/// Sends a request to a site whose page for operators is open to these clients.
pub(crate) async fn send_with_status(access: StatusAccess, request: TestRequest) -> Response {
    let site = site_with(a_preview()).with_status_for(access);
    let (status, headers, body) = send_to(site, request).await;
    Response { status, headers, body: String::from_utf8(body).unwrap() }
}

/// The same, with the body as it is sent.
pub(crate) async fn send_raw(
    preview: PostPreview,
    request: TestRequest,
) -> (StatusCode, HeaderMap, Vec<u8>) {
    send_to(site_with(preview), request).await
}

fn site_with(preview: PostPreview) -> Site {
    Site::new("https://grateful.example", Arc::new(OnePost(preview)))
}

async fn send_to(site: Site, request: TestRequest) -> (StatusCode, HeaderMap, Vec<u8>) {
    let api = || async { HttpResponse::Ok().body("the API") };
    let app = App::new()
        .configure(|service| site.configure(service))
        .service(web::resource("/").route(web::get().to(api)));
    let not_found = move |request: HttpRequest| {
        let page = site.not_found(&request);
        async { page.unwrap_or_else(|| HttpResponse::NotFound().finish()) }
    };
    let app = app.default_service(web::to(not_found));
    let response = call_service(&init_service(app).await, request.to_request()).await;
    let (status, headers) = (response.status(), response.headers().clone());
    (status, headers, read_body(response).await.to_vec())
}

/// What a browser gets at this path.
pub(crate) async fn open(path: &str) -> Response {
    send(a_preview(), TestRequest::get().uri(path).insert_header(("Accept", BROWSER))).await
}

/// The paths of all files that the page names.
pub(crate) async fn linked_files() -> Vec<String> {
    let page = open("/").await.body;
    let links = regex::Regex::new(r#"(?:href|src)="(/assets/[^"]+)""#).unwrap();
    let mut paths: Vec<String> =
        links.captures_iter(&page).map(|found| found[1].to_owned()).collect();
    paths.sort();
    paths.dedup();
    paths
}
