//! `/docs`: Swagger UI, served from the binary.

mod archive;

use actix_web::http::header::{
    AcceptEncoding, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, ETAG, Encoding,
    EntityTag, Header, VARY,
};
use actix_web::web::{Html, Path};
use actix_web::{HttpRequest, HttpResponse, Responder};
use sha2::{Digest, Sha256};

use self::archive::ArchivedFile;
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

const INITIALIZER: &str = "swagger-initializer.js";

/// Both documents, and that a token is kept when the page is loaded again.
const SETTINGS: &str = r##"  "dom_id": "#swagger-ui",
  "urls": [
    {
      "name": "OpenAPI 3.1",
      "url": "/openapi.json"
    },
    {
      "name": "OpenAPI 3.0",
      "url": "/openapi-3.0.json"
    }
  ],
  "deepLinking": true,
  "persistAuthorization": true,
  "layout": "StandaloneLayout""##;

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
    let file = DocsFile::find(&name, accepts_gzip(&request)).ok_or(ApiError::UnknownRoute)?;
    Ok(file.into_response(content_type(&name), &if_none_match))
}

fn accepts_gzip(request: &HttpRequest) -> bool {
    let supported = [Encoding::gzip(), Encoding::identity()];
    let accepted = AcceptEncoding::parse(request).ok();
    accepted.and_then(|accepted| accepted.negotiate(supported.iter())) == Some(Encoding::gzip())
}

/// A file of Swagger UI as it is sent.
struct DocsFile {
    bytes: Vec<u8>,
    is_gzip: bool,
}

impl DocsFile {
    /// Most files are compressed in the binary, and are decompressed for clients that do not accept gzip.
    fn find(name: &str, accepts_gzip: bool) -> Option<Self> {
        let file = ArchivedFile::find(name)?;
        if name == INITIALIZER {
            return Some(Self { bytes: configured(&file)?.into_bytes(), is_gzip: false });
        }
        let is_gzip = file.is_compressed && accepts_gzip;
        Some(Self { bytes: if is_gzip { file.gzip() } else { file.bytes() }, is_gzip })
    }

    /// Caches may keep the file for an hour, since its name does not change with its content.
    fn into_response(
        self,
        content_type: &'static str,
        if_none_match: &IfNoneMatch,
    ) -> HttpResponse {
        let prefix = Sha256::digest(&self.bytes).first_chunk().copied().unwrap_or_default();
        let tag = EntityTag::new_strong(format!("{:032x}", u128::from_be_bytes(prefix)));
        let is_current = if_none_match.matches(&tag);
        let mut response =
            if is_current { HttpResponse::NotModified() } else { HttpResponse::Ok() };
        response
            .insert_header((ETAG, tag))
            .insert_header((CACHE_CONTROL, "public, max-age=3600"))
            .insert_header((VARY, "Accept-Encoding"));
        if is_current {
            return response.finish();
        }
        if self.is_gzip {
            response.insert_header((CONTENT_ENCODING, "gzip"));
        }
        response.content_type(content_type).body(self.bytes)
    }
}

/// The script that starts Swagger UI, with our settings in place of the example's.
fn configured(initializer: &ArchivedFile) -> Option<String> {
    let script = String::from_utf8(initializer.bytes()).ok()?;
    let (start, rest) = script.split_once("url:")?;
    let (_example, end) = rest.split_once("deepLinking: true")?;
    Some(format!("{start}{SETTINGS}{}", end.replace("layout: \"StandaloneLayout\"", "")))
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.') {
        Some((_, "css")) => "text/css",
        Some((_, "html")) => "text/html",
        Some((_, "js")) => "text/javascript",
        Some((_, "png")) => "image/png",
        _ => "application/octet-stream",
    }
}
