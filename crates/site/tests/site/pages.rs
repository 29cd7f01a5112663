use actix_web::http::{Method, StatusCode};
use actix_web::test::TestRequest;
use rstest::rstest;

use crate::support::{BROWSER, PUBLIC_POST, a_preview, open, send};

#[rstest]
#[case::a_browser(BROWSER)]
#[case::html_alone("text/html")]
#[case::html_before_json("application/json;q=0.5, text/html")]
#[actix_web::test]
async fn the_home_page_is_html_for_clients_that_prefer_html(#[case] accept: &str) {
    let request = TestRequest::get().uri("/").insert_header(("Accept", accept));

    let response = send(a_preview(), request).await;

    assert_eq!(response.header("Content-Type"), "text/html; charset=utf-8");
    assert!(response.body.starts_with("<!doctype html>"), "{}", response.body);
}

#[rstest]
#[case::a_program("*/*")]
#[case::json("application/json")]
#[case::json_before_html("text/html;q=0.5, application/json")]
#[case::json_as_well_as_html("text/html, application/json")]
#[case::any_text("text/*")]
#[case::no_html("text/html;q=0, */*")]
#[case::malformed("text;html")]
#[actix_web::test]
async fn the_home_page_is_left_to_the_api_for_all_other_clients(#[case] accept: &str) {
    let request = TestRequest::get().uri("/").insert_header(("Accept", accept));

    assert_eq!(send(a_preview(), request).await.body, "the API");
}

#[actix_web::test]
async fn the_home_page_is_left_to_the_api_without_an_accept_header() {
    assert_eq!(send(a_preview(), TestRequest::get().uri("/")).await.body, "the API");
}

#[rstest]
#[case("/newest")]
#[case("/notifications")]
#[case("/search?q=ana")]
#[case("/settings")]
#[case("/signin?next=%2Fpost%2F1")]
#[case("/signup")]
#[case("/people/ana")]
#[case("/people/ana/followers")]
#[case("/people/ana/following")]
#[case("/post/unknown")]
#[actix_web::test]
async fn every_page_of_the_client_is_the_same_html(#[case] path: &str) {
    let (home, page) = (open("/").await, open(path).await);

    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(page.body, home.body);
    assert_eq!(page.header("ETag"), home.header("ETag"));
}

#[rstest]
#[case("/people")]
#[case("/people/ana/enemies")]
#[case("/post")]
#[case("/post/1/2")]
#[case("/elsewhere")]
#[actix_web::test]
async fn the_page_of_other_paths_says_that_they_are_not_found(#[case] path: &str) {
    let (page, home) = (open(path).await, open("/").await);

    assert_eq!(page.status, StatusCode::NOT_FOUND);
    assert_eq!(page.body, home.body);
    assert_eq!(page.header("Content-Security-Policy"), home.header("Content-Security-Policy"));
    assert_eq!(page.header("ETag"), "", "no cache keeps it");
    let by_program = send(a_preview(), TestRequest::get().uri(path)).await;
    assert_eq!((by_program.status, &*by_program.body), (StatusCode::NOT_FOUND, ""));
}

#[rstest]
#[case("/api")]
#[case("/api/v1/elsewhere")]
#[case("/uploads/none.jpg")]
#[case("/assets/1/none.js")]
#[actix_web::test]
async fn paths_of_the_api_and_of_files_have_no_page(#[case] path: &str) {
    let response = open(path).await;

    assert_eq!((response.status, &*response.body), (StatusCode::NOT_FOUND, ""));
}

#[actix_web::test]
async fn the_policy_of_a_page_allows_only_files_of_this_server() {
    for path in ["/", "/settings", &format!("/post/{PUBLIC_POST}")] {
        let page = open(path).await;
        let policy = page.header("Content-Security-Policy").to_owned();

        assert!(policy.starts_with("default-src 'none'; "), "{policy}");
        for directive in ["script-src", "style-src", "connect-src"] {
            assert!(policy.contains(&format!("{directive} 'self';")), "{policy}");
        }
        assert!(policy.contains("require-trusted-types-for 'script'"), "{policy}");
        for hole in ["unsafe", "http", "data:", "*", "nonce"] {
            assert!(!policy.contains(hole), "{hole}: {policy}");
        }
    }
}

#[actix_web::test]
async fn a_page_has_no_inline_script_style_or_handler() {
    let page = open(&format!("/post/{PUBLIC_POST}")).await.body;
    let inline =
        regex::Regex::new(r"(?s)<script[^>]*>[^<]+</script>|<style|\sstyle=|\son\w+=").unwrap();

    assert_eq!(inline.find(&page).map(|found| found.as_str()), None, "{page}");
}

#[actix_web::test]
async fn a_page_names_nothing_on_other_hosts() {
    let page = open("/").await.body;

    assert!(page.contains("/assets/"), "{page}");
    assert!(!page.contains("//"), "{page}");
}

#[actix_web::test]
async fn a_page_is_checked_before_each_use_and_not_sent_twice() {
    let page = open("/").await;
    assert_eq!(page.header("Cache-Control"), "no-cache");
    assert_eq!(page.header("Vary"), "Accept, Accept-Encoding");

    let request = TestRequest::get().uri("/").insert_header(("Accept", BROWSER));
    let request = request.insert_header(("If-None-Match", page.header("ETag")));
    let again = send(a_preview(), request).await;

    assert_eq!(again.status, StatusCode::NOT_MODIFIED);
    assert_eq!(again.body, "");
    assert_eq!(again.header("ETag"), page.header("ETag"));
    assert_eq!(again.header("Content-Security-Policy"), page.header("Content-Security-Policy"));
}

#[rstest]
#[case("/settings")]
#[case("/people/ana")]
#[case("/post/1")]
#[case("/assets/1/main.js")]
#[actix_web::test]
async fn pages_and_files_refuse_methods_that_would_change_something(#[case] path: &str) {
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        let request = TestRequest::default().method(method).uri(path);

        let response = send(a_preview(), request).await;

        assert_eq!(response.status, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(response.header("Allow"), "GET, HEAD");
    }
}
