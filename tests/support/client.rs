//! An HTTP client of the API.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use grateful_testkit::{BOUNDARY, multipart_form};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::TIMEOUT;

/// The password of all users created by [`Client::sign_up`].
pub const PASSWORD: &str = "correct horse battery";

/// An HTTP client of one server. Clones share their connections.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    address: String,
}

/// An access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token(pub String);

impl Client {
    /// A client of the server at `address`, a host and a port.
    pub fn new(address: &str) -> Self {
        // reqwest is built with TLS and requires a crypto provider even for plain HTTP.
        _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .no_proxy()
            .tls_certs_only([])
            .timeout(TIMEOUT)
            .build()
            .unwrap();
        Self { http, address: address.to_owned() }
    }

    /// Starts a request to `path`.
    pub fn request(&self, method: &str, path: &str) -> ApiRequest {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        ApiRequest { request: self.http.request(method, format!("http://{}{path}", self.address)) }
    }

    /// Starts a `GET` request.
    pub fn get(&self, path: &str) -> ApiRequest {
        self.request("GET", path)
    }

    /// Starts a `POST` request.
    pub fn post(&self, path: &str) -> ApiRequest {
        self.request("POST", path)
    }

    /// Starts a `PUT` request.
    pub fn put(&self, path: &str) -> ApiRequest {
        self.request("PUT", path)
    }

    /// Starts a `PATCH` request.
    pub fn patch(&self, path: &str) -> ApiRequest {
        self.request("PATCH", path)
    }

    /// Starts a `DELETE` request.
    pub fn delete(&self, path: &str) -> ApiRequest {
        self.request("DELETE", path)
    }

    /// Creates an account with this username and [`PASSWORD`], and returns its first access token.
    pub async fn sign_up(&self, username: &str) -> Token {
        let account = json!({
            "username": username, "email": email_of(username), "password": PASSWORD,
        });
        self.post("/api/v1/auth/signup").json(&account).send().await.expect(201).token()
    }

    /// Starts a login request.
    pub fn log_in(&self, username: &str, password: &str) -> ApiRequest {
        let credentials = json!({"email": email_of(username), "password": password});
        self.post("/api/v1/auth/login").json(&credentials)
    }

    /// Starts a request for the user of this token.
    pub fn get_session(&self, token: &Token) -> ApiRequest {
        self.get("/api/v1/auth/session").by(token)
    }

    /// Starts the upload of a profile photo.
    pub fn upload_photo(&self, user: &Token, image: &[u8]) -> ApiRequest {
        self.post("/api/v1/users/me/profile/photo").by(user).multipart(&[("file", image)])
    }

    /// Starts a request that creates a public post with an image.
    pub fn create_post_with_image(
        &self,
        author: &Token,
        content: &str,
        image: &[u8],
    ) -> ApiRequest {
        let parts = [("content", content.as_bytes()), ("image", image)];
        self.post("/api/v1/posts/upload").by(author).multipart(&parts)
    }

    /// Starts a request that creates a public post.
    pub fn create_post(&self, author: &Token, content: &str) -> ApiRequest {
        self.post("/api/v1/posts").by(author).json(&json!({"content": content}))
    }
}

/// The email address with which [`Client::sign_up`] creates a user.
fn email_of(username: &str) -> String {
    format!("{username}@example.org")
}

/// Builds a request and sends it.
#[derive(Debug)]
#[must_use]
pub struct ApiRequest {
    request: RequestBuilder,
}

impl ApiRequest {
    /// Authenticates the request with this token.
    pub fn by(self, user: &Token) -> Self {
        self.header("Authorization", &format!("Bearer {}", user.0))
    }

    /// Sets a header.
    pub fn header(self, name: &str, value: &str) -> Self {
        Self { request: self.request.header(name, value) }
    }

    /// Sets a JSON body.
    pub fn json(self, body: &Value) -> Self {
        Self { request: self.request.json(body) }
    }

    /// Sets a body of these bytes with the content type of JSON, whether or not they are valid JSON.
    pub fn json_bytes(self, body: impl Into<Vec<u8>>) -> Self {
        Self { request: self.request.body(body.into()) }.header("Content-Type", "application/json")
    }

    /// Sets a multipart body, encoded by [`multipart_form`]. A part named `file` or `image` is sent as a file.
    pub fn multipart(self, parts: &[(&str, &[u8])]) -> Self {
        Self { request: self.request.body(multipart_form(parts)) }
            .header("Content-Type", &format!("multipart/form-data; boundary={BOUNDARY}"))
    }

    /// Sends the request and reads the response.
    ///
    /// # Panics
    ///
    /// If the server does not send a complete response.
    pub async fn send(self) -> ApiResponse {
        self.try_send().await.unwrap()
    }

    /// Sends the request and returns its response as a stream of server-sent events. The stream times out after an
    /// hour.
    ///
    /// # Errors
    ///
    /// If the server does not respond, or responds with a status of 400 or more.
    pub async fn open_event_stream(self) -> Result<EventStream, reqwest::Error> {
        let timeout = Duration::from_hours(1);
        let response = self.request.timeout(timeout).send().await?.error_for_status()?;
        Ok(EventStream { response, unread: Vec::new() })
    }

