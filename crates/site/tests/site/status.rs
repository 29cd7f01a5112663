use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use grateful_site::StatusAccess;
use rstest::rstest;

use crate::support::{open, send_with_status};

fn from(peer: &str) -> TestRequest {
    let peer = format!("{peer}:4711").parse().unwrap();
    TestRequest::get().uri("/about/server").peer_addr(peer)
}

#[rstest]
#[case("127.0.0.1")]
#[case("127.8.8.8")]
#[case("[::1]")]
#[case("[::ffff:127.0.0.1]")]
#[actix_web::test]
async fn programs_on_the_machine_of_the_server_can_open_the_page_for_operators(#[case] peer: &str) {
    let page = send_with_status(StatusAccess::Loopback, from(peer)).await;

    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("<h1>Server</h1>"), "{}", page.body);
}

#[rstest]
#[case("192.0.2.7")]
#[case("10.0.0.1")]
#[case("[2001:db8::1]")]
#[case("[::ffff:192.0.2.7]")]
#[actix_web::test]
async fn the_page_for_operators_does_not_exist_for_other_machines_unless_it_is_open_to_all(
    #[case] peer: &str,
) {
    let hidden = send_with_status(StatusAccess::Loopback, from(peer)).await;
    let open = send_with_status(StatusAccess::Everyone, from(peer)).await;

    assert_eq!(hidden.status, StatusCode::NOT_FOUND);
    assert_eq!(open.status, StatusCode::OK);
}

#[rstest]
#[case("X-Forwarded-For", "192.0.2.7")]
#[case("X-Forwarded-For", "127.0.0.1")]
#[case("X-Forwarded-For", "")]
#[case("Forwarded", "for=127.0.0.1")]
#[case("X-Real-IP", "127.0.0.1")]
#[case("Via", "1.1 proxy")]
#[actix_web::test]
async fn a_request_that_a_local_proxy_forwards_does_not_count_as_local(
    #[case] header: &str,
    #[case] value: &str,
) {
    let request = from("127.0.0.1").insert_header((header, value));

    let page = send_with_status(StatusAccess::Loopback, request).await;

    assert_eq!(page.status, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn a_request_without_a_known_peer_does_not_count_as_local() {
    let request = TestRequest::get().uri("/about/server");

    let page = send_with_status(StatusAccess::Loopback, request).await;

    assert_eq!(page.status, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn the_page_for_operators_has_the_policy_of_the_client_and_files_of_its_own() {
    let page = send_with_status(StatusAccess::Loopback, from("127.0.0.1")).await;
    let home = open("/").await;

    let policy = page.header("Content-Security-Policy");
    assert_eq!(policy, home.header("Content-Security-Policy"));
    let links = regex::Regex::new(r#"(?:href|src)="(/assets/[^"]+)""#).unwrap();
    let mut own = 0;
    for found in links.captures_iter(&page.body) {
        assert_eq!(open(&found[1]).await.status, StatusCode::OK, "{}", &found[1]);
        own += usize::from(found[1].contains("/status/"));
    }
    assert_eq!(own, 2, "{}", page.body);
    // The client does not load them.
    assert!(!home.body.contains("/status/"), "{}", home.body);
    assert!(!page.body.contains('{'), "every link is filled in: {}", page.body);
}
