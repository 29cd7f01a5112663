//! What people do with posts, over HTTP without a socket. One program, so that it is linked once.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

/// What the tests of several resources share.
mod support;

/// `/posts/{id}/comments` and `/comments`
mod comments;
/// `/posts/{id}/heart` and `/posts/{id}/hearts`
mod hearts;
/// `/posts/{id}/reactions`
mod reactions;
/// `/posts/{id}/share`
mod shares;
/// What posts say of it wherever they are listed.
mod standing;

#[test]
fn the_document_says_how_long_the_lists_are_unless_asked_otherwise() {
    let document = serde_json::to_value(grateful_web::document()).unwrap();
    for (path, default) in [
        ("/api/v1/posts/{id}/hearts/users", 100),
        ("/api/v1/posts/{id}/reactions", 100),
        ("/api/v1/posts/{id}/comments", 100),
        ("/api/v1/comments/{id}/replies", 100),
        ("/api/v1/posts/feed", 20),
        ("/api/v1/users/{id}/posts", 20),
    ] {
        let parameters = document["paths"][path]["get"]["parameters"].as_array().unwrap();
        let limit = parameters.iter().find(|parameter| parameter["name"] == "limit").unwrap();
        assert_eq!(limit["schema"]["default"], default, "{path}");
    }
}
