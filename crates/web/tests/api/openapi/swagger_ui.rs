//! `/docs`: Swagger UI.

use std::io::Read as _;

use flate2::read::GzDecoder;
use grateful_testkit::{Api, a_post};

use crate::support::post_path;

const SCRIPT: &str = "/docs/swagger-ui-bundle.js";
const ICON: &str = "/docs/favicon-32x32.png";

#[actix_web::test]
async fn swagger_ui_loads_all_its_files_from_this_server() {
    let api = Api::create().await;
    a_post().insert_into(api.database()).await;

    let page = api.get("/docs").send().await.expect(200);

    let html = String::from_utf8(page.body.clone()).unwrap();
    assert!(!html.contains("http://") && !html.contains("https://"), "{html}");
    let files: Vec<&str> = html.split('"').filter(|text| text.starts_with("/docs/")).collect();
    for stylesheet in ["/docs/swagger-ui.css", "/docs/index.css"] {
        assert!(files.contains(&stylesheet), "{files:?}");
    }
    for file in files {
        let response = api.get(file).send().await.expect(200);
        assert!(!response.body.is_empty(), "{file}");
    }
    api.get(&post_path("docs")).send().await.expect(404);
}

#[actix_web::test]
async fn swagger_ui_offers_both_documents_and_keeps_the_token() {
    let api = Api::create().await;

    let start = api.get("/docs/swagger-initializer.js").send().await.expect(200);

    let script = String::from_utf8(start.body).unwrap();
    assert!(script.contains("/openapi.json") && script.contains("/openapi-3.0.json"), "{script}");
    assert!(script.contains("\"persistAuthorization\": true"), "{script}");
    assert!(!script.contains("petstore"), "{script}");
}

#[actix_web::test]
async fn the_files_of_swagger_ui_are_compressed_for_clients_that_accept_gzip() {
    let api = Api::create().await;

    let plain = api.get(SCRIPT).send().await.expect(200);
    let gzip = api.get(SCRIPT).header("Accept-Encoding", "gzip, br").send().await.expect(200);
    let refused = api.get(SCRIPT).header("Accept-Encoding", "gzip;q=0").send().await.expect(200);

    assert_eq!(gzip.header("content-encoding"), Some("gzip"));
    assert!(gzip.body.starts_with(&[0x1f, 0x8b]));
    assert!(2 * gzip.body.len() < plain.body.len());
    assert_eq!(plain.header("content-encoding"), None);
    assert!(String::from_utf8(plain.body.clone()).is_ok());
    assert_eq!(refused.body, plain.body);
    for response in [plain, gzip] {
        let vary = response.header("vary").unwrap_or_default();
        assert!(vary.contains("Accept-Encoding"), "{vary}");
    }
}

#[actix_web::test]
async fn the_files_of_swagger_ui_are_cached_and_revalidated() {
    let api = Api::create().await;
    let first = api.get(SCRIPT).send().await.expect(200);
    assert_eq!(first.header("cache-control"), Some("public, max-age=3600"));
    let tag = first.header("etag").unwrap();

    let again = api.get(SCRIPT).header("If-None-Match", tag).send().await.expect(304);

    assert!(again.body.is_empty());
    assert_eq!(again.header("etag"), Some(tag));
}

#[actix_web::test]
async fn both_forms_of_a_file_have_the_same_content() {
    let api = Api::create().await;

    for (file, content_type) in
        [(SCRIPT, "text/javascript"), ("/docs/swagger-ui.css", "text/css"), (ICON, "image/png")]
    {
        let plain = api.get(file).send().await.expect(200);
        let gzip = api.get(file).header("Accept-Encoding", "gzip").send().await.expect(200);

        assert_eq!(plain.header("content-type"), Some(content_type));
        assert_eq!(gzip.header("content-type"), Some(content_type));
        let mut decompressed = Vec::new();
        match gzip.header("content-encoding") {
            Some(_) => _ = GzDecoder::new(&gzip.body[..]).read_to_end(&mut decompressed).unwrap(),
            None => decompressed.clone_from(&gzip.body),
        }
        assert!(decompressed == plain.body, "{file}");
    }
}

#[actix_web::test]
async fn only_files_that_swagger_ui_serves_are_found() {
    let api = Api::create().await;

    for name in ["swagger-ui.scss", "package.json", "..%2Fpackage.json", "README.md"] {
        api.get(&format!("/docs/{name}")).send().await.expect(404);
    }
}
