//! Signs up, posts, hearts and reads notifications with the client that progenitor generates.

#[expect(dead_code, unused_imports, reason = "the client has more than is used here")]
#[expect(unreachable_patterns, reason = "progenitor matches `4XX` before `404`")]
mod client {
    include!(concat!(env!("OUT_DIR"), "/client.rs"));
}

use std::fmt::Debug;

use client::types::{ErrorCode, NotificationType, PostType, Problem};
use client::{Client, Error, ResponseValue};
use reqwest::StatusCode;
use reqwest::header::{AUTHORIZATION, HeaderMap};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let url = std::env::args().nth(1).expect("the URL of the server");
    let (ana_id, ana) = sign_up(&url, "ana-rust").await;
    let (ben_id, ben) = sign_up(&url, "ben-rust").await;

    let content = "For the bus driver who waited.";
    let post = ana.create_post().body_map(|body| body.content(content)).send().await;
    let post = expect(StatusCode::CREATED, post);
    assert_eq!(post.author.id, ana_id);
    assert_eq!(post.content, content);
    assert_eq!(post.title, None);
    assert_eq!(post.post_type, PostType::Spontaneous);

    let heart = expect(StatusCode::CREATED, ben.add_heart().id(post.id).send().await);
    assert_eq!((heart.hearts_count, heart.is_hearted, heart.post_id), (1, true, post.id));
    let again = expect_problem(StatusCode::CONFLICT, ben.add_heart().id(post.id).send().await);
    assert_eq!(again.error.code, ErrorCode::AlreadyExists);
    assert_eq!(again.detail, "Post already hearted by user");

    let notifications = ana.list_notifications().limit(10).unread_only(true).send().await;
    let notifications = expect(StatusCode::OK, notifications);
    let [notification] = &notifications[..] else { panic!("{notifications:?}") };
    assert_eq!(notification.type_, NotificationType::Like);
    assert_eq!(notification.post_id, Some(post.id));
    assert_eq!(notification.data.post_id, Some(post.id));
    assert_eq!(notification.from_user.id, ben_id.to_string());
    assert!(!notification.read);

    let read =
        expect(StatusCode::OK, ana.mark_notification_read().id(notification.id).send().await);
    assert!(read.success);
    let summary = expect(StatusCode::OK, ana.get_notification_summary().send().await);
    assert_eq!((summary.unread_count, summary.total_count), (0, 1));
}

/// Signs up a user, and returns their id and a client with their token.
async fn sign_up(url: &str, username: &str) -> (i64, Client) {
    let guest = Client::new(url);
    let request = guest.sign_up().body_map(|body| {
        body.username(username).email(format!("{username}@example.org")).password("correct horse")
    });
    let account = expect(StatusCode::CREATED, request.send().await).data;
    assert_eq!(account.username, username);

    let authorization = format!("Bearer {}", account.access_token);
    let authorization = authorization.parse().expect("a valid header");
    let headers = HeaderMap::from_iter([(AUTHORIZATION, authorization)]);
    let http = reqwest::Client::builder().default_headers(headers).build();
    (account.id, Client::new_with_client(url, http.expect("a client")))
}

/// The body of a response that must have this status.
fn expect<T: Debug>(status: StatusCode, result: Result<ResponseValue<T>, Error<Problem>>) -> T {
    let response = result.expect("a success");
    assert_eq!(response.status(), status);
    response.into_inner()
}

/// The body of an error that must have this status.
fn expect_problem<T: Debug>(
    status: StatusCode,
    result: Result<ResponseValue<T>, Error<Problem>>,
) -> Problem {
    let Err(Error::ErrorResponse(response)) = result else { panic!("not a problem: {result:?}") };
    assert_eq!(response.status(), status);
    response.into_inner()
}