    /// Sends the request to a server that may have exited.
    ///
    /// # Errors
    ///
    /// If the server does not send a complete response.
    pub async fn try_send(self) -> Result<ApiResponse, reqwest::Error> {
        let response = self.request.send().await?;
        let headers = response.headers().iter();
        let headers = headers.map(|(name, value)| {
            (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        });
        let (status, headers) = (response.status().as_u16(), headers.collect());
        Ok(ApiResponse { status, headers, body: response.bytes().await?.to_vec() })
    }
}

/// A stream of server-sent events.
#[derive(Debug)]
pub struct EventStream {
    response: reqwest::Response,
    /// The received part of the next event, as bytes: a chunk may end within a character.
    unread: Vec<u8>,
}

impl EventStream {
    /// Waits for the next event and returns its fields. A comment has no fields. Returns `None` when the stream has ended
    /// or failed.
    pub async fn next_event(&mut self) -> Option<BTreeMap<String, String>> {
        loop {
            if let Some(end) = self.unread.windows(2).position(|bytes| bytes == b"\n\n") {
                let event: Vec<u8> = self.unread.drain(..end + 2).collect();
                let event = String::from_utf8(event).unwrap();
                let fields = event.lines().filter_map(|line| line.split_once(": "));
                return Some(fields.map(|(name, value)| (name.into(), value.into())).collect());
            }
            self.unread.extend(self.response.chunk().await.ok()??);
        }
    }
}

/// A response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiResponse {
    /// The status code.
    pub status: u16,
    /// All headers in their order, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl ApiResponse {
    /// Parses the body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self}"))
    }

    /// Returns the field `data` of the envelope.
    #[track_caller]
    pub fn data(&self) -> Value {
        self.json()["data"].take()
    }

    /// Returns the field `id` of a body without envelope.
    #[track_caller]
    pub fn id(&self) -> String {
        self.json()["id"].as_str().unwrap_or_else(|| panic!("no id: {self}")).to_owned()
    }

    /// Returns the access token in the envelope.
    #[track_caller]
    pub fn token(&self) -> Token {
        let data = self.data();
        Token(data["access_token"].as_str().unwrap_or_else(|| panic!("no token: {self}")).into())
    }

    /// Returns the first header with this name, which is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find(|(candidate, _)| candidate == name).map(|(_, value)| value.as_str())
    }

    /// Asserts the status and returns the response.
    #[track_caller]
    #[expect(clippy::return_self_not_must_use, reason = "many tests assert only the status")]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self}");
        self
    }

    /// Asserts that the response is an error with this status and code, in the format that all errors have
    /// (docs/http-api.md#errors), and returns it.
    #[track_caller]
    #[expect(clippy::return_self_not_must_use, reason = "many tests assert only the error")]
    pub fn expect_problem(self, status: u16, code: &str) -> Self {
        assert_eq!(self.status, status, "{self}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self}");
        assert_is_problem(&self.json(), status, code);
        assert_eq!(self.header("x-request-id"), self.json()["request_id"].as_str(), "{self}");
        self
    }
}

#[track_caller]
fn assert_is_problem(problem: &Value, status: u16, code: &str) {
    let detail = problem["detail"].as_str().unwrap_or_else(|| panic!("no detail: {problem}"));
    assert!(!detail.is_empty(), "{problem}");
    let expected = BTreeMap::from([
        ("type", json!(format!("urn:grateful:problem:{code}"))),
        ("title", problem["title"].clone()),
        ("status", json!(status)),
        ("detail", json!(detail)),
        ("success", json!(false)),
        ("message", json!(detail)),
        ("error", json!({"code": code, "message": detail, "details": problem["error"]["details"]})),
        ("timestamp", problem["timestamp"].clone()),
        ("request_id", problem["request_id"].clone()),
    ]);
    assert_eq!(*problem, json!(expected));
    assert!(problem["title"].as_str().is_some_and(|title| !title.is_empty()), "{problem}");
    assert!(problem["error"]["details"].is_object(), "{problem}");
    assert!(is_timestamp(&problem["timestamp"]), "{problem}");
    assert!(problem["request_id"].as_str().is_some_and(|id| !id.is_empty()), "{problem}");
}

/// Whether a value is a time in UTC with microseconds and a `Z` (docs/http-api.md#timestamps).
pub fn is_timestamp(value: &Value) -> bool {
    let pattern = "0000-00-00T00:00:00.000000Z";
    value.as_str().is_some_and(|text| {
        let matches = |(actual, expected): (char, char)| match expected {
            '0' => actual.is_ascii_digit(),
            fixed => actual == fixed,
        };
        text.len() == pattern.len() && text.chars().zip(pattern.chars()).all(matches)
    })
}

impl fmt::Display for ApiResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.status)?;
        for (name, value) in &self.headers {
            writeln!(f, "{name}: {value}")?;
        }
        write!(f, "\n{}", String::from_utf8_lossy(&self.body))
    }
}
