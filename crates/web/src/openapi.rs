//! The OpenAPI document, generated from the handlers.

mod common_parts;
mod route_table;
mod schemas;
pub(crate) mod swagger_ui;
mod v3_0;

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::http::header::ContentType;
use serde_json::Value;
use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};

use self::common_parts::add_common_parts;
pub(crate) use self::route_table::ROUTES;
use self::schemas::refine_schemas;
use self::v3_0::to_3_0;
use crate::response::Problem;
use crate::response::codes::NotificationTypeCode;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(title = "Grateful", description = "API of a server for gratitude communities: posts, feeds, follows and notifications."),
    components(schemas(Problem, NotificationTypeCode)),
    servers((url = "/", description = "The server that serves this document")),
    tags(
        (name = "auth", description = "Sign-up, login and sessions"),
        (name = "users", description = "Finding users by name, and posts by user"),
        (name = "profiles", description = "User profiles, and account deletion"),
        (name = "photos", description = "Profile photos"),
        (name = "avatars", description = "Default avatars of users without a photo"),
        (name = "export", description = "Export of all personal data of the caller"),
        (name = "locations", description = "Location search"),
        (name = "posts", description = "Posts"),
        (name = "feed", description = "The feed and trending posts"),
        (name = "hearts", description = "Hearts on posts"),
        (name = "reactions", description = "Emoji reactions to posts"),
        (name = "shares", description = "Shares of posts, as links or messages"),
        (name = "comments", description = "Comments on posts and replies"),
        (name = "follows", description = "Follows, follow requests and blocks"),
        (name = "notifications", description = "Notifications"),
        (name = "health", description = "Health checks and this document"),
        (name = "monitoring", description = "Metrics"),
    ),
)]
struct ApiDoc;

/// Builds the OpenAPI 3.1 document of the whole API.
pub fn document() -> Value {
    let mut document = serde_json::to_value(generated()).unwrap_or_default();
    let items = document["paths"].as_object_mut().into_iter().flatten();
    for (pattern, item) in items {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            if let Ok(method) = method.to_uppercase().parse() {
                add_common_parts(operation, &method, pattern);
            }
        }
    }
    refine_schemas(&mut document);
    document
}

/// Builds the same document in OpenAPI 3.0.3.
pub fn document_3_0() -> Value {
    to_3_0(document())
}

/// Returns what the handlers declare.
fn generated() -> OpenApi {
    let mut document = ApiDoc::openapi();
    document.merge(crate::declared_document());
    // A greeting for people, not part of the API (docs/http-api.md#root).
    document.paths.paths.remove("/");
    let token =
        HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(TOKEN_DESCRIPTION));
    let components = document.components.get_or_insert_default();
    components.add_security_scheme(TOKEN, SecurityScheme::Http(token.build()));
    document
}

const TOKEN: &str = "token";
const TOKEN_DESCRIPTION: &str = "The `access_token` in the response of `POST /api/v1/auth/signup` or `POST /api/v1/auth/login`.";

fn operations(item: &PathItem) -> impl Iterator<Item = (Method, &Operation)> {
    [
        (Method::GET, &item.get),
        (Method::POST, &item.post),
        (Method::PUT, &item.put),
        (Method::PATCH, &item.patch),
        (Method::DELETE, &item.delete),
    ]
    .into_iter()
    .filter_map(|(method, operation)| operation.as_ref().map(|operation| (method, operation)))
}

static DOCUMENT_JSON: LazyLock<String> = LazyLock::new(|| document().to_string());
static DOCUMENT_3_0_JSON: LazyLock<String> = LazyLock::new(|| document_3_0().to_string());

/// Returns this document.
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "health",
    responses((status = 200, body = Object, description = "The OpenAPI 3.1 document")),
)]
pub(crate) async fn get_openapi_document() -> HttpResponse {
    HttpResponse::Ok().content_type(ContentType::json()).body(DOCUMENT_JSON.as_str())
}

/// Returns this document in OpenAPI 3.0, for generators that do not read 3.1.
#[utoipa::path(
    get,
    path = "/openapi-3.0.json",
    tag = "health",
    responses((status = 200, body = Object, description = "The OpenAPI 3.0 document")),
)]
pub(crate) async fn get_openapi_3_0_document() -> HttpResponse {
    HttpResponse::Ok().content_type(ContentType::json()).body(DOCUMENT_3_0_JSON.as_str())
}
