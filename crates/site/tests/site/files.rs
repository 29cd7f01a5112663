use std::io::Read as _;

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use flate2::read::GzDecoder;
use rstest::rstest;

use crate::support::{a_preview, linked_files, open, send};

/// The most that the whole client may take on the way to a browser, in bytes.
const MAX_COMPRESSED: usize = 60_000;

#[actix_web::test]
async fn the_page_names_every_file_of_the_client() {
    let files = linked_files().await;

    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/client");
    let mut expected = Vec::new();
    let mut folders = vec![std::path::PathBuf::from(folder)];
    while let Some(inner) = folders.pop() {
        for entry in std::fs::read_dir(inner).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                // Those of the page for operators are another page's.
                folders.extend(Some(path).filter(|path| !path.ends_with("status")));
            } else if path.file_name().unwrap() != "page.html" {
                expected.push(path.strip_prefix(folder).unwrap().display().to_string());
            }
        }
    }
    expected.sort();
    let names: Vec<&str> = files.iter().map(|path| path.splitn(4, '/').last().unwrap()).collect();
    assert_eq!(names, expected);
}

#[actix_web::test]
async fn files_can_be_cached_for_ever_under_their_version() {
    for path in linked_files().await {
        let file = open(&path).await;

        assert_eq!(file.status, StatusCode::OK, "{path}");
        assert_eq!(file.header("Cache-Control"), "public, max-age=31536000, immutable");
        assert_eq!(file.header("Vary"), "Accept-Encoding");
        let expected = match path.rsplit('.').next().unwrap() {
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            _ => "image/svg+xml",
        };
        assert_eq!(file.header("Content-Type"), expected, "{path}");
    }
}

#[actix_web::test]
async fn a_file_under_another_version_is_not_cached() {
    let other = open("/assets/0123456789abcdef/main.js").await;

    assert_eq!(other.status, StatusCode::OK);
    assert_eq!(other.header("Cache-Control"), "no-cache");
}

#[rstest]
#[case("/assets/1/unknown.js")]
#[case("/assets/1/page.html")]
#[case("/assets/1/../Cargo.toml")]
#[case("/assets/1/views")]
#[case("/assets/1")]
#[case("/assets")]
#[actix_web::test]
async fn other_files_are_not_found(#[case] path: &str) {
    assert_eq!(open(path).await.status, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn a_compressed_file_is_the_same_file() {
    let plain = open("/assets/1/main.js").await;
    let request = TestRequest::get().uri("/assets/1/main.js");

    let response = send_bytes(request.insert_header(("Accept-Encoding", "br, gzip"))).await;

    assert_eq!(response.1, "gzip");
    let mut text = String::new();
    GzDecoder::new(&response.0[..]).read_to_string(&mut text).unwrap();
    assert_eq!(text, plain.body);
    assert_ne!(response.2, plain.header("ETag"), "a strong tag stands for the bytes");
}

#[actix_web::test]
async fn a_file_that_the_browser_has_is_not_sent_again() {
    let file = open("/assets/1/main.js").await;
    let request = TestRequest::get().uri("/assets/1/main.js");

    let again =
        send(a_preview(), request.insert_header(("If-None-Match", file.header("ETag")))).await;

    assert_eq!(again.status, StatusCode::NOT_MODIFIED);
    assert_eq!(again.body, "");
}

#[actix_web::test]
async fn the_whole_client_fits_into_sixty_kilobytes() {
    let mut total = 0;
    for path in linked_files().await.into_iter().chain(["/settings".to_owned()]) {
        let request = TestRequest::get().uri(&path).insert_header(("Accept-Encoding", "gzip"));
        total += send_bytes(request).await.0.len();
    }

    assert!(total <= MAX_COMPRESSED, "{total} bytes");
    assert!(10_000 < total, "the files were read: {total} bytes");
}

/// The body as it is sent, its encoding and its tag.
async fn send_bytes(request: TestRequest) -> (Vec<u8>, String, String) {
    let response = crate::support::send_raw(a_preview(), request).await;
    let header = |name| response.1.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
    (response.2, header("Content-Encoding"), header("ETag"))
}
