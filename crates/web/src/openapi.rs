//! The OpenAPI document, made from the handlers.

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
    info(title = "Grateful", description = "Gratitude communities: posts, and the people who write them."),
    components(schemas(Problem)),
    tags(
        (name = "auth", description = "Joining, signing in and out"),
        (name = "users", description = "People and what they wrote"),
        (name = "people", description = "Finding people by name"),
        (name = "profiles", description = "What people say of themselves, and leaving"),
        (name = "photos", description = "What people look like"),
        (name = "avatars", description = "What stands for people who have no photo"),
        (name = "export", description = "All that is held about somebody, for themselves"),
        (name = "locations", description = "Where people live"),
        (name = "posts", description = "What people are thankful for"),
        (name = "feed", description = "What everybody is thankful for"),
        (name = "hearts", description = "Giving posts a heart"),
        (name = "reactions", description = "Leaving emoji on posts"),
        (name = "shares", description = "Passing posts on"),
        (name = "comments", description = "What is said about posts"),
        (name = "follows", description = "Who follows whom, and who has blocked whom"),
        (name = "notifications", description = "What people are told"),
        (name = "health", description = "Whether the server can work"),
        (name = "monitoring", description = "How the server works"),
    ),
)]
struct ApiDoc;

/// The whole API: paths, bodies, answers.
pub fn document() -> OpenApi {
    let (_, mut document) = App::new()
        .into_utoipa_app()
        .openapi(ApiDoc::openapi())
        .configure(crate::register_routes)
        .split_for_parts();
    // Says hello to people, and is no part of the API (contract §3).
    document.paths.paths.remove("/");
    let components = document.components.get_or_insert_default();
    components.add_security_scheme(TOKEN, SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    for (pattern, item) in &mut document.paths.paths {
        for (method, operation) in operations_mut(item) {
            complete(operation, access_to(&method, pattern));
        }
    }
    document
}

const TOKEN: &str = "token";
const JSON: &str = "application/json";

/// Adds what holds for all operations alike, so that no handler repeats it.
fn complete(operation: &mut Operation, access: Access) {
    let problem = |description: &str| {
        let body =
            ContentBuilder::new().schema(Some(Ref::from_schema_name(Problem::name()))).build();
        ResponseBuilder::new().description(description).content(Problem::MEDIA_TYPE, body).build()
    };
    let responses = &mut operation.responses.responses;
    for response in responses.values_mut() {
        as_problem_json(response);
    }
    responses.insert("default".to_owned(), problem("Anything that went wrong").into());
    if access != Access::Public {
        responses
            .insert("401".to_owned(), problem("The token is missing or no longer good").into());
        let token = SecurityRequirement::new(TOKEN, Vec::<String>::new());
        let mut security = vec![token];
        if access == Access::Optional {
            security.push(SecurityRequirement::default());
        }
        operation.security = Some(security);
    }
}

/// Handlers name [`Problem`] as a body like any other; its media type is its own.
fn as_problem_json(response: &mut RefOr<Response>) {
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

/// The document as it is sent.
static TEXT: LazyLock<String> = LazyLock::new(|| document().to_json().unwrap_or_default());

/// This document.
#[utoipa::path(
    tag = "health",
    responses((status = 200, body = Object, description = "The document, in OpenAPI 3.1")),
)]
#[get("/openapi.json")]
pub(crate) async fn get_openapi_document() -> HttpResponse {
    HttpResponse::Ok().content_type(ContentType::json()).body(TEXT.as_str())
}
