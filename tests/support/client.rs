//! The API over HTTP, and its answers.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use grateful_testkit::{BOUNDARY, multipart_form};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::DEADLINE;

/// The password of everybody who signs up.
pub const PASSWORD: &str = "correct horse battery";

/// Somebody who asks a server over HTTP. Clones share their connections.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    address: String,
}

/// What proves who somebody is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token(pub String);

impl Client {
    pub(crate) fn of(address: &str) -> Self {
        // The program brings TLS along, which asks the process for its cryptography even where it is not used.
        _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .no_proxy()
            .tls_certs_only([])
            .timeout(DEADLINE)
            .build()
            .unwrap();
        Self { http, address: address.to_owned() }
    }

    /// A request to this path.
    pub fn call(&self, method: &str, path: &str) -> Call {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        Call { request: self.http.request(method, format!("http://{}{path}", self.address)) }
    }

    /// `GET`.
    pub fn get(&self, path: &str) -> Call {
        self.call("GET", path)
    }

    /// `POST`.
    pub fn post(&self, path: &str) -> Call {
        self.call("POST", path)
    }

    /// `PUT`.
    pub fn put(&self, path: &str) -> Call {
        self.call("PUT", path)
    }

    /// `PATCH`.
    pub fn patch(&self, path: &str) -> Call {
        self.call("PATCH", path)
    }

    /// `DELETE`.
    pub fn delete(&self, path: &str) -> Call {
        self.call("DELETE", path)
    }

    /// Makes an account with this name and [`PASSWORD`].
    pub async fn sign_up(&self, username: &str) -> Token {
        let account = json!({
            "username": username, "email": email_of(username), "password": PASSWORD,
        });
        self.post("/api/v1/auth/signup").json(&account).send().await.expect(201).token()
    }

    /// Signs somebody in.
    pub fn log_in(&self, username: &str, password: &str) -> Call {
        let credentials = json!({"email": email_of(username), "password": password});
        self.post("/api/v1/auth/login").json(&credentials)
    }

    /// Who a token belongs to.
    pub fn session(&self, token: &Token) -> Call {
        self.get("/api/v1/auth/session").by(token)
    }

    /// Gives somebody another photo.
    pub fn set_photo(&self, who: &Token, picture: &[u8]) -> Call {
        self.post("/api/v1/users/me/profile/photo").by(who).form(&[("file", picture)])
    }

    /// Publishes a public post with a picture.
    pub fn publish_pictured(&self, author: &Token, content: &str, picture: &[u8]) -> Call {
        let form = [("content", content.as_bytes()), ("image", picture)];
        self.post("/api/v1/posts/upload").by(author).form(&form)
    }

    /// Publishes a public post.
    pub fn publish(&self, author: &Token, content: &str) -> Call {
        self.post("/api/v1/posts").by(author).json(&json!({"content": content}))
    }
}

/// The address that [`Client::sign_up`] gives to somebody.
fn email_of(username: &str) -> String {
    format!("{username}@example.org")
}

/// A request in the making.
#[derive(Debug)]
#[must_use]
pub struct Call {
    request: RequestBuilder,
}

impl Call {
    /// Sent by this person.
    pub fn by(self, who: &Token) -> Self {
        self.with("Authorization", &format!("Bearer {}", who.0))
    }

    /// With this header.
    pub fn with(self, name: &str, value: &str) -> Self {
        Self { request: self.request.header(name, value) }
    }

    /// With this JSON as its body.
    pub fn json(self, body: &Value) -> Self {
        Self { request: self.request.json(body) }
    }

    /// With these bytes as its body, said to be JSON.
    pub fn bytes(self, body: impl Into<Vec<u8>>) -> Self {
        Self { request: self.request.body(body.into()) }.with("Content-Type", "application/json")
    }

    /// With a form of these parts as its body, as browsers send it; a part with the name `file` or `image` is a file.
    pub fn form(self, parts: &[(&str, &[u8])]) -> Self {
        Self { request: self.request.body(multipart_form(parts)) }
            .with("Content-Type", &format!("multipart/form-data; boundary={BOUNDARY}"))
    }

