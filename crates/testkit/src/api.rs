//! The HTTP API, called without a socket.

use std::future::{Future, poll_fn};
use std::net::IpAddr;
use std::pin::Pin;
use std::time::Duration;

use actix_http::{BoxedPayloadStream, Payload, Request};
use actix_web::Error;
use actix_web::body::{BoxBody, MessageBody, to_bytes};
use actix_web::dev::{Service, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::http::{Method, StatusCode};
use actix_web::rt::time::timeout;
use actix_web::test::{TestRequest, init_service};
use actix_web::web::Bytes;
use futures_util::Stream;
use grateful_application::accounts::{LogIn, log_in};
use grateful_domain::User;
use grateful_web::{MetricsPage, WebConfig};
use serde_json::Value;

use crate::{BOUNDARY, PASSWORD, TestApp, TestDatabase, a_user, multipart_form, openapi};

type Answering = Pin<Box<dyn Future<Output = Result<ServiceResponse<BoxBody>, Error>>>>;

/// All routes in all layers, on a database of their own.
///
/// Needs actix's runtime: use `#[actix_web::test]`.
pub struct Api {
    /// What is behind the routes.
    pub app: TestApp,
    call: Box<dyn Fn(Request) -> Answering>,
}

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who.
    pub user: User,
    /// What proves it.
    pub token: String,
}

impl Api {
    /// The API of a new application.
    pub async fn create() -> Self {
        let nothing = MetricsPage::new(String::new);
        let config = WebConfig { metrics: Some(nothing), ..WebConfig::default() };
        Self::on(TestApp::create().await, &config).await
    }

    /// The API of this application.
    pub async fn on(app: TestApp, config: &WebConfig) -> Self {
        let service = init_service(grateful_web::app(app.app.clone(), config)).await;
        Self { app, call: Box::new(move |request| Box::pin(service.call(request))) }
    }

    /// Its database.
    pub fn database(&self) -> &TestDatabase {
        &self.app.database
    }

    /// Somebody who is signed in.
    pub async fn create_user(&self) -> Caller {
        let user = a_user().insert_into(self.database()).await;
        let credentials = LogIn {
            email: user.email.as_str().to_owned(),
            password: PASSWORD.to_owned(),
            user_agent: None,
        };
        let token = log_in(&self.app.app, credentials).await.unwrap();
        Caller { user, token: token.as_str().to_owned() }
    }

    /// A request to this path.
    pub fn call(&self, method: Method, path: &str) -> ApiRequest<'_> {
        let request = TestRequest::with_uri(path).method(method);
        ApiRequest { api: self, request, body: None }
    }

    /// `GET`.
    pub fn get(&self, path: &str) -> ApiRequest<'_> {
        self.call(Method::GET, path)
    }

    /// `POST`.
    pub fn post(&self, path: &str) -> ApiRequest<'_> {
        self.call(Method::POST, path)
    }

    /// `PUT`.
    pub fn put(&self, path: &str) -> ApiRequest<'_> {
        self.call(Method::PUT, path)
    }

    /// `PATCH`.
    pub fn patch(&self, path: &str) -> ApiRequest<'_> {
        self.call(Method::PATCH, path)
    }

    /// `DELETE`.
    pub fn delete(&self, path: &str) -> ApiRequest<'_> {
        self.call(Method::DELETE, path)
    }
}

/// A request in the making.
#[must_use]
pub struct ApiRequest<'a> {
    api: &'a Api,
    request: TestRequest,
    body: Option<BoxedPayloadStream>,
}

