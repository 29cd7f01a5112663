//! `/docs`: Swagger UI, served from the binary.

use std::io::Read;
use std::sync::Arc;

use actix_web::http::header::{
    AcceptEncoding, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, ETAG, Encoding,
    EntityTag, Header, VARY,
};
use actix_web::web::{Html, Path};
use actix_web::{HttpRequest, HttpResponse, Responder};
use flate2::read::GzDecoder;
use sha2::{Digest, Sha256};
use utoipa_swagger_ui::{Config, SwaggerFile, Url};

use crate::error::ApiError;
use crate::request::IfNoneMatch;

/// The page of Swagger UI, with absolute paths. Its own relative paths do not work, since the path of this page does
/// not end with a slash.
const PAGE: &str = r#"<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>Grateful API</title>
  <link rel="icon" href="/docs/favicon-32x32.png">
  <link rel="stylesheet" href="/docs/swagger-ui.css">
  <link rel="stylesheet" href="/docs/index.css">
</head>
<body>
  <div id="swagger-ui"></div>
  <script src="/docs/swagger-ui-bundle.js"></script>
  <script src="/docs/swagger-ui-standalone-preset.js"></script>
  <script src="/docs/swagger-initializer.js"></script>
</body>
</html>
"#;

/// Allows only scripts of this server, and the inline styles and icons of Swagger UI.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                      img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'";

pub(crate) async fn get_docs_page() -> impl Responder {
    Html::new(PAGE).customize().insert_header((CONTENT_SECURITY_POLICY, POLICY))
}

pub(crate) async fn get_docs_file(
    request: HttpRequest,
    name: Path<String>,
    if_none_match: IfNoneMatch,
) -> Result<HttpResponse, ApiError> {
    let file = find_file(&name).ok_or(ApiError::UnknownRoute)?;
    Ok(file_response(file, accepts_gzip(&request), &if_none_match))
}

fn find_file(name: &str) -> Option<SwaggerFile<'static>> {
    let urls =
        [Url::new("OpenAPI 3.1", "/openapi.json"), Url::new("OpenAPI 3.0", "/openapi-3.0.json")];
    // A token that was entered once is kept when the page is loaded again.
    let config = Config::new(urls).persist_authorization(true);
    utoipa_swagger_ui::serve(name, Arc::new(config)).ok().flatten()
}

fn accepts_gzip(request: &HttpRequest) -> bool {
    let supported = [Encoding::gzip(), Encoding::identity()];
    let accepted = AcceptEncoding::parse(request).ok();
    accepted.and_then(|accepted| accepted.negotiate(supported.iter())) == Some(Encoding::gzip())
}

/// Serves a file as it is in the binary, where most files are compressed, or decompressed for clients that do not accept
/// gzip. Caches may keep it for an hour, since its name does not change with its content.
fn file_response(
    file: SwaggerFile<'static>,
    accepts_gzip: bool,
    if_none_match: &IfNoneMatch,
) -> HttpResponse {
    let sends_gzip = file.gzpipped && accepts_gzip;
    let bytes = if file.gzpipped && !accepts_gzip {
        decompressed(&file.bytes)
    } else {
        file.bytes.into_owned()
    };
    let prefix = Sha256::digest(&bytes).first_chunk().copied().unwrap_or_default();
    let tag = EntityTag::new_strong(format!("{:032x}", u128::from_be_bytes(prefix)));
    let is_current = if_none_match.matches(&tag);
    let mut response = if is_current { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response
        .insert_header((ETAG, tag))
        .insert_header((CACHE_CONTROL, "public, max-age=3600"))
        .insert_header((VARY, "Accept-Encoding"));
    if is_current {
        return response.finish();
    }
    if sends_gzip {
        response.insert_header((CONTENT_ENCODING, "gzip"));
    }
    response.content_type(file.content_type).body(bytes)
}

/// The files are compressed at build time, so they can always be decompressed.
fn decompressed(gzip: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    _ = GzDecoder::new(gzip).read_to_end(&mut bytes);
    bytes
}