    /// Sends it; without an answer, the test has failed.
    pub async fn send(self) -> Answer {
        self.try_send().await.unwrap()
    }

    /// Sends it, and reads what comes of it as server-sent events, for as long as they come.
    ///
    /// # Errors
    /// There was no answer.
    pub async fn events(self) -> Result<Events, reqwest::Error> {
        let endless = Duration::from_hours(1);
        let response = self.request.timeout(endless).send().await?.error_for_status()?;
        Ok(Events { response, unread: Vec::new() })
    }

    /// Sends it to a server that may be gone.
    ///
    /// # Errors
    /// There was no answer, or not the whole of one.
    pub async fn try_send(self) -> Result<Answer, reqwest::Error> {
        let response = self.request.send().await?;
        let headers = response.headers().iter();
        let headers = headers.map(|(name, value)| {
            (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        });
        let (status, headers) = (response.status().as_u16(), headers.collect());
        Ok(Answer { status, headers, body: response.bytes().await?.to_vec() })
    }
}

/// Server-sent events, as they come.
#[derive(Debug)]
pub struct Events {
    response: reqwest::Response,
    /// What has come of the next one: a portion may end in the midst of a letter.
    unread: Vec<u8>,
}

impl Events {
    /// The fields of the next event, of which a comment has none; nothing once the stream has ended, or broken.
    pub async fn next(&mut self) -> Option<BTreeMap<String, String>> {
        loop {
            if let Some(end) = self.unread.windows(2).position(|two| two == b"\n\n") {
                let event: Vec<u8> = self.unread.drain(..end + 2).collect();
                let event = String::from_utf8(event).unwrap();
                let fields = event.lines().filter_map(|line| line.split_once(": "));
                return Some(fields.map(|(name, value)| (name.into(), value.into())).collect());
            }
            self.unread.extend(self.response.chunk().await.ok()??);
        }
    }
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// How it went.
    pub status: u16,
    /// All headers in their order, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// The bytes of the body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self}"))
    }

    /// What is in the envelope.
    #[track_caller]
    pub fn data(&self) -> Value {
        self.json()["data"].take()
    }

    /// The id of what is in the body.
    #[track_caller]
    pub fn id(&self) -> String {
        self.json()["id"].as_str().unwrap_or_else(|| panic!("no id: {self}")).to_owned()
    }

    /// The token in the envelope.
    #[track_caller]
    pub fn token(&self) -> Token {
        let data = self.data();
        Token(data["access_token"].as_str().unwrap_or_else(|| panic!("no token: {self}")).into())
    }

    /// The first header of this name, which is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
    }

    /// The answer, if it has this status.
    #[track_caller]
    #[expect(clippy::return_self_not_must_use, reason = "mostly there is nothing more to ask")]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self}");
        self
    }

    /// The answer, if it is a failure with this status and code in the one form that all have (contract §1).
    #[track_caller]
    #[expect(clippy::return_self_not_must_use, reason = "mostly there is nothing more to ask")]
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
    let known = BTreeMap::from([
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
    assert_eq!(*problem, json!(known));
    assert!(problem["title"].as_str().is_some_and(|title| !title.is_empty()), "{problem}");
    assert!(problem["error"]["details"].is_object(), "{problem}");
    assert!(is_timestamp(&problem["timestamp"]), "{problem}");
    assert!(problem["request_id"].as_str().is_some_and(|id| !id.is_empty()), "{problem}");
}

/// Whether this is a time in UTC with microseconds and a `Z` (contract §1).
pub fn is_timestamp(value: &Value) -> bool {
    let form = "0000-00-00T00:00:00.000000Z";
    value.as_str().is_some_and(|text| {
        let fits = |(is, should): (char, char)| match should {
            '0' => is.is_ascii_digit(),
            fixed => is == fixed,
        };
        text.len() == form.len() && text.chars().zip(form.chars()).all(fits)
    })
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.status)?;
        for (name, value) in &self.headers {
            writeln!(f, "{name}: {value}")?;
        }
        write!(f, "\n{}", String::from_utf8_lossy(&self.body))
    }
}
