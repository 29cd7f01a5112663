//! `/docs`: Swagger UI, served from the binary.

use std::sync::Arc;

use actix_web::http::header::CONTENT_SECURITY_POLICY;
use actix_web::web::{Html, Path};
use actix_web::{HttpResponse, Responder, get};
use utoipa_swagger_ui::Config;

use crate::error::ApiError;

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

#[get("/docs")]
pub(crate) async fn get_docs_page() -> impl Responder {
    Html::new(PAGE).customize().insert_header((CONTENT_SECURITY_POLICY, POLICY))
}

#[get("/docs/{file}")]
pub(crate) async fn get_docs_file(name: Path<String>) -> Result<HttpResponse, ApiError> {
    let config = Arc::new(Config::new(["/openapi.json"]));
    let file =
        utoipa_swagger_ui::serve(&name, config).ok().flatten().ok_or(ApiError::UnknownRoute)?;
    let mut response = HttpResponse::Ok();
    response.content_type(file.content_type).insert_header(("Cache-Control", "no-cache"));
    if file.gzpipped {
        response.insert_header(("Content-Encoding", "gzip"));
    }
    Ok(response.body(file.bytes.into_owned()))
}
