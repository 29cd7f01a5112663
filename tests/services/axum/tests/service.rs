//! The shop over TCP, in a database with users and posts.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]
#![expect(clippy::disallowed_methods, reason = "ids of a test")]

use chrono::TimeDelta;
use grateful_domain::{Post, Session, UserId};
use grateful_service_axum::{Shop, prepare};
use grateful_storage::{AccessToken, Repositories};
use grateful_test_database::{
    NOON, PASSWORD, TestDatabase, a_post, begin_block, block, commit_once_blocking,
    create_user_named,
};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use uuid::Uuid;

struct Running {
    database: TestDatabase,
    url: String,
    client: Client,
    ana: UserId,
    ben: UserId,
    /// By Ana.
    post: Post,
}

fn client() -> Client {
    // In a build of the whole workspace, reqwest has TLS, and requires a crypto provider even for plain HTTP.
    _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().build().unwrap()
}

impl Running {
    async fn start() -> Self {
        let database = TestDatabase::create().await;
        prepare(&database.url(), &database.pool).await.unwrap();
        let ana = create_user_named(&database, "ana").await;
        let ben = create_user_named(&database, "ben").await;
        let post =
            a_post().by(ana).with_text("For the bus driver").at(NOON).insert_into(&database).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Shop::new(database.pool.clone(), || NOON).router();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { database, url, client: client(), ana, ben, post }
    }

    async fn sign_in(&self, password: &str) -> Response {
        let body = json!({ "email": "ben@example.org", "password": password });
        send(self.client.post(format!("{}/sign-in", self.url)), None, Some(&body)).await
    }

    /// A token of a session that the Grateful server started.
    async fn token_of(&self, user: UserId, lifetime: TimeDelta) -> String {
        let token = AccessToken::generate().unwrap();
        let session = Session::new(Uuid::now_v7().into(), user, None, NOON, lifetime);
        self.database.connect().await.sessions().insert(&session, token.hash()).await.unwrap();
        token.as_str().to_owned()
    }

    async fn feed(&self, token: Option<&str>) -> Response {
        send(self.client.get(format!("{}/feed", self.url)), token, None).await
    }

    async fn send_card(&self, token: &str, words: &str) -> StatusCode {
        let url = format!("{}/posts/{}/cards", self.url, self.post.id);
        send(self.client.post(url), Some(token), Some(&json!({ "words": words }))).await.status()
    }

    /// The numbers of hearts, cards and notifications of Ana.
    async fn counts(&self) -> [i64; 3] {
        let inbox = format!("notifications WHERE user_id = {}", self.ana);
        let mut counts = [0; 3];
        for (count, rows) in counts.iter_mut().zip(["likes", "shop_cards", &inbox]) {
            *count = self.database.count(rows).await;
        }
        counts
    }
}

async fn send(request: RequestBuilder, token: Option<&str>, body: Option<&Value>) -> Response {
    let request = token.into_iter().fold(request, RequestBuilder::bearer_auth);
    body.into_iter().fold(request, RequestBuilder::json).send().await.unwrap()
}

#[tokio::test]
async fn a_user_signs_in_and_reads_the_feed() {
    let shop = Running::start().await;

    let signed_in = shop.sign_in(PASSWORD).await;

    assert_eq!(signed_in.status(), StatusCode::OK);
    let body: Value = signed_in.json().await.unwrap();
    let feed = shop.feed(body["token"].as_str()).await;
    let feed: Value = feed.json().await.unwrap();
    let expected = json!([{
        "id": shop.post.id.to_string(), "author": "ana", "content": "For the bus driver", "hearts": 0,
    }]);
    assert_eq!(feed, expected);
}

#[tokio::test]
async fn a_wrong_password_and_an_invalid_token_are_refused() {
    let shop = Running::start().await;
    let expired = shop.token_of(shop.ben, TimeDelta::zero()).await;
    let unknown = AccessToken::generate().unwrap();

    assert_eq!(shop.sign_in("battery staple").await.status(), StatusCode::UNAUTHORIZED);
    for token in [None, Some("x"), Some(unknown.as_str()), Some(expired.as_str())] {
        assert_eq!(shop.feed(token).await.status(), StatusCode::UNAUTHORIZED, "{token:?}");
    }
}

#[tokio::test]
async fn a_card_comes_with_one_heart_and_one_notification() {
    let shop = Running::start().await;
    let token = shop.token_of(shop.ben, TimeDelta::days(1)).await;

    assert_eq!(shop.send_card(&token, "Thank you!").await, StatusCode::CREATED);
    assert_eq!(shop.counts().await, [1, 1, 1]);

    assert_eq!(shop.send_card(&token, "Once more.").await, StatusCode::CREATED);
    assert_eq!(shop.counts().await, [1, 2, 1]);
    let counted = "posts WHERE hearts_count = 1";
    assert_eq!(shop.database.count(counted).await, 1);
}

/// The shop's table refuses the row after the heart was added.
#[tokio::test]
async fn without_its_card_there_is_neither_heart_nor_notification() {
    let shop = Running::start().await;
    let token = shop.token_of(shop.ben, TimeDelta::days(1)).await;
    shop.database.execute("ALTER TABLE shop_cards ADD CHECK (words <> 'Thank you!')").await;

    let status = shop.send_card(&token, "Thank you!").await;

    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(shop.counts().await, [0, 0, 0]);
}

#[tokio::test]
async fn a_post_across_a_block_does_not_exist() {
    let shop = Running::start().await;
    block(&shop.database, shop.ana, shop.ben).await;
    let token = shop.token_of(shop.ben, TimeDelta::days(1)).await;

    assert_eq!(shop.send_card(&token, "Thank you!").await, StatusCode::NOT_FOUND);
    assert_eq!(shop.counts().await, [0, 0, 0]);
}

/// The card waits for the block, and then sees it.
#[tokio::test]
async fn a_block_that_began_a_moment_earlier_counts() {
    let shop = Running::start().await;
    let token = shop.token_of(shop.ben, TimeDelta::days(1)).await;
    let blocking = begin_block(&shop.database, shop.ana, shop.ben).await;

    let (status, ()) = tokio::join!(
        shop.send_card(&token, "Thank you!"),
        commit_once_blocking(&shop.database, blocking, 1)
    );

    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(shop.counts().await, [0, 0, 0]);
}

#[tokio::test]
async fn cards_of_many_users_at_once_are_all_counted() {
    let shop = Running::start().await;
    let mut tokens = vec![];
    for number in 0..12 {
        let user = create_user_named(&shop.database, &format!("user_no_{number}")).await;
        tokens.push(shop.token_of(user, TimeDelta::days(1)).await);
    }

    let sent = tokens.iter().map(|token| shop.send_card(token, "Thank you!"));
    let statuses = futures_util::future::join_all(sent).await;

    assert_eq!(statuses, [StatusCode::CREATED; 12]);
    assert_eq!(shop.database.count("posts WHERE hearts_count = 12").await, 1);
    // Twelve notifications and the batch that has them.
    assert_eq!(shop.counts().await, [12, 12, 13]);
}
