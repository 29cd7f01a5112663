//! What people are told, over HTTP without a socket. One program, so that it is linked once.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

/// What the tests of several resources share.
mod support;

/// `/notifications/{id}/children`
mod children;
/// `/notifications` and `/notifications/summary`
mod list;
/// Being named in posts and comments.
mod mentions;
/// `/notifications/{id}/read` and `/notifications/read-all`
mod reading;
/// `/notifications/stats`
mod stats;
/// `/notifications/stream`
mod stream;
/// `/notifications/stream/ticket`
mod ticket;

#[test]
fn the_document_says_how_long_the_lists_are_unless_asked_otherwise() {
    let document = serde_json::to_value(grateful_web::document()).unwrap();
    for (path, default) in
        [("/api/v1/notifications", 20), ("/api/v1/notifications/{id}/children", 100)]
    {
        let parameters = document["paths"][path]["get"]["parameters"].as_array().unwrap();
        let limit = parameters.iter().find(|parameter| parameter["name"] == "limit").unwrap();
        assert_eq!(limit["schema"]["default"], default, "{path}");
    }
}
