//! What anybody may ask how often, by the settings, of all threads together.

use futures_util::future::join_all;
use grateful_tests::{PASSWORD, Setup, json};

#[tokio::test]
async fn all_threads_of_a_server_count_together() {
    let setup = limited().await.env("GRATEFUL_WORKERS", 4).env("GRATEFUL_LIMIT_WRITES", "7/h");
    let server = setup.start().await;
    let ana = server.client().sign_up("ana").await;

    // Each on a connection of its own, which the threads take in turn.
    let clients: Vec<_> = (0..24).map(|_| server.client()).collect();
    let posting = clients.iter().map(|client| client.create_post(&ana, "For rain.").send());
    let statuses: Vec<u16> =
        join_all(posting).await.iter().map(|response| response.status).collect();

    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 7, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 17, "{statuses:?}");
    server.client().get_session(&ana).send().await.expect(200);
}

#[tokio::test]
async fn whoever_comes_by_way_of_the_front_end_is_known_by_the_address_it_names() {
    let server = limited().await.env("GRATEFUL_LIMIT_LOGINS", "2/h").start().await;
    let log_in = |from: &str| {
        let call = server.client().log_in("nobody", PASSWORD);
        if from.is_empty() { call } else { call.header("X-Forwarded-For", from) }
    };

    for (from, status) in [
        ("192.0.2.1", 401),
        ("198.51.100.1, 192.0.2.1", 401),
        ("198.51.100.2, 192.0.2.1", 429),
        ("192.0.2.2", 401),
        ("", 401),
        ("", 401),
        ("", 401),
    ] {
        log_in(from).send().await.expect(status);
    }
}

#[tokio::test]
async fn where_no_proxy_is_trusted_none_is_believed() {
    let setup = limited().await.env("GRATEFUL_LIMIT_LOGINS", "2/h");
    let server = setup.env("GRATEFUL_TRUSTED_PROXIES", "").start().await;

    for (number, status) in [401, 401, 429].into_iter().enumerate() {
        let from = format!("192.0.2.{number}");
        let call = server.client().log_in("nobody", PASSWORD).header("X-Forwarded-For", &from);
        call.send().await.expect(status);
    }
}

#[tokio::test]
async fn an_account_bears_as_many_wrong_passwords_as_configured_on_all_threads() {
    let setup = limited().await.env("GRATEFUL_WORKERS", 4);
    let server = setup.env("GRATEFUL_LIMIT_FAILED_LOGINS", "3/h").start().await;
    server.client().sign_up("ana").await;

    let clients: Vec<_> = (0..12).map(|_| server.client()).collect();
    let guessing = clients.iter().map(|client| client.log_in("ana", "battery staple").send());
    let statuses: Vec<u16> =
        join_all(guessing).await.iter().map(|response| response.status).collect();

    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 3, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 9, "{statuses:?}");
    server.client().log_in("ana", PASSWORD).send().await.expect(429);
}

#[tokio::test]
async fn a_geocoder_that_is_not_there_is_a_clear_answer_and_no_more_than_that() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{closed}");
    let server =
        Setup::with_test_database().await.env("GRATEFUL_NOMINATIM_URL", url.as_str()).start().await;
    let ana = server.client().sign_up("ana").await;
    let search = server.client().post("/api/v1/users/location/search").by(&ana);

    let response = search.json(&json!({"query": "Rain"})).send().await;

    let details = &response.expect(400).json()["error"]["details"];
    assert_eq!(*details, json!({"constraint": "nominatim_request_error"}));
}

async fn limited() -> Setup {
    Setup::with_test_database().await.env("GRATEFUL_RATE_LIMITS", "on")
}