impl ApiRequest<'_> {
    /// Sent by this person.
    pub fn by(self, caller: &Caller) -> Self {
        self.with("Authorization", &format!("Bearer {}", caller.token))
    }

    /// With this header.
    pub fn with(self, name: &str, value: &str) -> Self {
        Self { request: self.request.insert_header((name, value)), ..self }
    }

    /// Sent from this address.
    pub fn from_address(self, address: IpAddr) -> Self {
        Self { request: self.request.peer_addr((address, 4711).into()), ..self }
    }

    /// With this JSON as its body.
    pub fn json(self, body: &Value) -> Self {
        Self { request: self.request.set_json(body), ..self }
    }

    /// With a form of these parts as its body, see [`multipart_form`].
    pub fn form(self, parts: &[(&str, &[u8])]) -> Self {
        Self { request: self.request.set_payload(multipart_form(parts)), ..self }
            .with("Content-Type", &format!("multipart/form-data; boundary={BOUNDARY}"))
    }

    /// With these bytes as its body, said to be JSON.
    pub fn bytes(self, body: impl Into<Bytes>) -> Self {
        Self { request: self.request.set_payload(body), ..self }
            .with("Content-Type", "application/json")
    }

    /// With a body that comes bit by bit, said to be a form.
    pub fn streamed(self, bits: impl Stream<Item = Result<Bytes, PayloadError>> + 'static) -> Self {
        Self { body: Some(Box::pin(bits)), ..self }
            .with("Content-Type", &format!("multipart/form-data; boundary={BOUNDARY}"))
    }

    /// Sends it. The answer must be one that the OpenAPI document promises.
    pub async fn send(self) -> ApiResponse {
        let (method, path, mut opened) = self.call().await;
        let body = to_bytes(opened.rest).await.unwrap_or_default();
        opened.answer.body = body.to_vec();
        openapi::assert_kept(&method, &path, &opened.answer);
        opened.answer
    }

    /// Sends it, and reads no more than the head of the answer, which must be of a body that comes bit by bit. What is JSON
    /// in the end is not held against the document: there is nothing to hold yet.
    pub async fn open(self) -> StreamingResponse {
        let (method, path, opened) = self.call().await;
        if opened.answer.header("content-type") != Some("application/json") {
            openapi::assert_kept(&method, &path, &opened.answer);
        }
        opened
    }

    async fn call(self) -> (Method, String, StreamingResponse) {
        let mut request = self.request.to_request();
        if let Some(payload) = self.body {
            *request.payload() = Payload::Stream { payload };
        }
        let (method, path) = (request.method().clone(), request.path().to_owned());
        let outcome = (self.api.call)(request).await;
        // What comes out as an error is turned into an answer by the server around the routes.
        let (head, body) = match outcome {
            Ok(response) => response.into_parts().1.into_parts(),
            Err(error) => error.error_response().into_parts(),
        };
        let named = head.headers().iter();
        let headers = named.map(|(name, value)| {
            (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        });
        let answer =
            ApiResponse { status: head.status(), headers: headers.collect(), body: vec![] };
        (method, path, StreamingResponse { answer, rest: body })
    }
}

/// What came back, of which the body is still to come.
pub struct StreamingResponse {
    /// The head, and no body.
    pub answer: ApiResponse,
    rest: BoxBody,
}

impl StreamingResponse {
    /// The next bit of the body, which must come within ten seconds; nothing where it has ended.
    pub async fn next(&mut self) -> Option<String> {
        self.try_next().await.map(Result::unwrap)
    }

    /// The same, of a body that may be cut short: then the connection would be, too.
    pub async fn try_next(&mut self) -> Option<Result<String, Box<dyn std::error::Error>>> {
        let bit = poll_fn(|cx| Pin::new(&mut self.rest).poll_next(cx));
        let bit = timeout(Duration::from_secs(10), bit).await.unwrap();
        bit.map(|bytes| bytes.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap()))
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub struct ApiResponse {
    /// How it went.
    pub status: StatusCode,
    headers: Vec<(String, String)>,
    /// The bytes of the body.
    pub body: Vec<u8>,
}

impl ApiResponse {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    /// What is in the envelope.
    pub fn data(&self) -> Value {
        self.json()["data"].take()
    }

    /// The first header of this name, in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
    }

    /// The answer, if it has this status.
    #[track_caller]
    #[expect(
        clippy::must_use_candidate,
        clippy::return_self_not_must_use,
        reason = "often it is the last word"
    )]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", String::from_utf8_lossy(&self.body));
        self
    }
}
