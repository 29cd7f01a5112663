//! The OpenAPI document, generated from the handlers.

mod route_table;
pub(crate) mod swagger_ui;

use std::sync::LazyLock;

use actix_web::http::Method;
use actix_web::http::header::ContentType;
use actix_web::{App, HttpResponse, get};
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Content, ContentBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{OpenApi as _, ToSchema};
use utoipa_actix_web::AppExt;

use crate::access::{Access, access_to};
use crate::response::Problem;

pub(crate) use self::route_table::ROUTES;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(title = "Grateful", description = "API of a server for gratitude communities: posts, feeds, follows and notifications."),
    components(schemas(Problem)),
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

/// Builds the OpenAPI document of the whole API.
pub fn document() -> OpenApi {
    let (_, mut document) = App::new()
        .into_utoipa_app()
        .openapi(ApiDoc::openapi())
        .configure(crate::register_routes)
        .split_for_parts();
    // A greeting for people, not part of the API (docs/http-api.md#root).
    document.paths.paths.remove("/");
    let components = document.components.get_or_insert_default();
    components.add_security_scheme(TOKEN, SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    for (pattern, item) in &mut document.paths.paths {
        for (method, operation) in operations_mut(item) {
            add_common_parts(operation, access_to(&method, pattern));
        }
    }
    document
}

const TOKEN: &str = "token";
const JSON: &str = "application/json";

/// Adds the parts that all operations have in common: error responses and security.
fn add_common_parts(operation: &mut Operation, access: Access) {
    let problem = |description: &str| {
        let body =
            ContentBuilder::new().schema(Some(Ref::from_schema_name(Problem::name()))).build();
        ResponseBuilder::new().description(description).content(Problem::MEDIA_TYPE, body).build()
    };
    let responses = &mut operation.responses.responses;
    for response in responses.values_mut() {
        set_problem_media_type(response);
    }
    responses.insert("default".to_owned(), problem("Any other error").into());
    if access != Access::Public {
        responses.insert("401".to_owned(), problem("The token is missing or invalid").into());
        let token = SecurityRequirement::new(TOKEN, Vec::<String>::new());
        let mut security = vec![token];
        if access == Access::Optional {
            security.push(SecurityRequirement::default());
        }
        operation.security = Some(security);
    }
}

/// Changes the media type of [`Problem`] bodies, which handlers declare as JSON.
fn set_problem_media_type(response: &mut RefOr<Response>) {
    let RefOr::T(response) = response else { return };
    let is_problem = |content: &RefOr<Content>| {
        let RefOr::T(content) = content else { return false };
        matches!(&content.schema, Some(RefOr::Ref(to)) if to.ref_location.ends_with("/Problem"))
    };
    if response.content.get(JSON).is_some_and(is_problem)
        && let Some(content) = response.content.swap_remove(JSON)
    {
        response.content.insert(Problem::MEDIA_TYPE.to_owned(), content);
    }
}

fn operations_mut(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    [
        (Method::GET, &mut item.get),
        (Method::POST, &mut item.post),
        (Method::PUT, &mut item.put),
        (Method::PATCH, &mut item.patch),
        (Method::DELETE, &mut item.delete),
    ]
    .into_iter()
    .filter_map(|(method, operation)| operation.as_mut().map(|operation| (method, operation)))
}

/// The serialized document.
static DOCUMENT_JSON: LazyLock<String> = LazyLock::new(|| document().to_json().unwrap_or_default());

/// Returns this document.
#[utoipa::path(
    tag = "health",
    responses((status = 200, body = Object, description = "The OpenAPI 3.1 document")),
)]
#[get("/openapi.json")]
pub(crate) async fn get_openapi_document() -> HttpResponse {
    HttpResponse::Ok().content_type(ContentType::json()).body(DOCUMENT_JSON.as_str())
}
