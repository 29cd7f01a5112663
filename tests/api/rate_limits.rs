//! Rate limits, which all threads of a server share.

use futures_util::future::join_all;
use grateful_tests::{PASSWORD, Setup};

#[tokio::test]
async fn all_threads_of_a_server_share_the_write_limit() {
    let setup = setup_with_rate_limits()
        .await
        .env("GRATEFUL_WORKERS", 4)
        .env("GRATEFUL_LIMIT_WRITES", "7/h");
    let server = setup.start().await;
    let ana = server.client().sign_up("ana").await;

    // Each client has connections of its own, which are distributed over the threads.
    let clients: Vec<_> = (0..24).map(|_| server.client()).collect();
    let requests = clients.iter().map(|client| client.create_post(&ana, "For rain.").send());
    let statuses: Vec<u16> =
        join_all(requests).await.iter().map(|response| response.status).collect();

    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 7, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 17, "{statuses:?}");
    server.client().get_session(&ana).send().await.expect(200);
}

#[tokio::test]
async fn nodes_that_divide_a_limit_allow_no_more_than_it_together() {
    let setup = setup_with_rate_limits().await.env("GRATEFUL_NODES", 2);
    let setup = setup.env("GRATEFUL_LIMIT_WRITES", "8/h");
    let nodes = [setup.start().await, setup.start().await];
    let clients = [nodes[0].client(), nodes[1].client()];
    let ana = clients[0].sign_up("ana").await;

    // As a proxy distributes them.
    let mut statuses = Vec::new();
    for number in 0..12 {
        let response = clients[number % 2].create_post(&ana, "For rain.").send().await;
        assert_eq!(response.header("ratelimit-policy"), Some("\"writes\";q=4;w=3600"));
        statuses.push(response.status);
    }

    assert_eq!(statuses, [[201; 8].as_slice(), &[429; 4]].concat());
}

#[tokio::test]
async fn behind_a_trusted_proxy_logins_are_limited_by_the_forwarded_address() {
    let server = setup_with_rate_limits().await.env("GRATEFUL_LIMIT_LOGINS", "2/h").start().await;
    let log_in = |forwarded_for: &str| {
        let request = server.client().log_in("unknown", PASSWORD);
        if forwarded_for.is_empty() {
            request
        } else {
            request.header("X-Forwarded-For", forwarded_for)
        }
    };

    for (forwarded_for, status) in [
        ("192.0.2.1", 401),
        ("198.51.100.1, 192.0.2.1", 401),
        ("198.51.100.2, 192.0.2.1", 429),
        ("192.0.2.2", 401),
        ("", 401),
        ("", 401),
        ("", 401),
    ] {
        log_in(forwarded_for).send().await.expect(status);
    }
}

#[tokio::test]
async fn a_forwarded_address_that_cannot_be_read_does_not_turn_the_limits_off() {
    let server = setup_with_rate_limits().await.env("GRATEFUL_LIMIT_LOGINS", "2/h").start().await;
    let log_in = async |forwarded_for: &[u8], number: u32| {
        let mut connection = server.connect().await;
        let body = format!("{{\"email\":\"u{number}@example.org\",\"password\":\"{PASSWORD}\"}}");
        let head = format!(
            "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nX-Forwarded-For: ",
            body.len()
        );
        let request = [head.as_bytes(), forwarded_for, b"\r\n\r\n", body.as_bytes()].concat();
        connection.round_trip(request).await.status
    };

    for (forwarded_for, expected) in [
        // The last address counts. The client sent what is before it.
        (&b"\xe9, 192.0.2.1"[..], [401, 401, 429]),
        (b"unknown, 192.0.2.2", [401, 401, 429]),
        // The address of the proxy.
        (b"192.0.2.3\xe9", [401, 401, 429]),
        (b"unknown", [429, 429, 429]),
    ] {
        for (number, status) in (0..).zip(expected) {
            let text = String::from_utf8_lossy(forwarded_for);
            assert_eq!(log_in(forwarded_for, number).await, status, "{text}");
        }
    }
}

#[tokio::test]
async fn without_a_trusted_proxy_the_forwarded_address_is_ignored() {
    for (variable, value) in [("GRATEFUL_TRUSTED_PROXIES", ""), ("GRATEFUL_LISTEN", "0.0.0.0:0")] {
        let setup = setup_with_rate_limits().await.env("GRATEFUL_LIMIT_LOGINS", "2/h");
        let server = setup.env(variable, value).start().await;

        for (number, status) in [401, 401, 429].into_iter().enumerate() {
            let forwarded_for = format!("192.0.2.{number}");
            let request = server.client().log_in("unknown", PASSWORD);
            request.header("X-Forwarded-For", &forwarded_for).send().await.expect(status);
        }
    }
}

#[tokio::test]
async fn all_threads_of_a_server_share_the_limit_of_failed_logins() {
    let setup = setup_with_rate_limits().await.env("GRATEFUL_WORKERS", 4);
    let server = setup.env("GRATEFUL_LIMIT_FAILED_LOGINS", "3/h").start().await;
    server.client().sign_up("ana").await;

    let clients: Vec<_> = (0..12).map(|_| server.client()).collect();
    let logins = clients.iter().map(|client| client.log_in("ana", "battery staple").send());
    let statuses: Vec<u16> =
        join_all(logins).await.iter().map(|response| response.status).collect();

    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 3, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 9, "{statuses:?}");
    server.client().log_in("ana", PASSWORD).send().await.expect(429);
}

async fn setup_with_rate_limits() -> Setup {
    Setup::with_test_database().await.env("GRATEFUL_RATE_LIMITS", "on")
}
