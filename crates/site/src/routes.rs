//! The pages and files over HTTP.

use actix_web::guard::{GuardContext, fn_guard};
use actix_web::http::header::{
    Accept, Allow, CONTENT_SECURITY_POLICY, Header as _, HeaderValue, Quality, VARY,
};
use actix_web::http::{Method, StatusCode};
use actix_web::web::{Path, ServiceConfig, get, resource, scope, to};
use actix_web::{HttpRequest, HttpResponse, Resource};

use crate::Site;
use crate::document::Document;
use crate::files::{self, VERSION};
use crate::page::{self, PLAIN, POLICY};
use crate::status::STATUS_PAGE;

/// The pages with a fixed path, beside `/`.
const PAGES: [&str; 6] =
    ["/newest", "/notifications", "/search", "/settings", "/signin", "/signup"];

/// Registers fixed paths and prefixes only, which are fast to compare: this comes before the routes of the API.
pub(crate) fn register(site: &Site, service: &mut ServiceConfig) {
    let (site, access) = (site.clone(), site.status);
    let post = move |request: HttpRequest, id: Path<String>| {
        let site = site.clone();
        async move { post_page(&site, &request, &id).await }
    };
    service.service(only_get("/").guard(fn_guard(is_from_browser)).route(get().to(plain_page)));
    for path in PAGES {
        service.service(only_get(path).route(get().to(plain_page)));
    }
    let may_see_status = fn_guard(move |context| access.permits(context.head()));
    service.service(only_get("/about/server").guard(may_see_status).route(get().to(status_page)));
    service
        .service(scope("/post").service(only_get("/{id}").route(get().to(post))))
        .service(
            scope("/people").service(only_get("/{username}").route(get().to(plain_page))).service(
                only_get("/{username}/{list:followers|following}").route(get().to(plain_page)),
            ),
        )
        .service(scope("/assets").service(only_get("/{version}/{file:.*}").route(get().to(file))));
}

/// A resource that refuses all methods but `GET`, and `HEAD`, which the server handles as `GET`.
fn only_get(path: &str) -> Resource {
    let allowed = || Allow(vec![Method::GET, Method::HEAD]);
    let refuse =
        move || async move { HttpResponse::MethodNotAllowed().insert_header(allowed()).finish() };
    resource(path).default_service(to(refuse))
}

fn is_from_browser(context: &GuardContext<'_>) -> bool {
    context.header().is_some_and(|accept| prefers_html(&accept))
}

fn first_segment(path: &str) -> &str {
    path.split('/').nth(1).unwrap_or_default()
}

/// The page that says that there is none, for browsers outside the API and its files.
pub(crate) fn not_found(request: &HttpRequest) -> Option<HttpResponse> {
    let is_file = ["api", "uploads", "assets"].contains(&first_segment(request.path()));
    let accept = Accept::parse(request).ok().filter(|_| request.method() == Method::GET)?;
    (!is_file && prefers_html(&accept))
        .then(|| with_page_headers(PLAIN.send(request, StatusCode::NOT_FOUND, HTML)))
}

/// Whether the client names `text/html`, and does not prefer JSON to it. A client that accepts anything is a program.
fn prefers_html(accept: &Accept) -> bool {
    let quality = |name: &str| {
        let ranges = accept.iter().filter(|range| range.item.essence_str() == name);
        ranges.map(|range| range.quality).max()
    };
    match (quality("text/html"), quality("application/json")) {
        (Some(html), Some(json)) => html > json,
        (Some(html), None) => html > Quality::ZERO,
        (None, _) => false,
    }
}

async fn plain_page(request: HttpRequest) -> HttpResponse {
    page_response(&request, &PLAIN)
}

async fn status_page(request: HttpRequest) -> HttpResponse {
    page_response(&request, &STATUS_PAGE)
}

/// The page of a post, with a preview if a guest can see the post. Otherwise it is the same as any other page, so that
/// nothing tells a private post from one that does not exist.
async fn post_page(site: &Site, request: &HttpRequest, id: &str) -> HttpResponse {
    match site.previews.find(request, id).await {
        Some(preview) => page_response(request, &page::with_preview(&preview, &site.public_url)),
        None => page_response(request, &PLAIN),
    }
}

/// A browser can keep a page, but has to check it before each use: a new version names other files.
fn page_response(request: &HttpRequest, page: &Document) -> HttpResponse {
    with_page_headers(page.respond(request, HTML, "no-cache"))
}

const HTML: &str = "text/html; charset=utf-8";

fn with_page_headers(mut response: HttpResponse) -> HttpResponse {
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    response
}

/// A file never changes under the current version. Under another one, which nodes of another version may name during an
/// upgrade, it is served too, but not kept.
async fn file(request: HttpRequest, path: Path<(String, String)>) -> HttpResponse {
    let (version, name) = path.into_inner();
    let caching =
        if version == *VERSION { "public, max-age=31536000, immutable" } else { "no-cache" };
    match files::find(&name) {
        Some(file) => file.content.respond(&request, file.content_type(), caching),
        None => HttpResponse::NotFound().finish(),
    }
}
