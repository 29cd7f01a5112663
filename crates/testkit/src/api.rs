//! An in-process client of the HTTP API, without a socket.

use std::future::{Future, poll_fn};
use std::net::IpAddr;
use std::pin::Pin;
use std::time::Duration;

use actix_http::{BoxedPayloadStream, Payload, Request};
use actix_web::Error;
use actix_web::body::{BoxBody, MessageBody, to_bytes};
use actix_web::dev::{Service, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::http::Method;
use actix_web::rt::time::timeout;
use actix_web::test::{TestRequest, init_service};
use actix_web::web::Bytes;
use futures_util::Stream;
use grateful_application::Clock as _;
use grateful_application::accounts::{LogIn, log_in};
use grateful_domain::User;
use grateful_web::{MetricsPage, WebConfig};
use serde_json::Value;

use crate::{
    ApiResponse, BOUNDARY, PASSWORD, TestApp, TestDatabase, a_user, multipart_form, openapi,
};

type ServiceFuture = Pin<Box<dyn Future<Output = Result<ServiceResponse<BoxBody>, Error>>>>;

/// All routes with all middleware, on a [`TestApp`].
///
/// Needs actix's runtime: use `#[actix_web::test]`.
pub struct Api {
    /// The application that serves the requests.
    pub app: TestApp,
    service: Box<dyn Fn(Request) -> ServiceFuture>,
}

/// A signed-in user.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The user.
    pub user: User,
    /// The access token of the user's session.
    pub token: String,
}

impl Api {
    /// Serves a new [`TestApp`], with an empty metrics page and otherwise the default configuration.
    pub async fn create() -> Self {
        let empty_page = MetricsPage::new(String::new);
        let config = WebConfig { metrics: Some(empty_page), ..WebConfig::default() };
        Self::serve(TestApp::create().await, &config).await
    }

    /// Like [`Self::create`], with `N` users who are logged in.
    pub async fn with_users<const N: usize>() -> (Self, [Caller; N]) {
        let api = Self::create().await;
        let mut users = Vec::new();
        while users.len() < N {
            users.push(api.create_user().await);
        }
        (api, users.try_into().unwrap())
    }

    /// Serves this application.
    pub async fn serve(app: TestApp, config: &WebConfig) -> Self {
        let service = init_service(grateful_web::app(app.app.clone(), config)).await;
        Self { app, service: Box::new(move |request| Box::pin(service.call(request))) }
    }

    /// The database of the application.
    pub fn database(&self) -> &TestDatabase {
        &self.app.database
    }

    /// Creates a user and logs them in.
    pub async fn create_user(&self) -> Caller {
        let user = a_user().insert_into(self.database()).await;
        self.log_in(user).await
    }

    /// Logs a user in.
    pub async fn log_in(&self, user: User) -> Caller {
        let credentials = LogIn {
            email: user.email.as_str().to_owned(),
            password: PASSWORD.to_owned(),
            user_agent: None,
        };
        let token = log_in(&self.app.app, credentials).await.unwrap();
        Caller { user, token: token.as_str().to_owned() }
    }

    /// Starts a request to `path`.
    pub fn request(&self, method: Method, path: &str) -> ApiRequest<'_> {
        let request = TestRequest::with_uri(path).method(method);
        ApiRequest { api: self, request, body: None }
    }

    /// Starts a `GET` request.
    pub fn get(&self, path: &str) -> ApiRequest<'_> {
        self.request(Method::GET, path)
    }

    /// Starts a `POST` request.
    pub fn post(&self, path: &str) -> ApiRequest<'_> {
        self.request(Method::POST, path)
    }

    /// Starts a `PUT` request.
    pub fn put(&self, path: &str) -> ApiRequest<'_> {
        self.request(Method::PUT, path)
    }

    /// Starts a `PATCH` request.
    pub fn patch(&self, path: &str) -> ApiRequest<'_> {
        self.request(Method::PATCH, path)
    }

    /// Starts a `DELETE` request.
    pub fn delete(&self, path: &str) -> ApiRequest<'_> {
        self.request(Method::DELETE, path)
    }
}

/// Builds a request and sends it.
#[must_use]
pub struct ApiRequest<'a> {
    api: &'a Api,
    request: TestRequest,
    body: Option<BoxedPayloadStream>,
}

impl ApiRequest<'_> {
    /// Authenticates the request with the caller's access token.
    pub fn by(self, caller: &Caller) -> Self {
        self.header("Authorization", &format!("Bearer {}", caller.token))
    }

    /// Sets a header.
    pub fn header(self, name: &str, value: &str) -> Self {
        Self { request: self.request.insert_header((name, value)), ..self }
    }

    /// Sets the peer address.
    pub fn from_address(self, address: IpAddr) -> Self {
        Self { request: self.request.peer_addr((address, 4711).into()), ..self }
    }

    /// Sets a JSON body.
    pub fn json(self, body: &Value) -> Self {
        Self { request: self.request.set_json(body), ..self }
    }

    /// Sets a multipart body, encoded by [`multipart_form`].
    pub fn multipart(self, parts: &[(&str, &[u8])]) -> Self {
        Self { request: self.request.set_payload(multipart_form(parts)), ..self }
            .header("Content-Type", &format!("multipart/form-data; boundary={BOUNDARY}"))
    }

    /// Sets a body of these bytes with the content type of JSON. They need not be valid JSON.
    pub fn json_bytes(self, body: impl Into<Bytes>) -> Self {
        Self { request: self.request.set_payload(body), ..self }
            .header("Content-Type", "application/json")
    }

    /// Sets a streaming body of these chunks with the content type of a multipart form.
    pub fn multipart_stream(
        self,
        chunks: impl Stream<Item = Result<Bytes, PayloadError>> + 'static,
    ) -> Self {
        Self { body: Some(Box::pin(chunks)), ..self }
            .header("Content-Type", &format!("multipart/form-data; boundary={BOUNDARY}"))
    }

    /// Sends the request and reads the response.
    ///
    /// # Panics
    ///
    /// If the OpenAPI document does not describe the response.
    pub async fn send(self) -> ApiResponse {
        let (method, path, StreamingResponse { mut head, body }) = self.execute().await;
        head.body = to_bytes(body).await.unwrap_or_default().to_vec();
        openapi::assert_documented(&method, &path, &head);
        head
    }

    /// Sends the request and reads only the head of a streaming response.
    ///
    /// # Panics
    ///
    /// If the OpenAPI document does not describe the head. JSON responses are not checked, since their body is not read
    /// yet.
    pub async fn send_streaming(self) -> StreamingResponse {
        let (method, path, response) = self.execute().await;
        if response.head.header("content-type") != Some("application/json") {
            openapi::assert_documented(&method, &path, &response.head);
        }
        response
    }

    async fn execute(self) -> (Method, String, StreamingResponse) {
        let mut request = self.request.to_request();
        if let Some(payload) = self.body {
            *request.payload() = Payload::Stream { payload };
        }
        let (method, path) = (request.method().clone(), request.path().to_owned());
        let requested_at = self.api.app.clock.now();
        let result = (self.api.service)(request).await;
        // A real server converts errors of the service into responses.
        let (head, body) = match result {
            Ok(response) => response.into_parts().1.into_parts(),
            Err(error) => error.error_response().into_parts(),
        };
        let headers = head.headers().iter().map(|(name, value)| {
            (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        });
        let head = ApiResponse {
            requested_at,
            status: head.status(),
            headers: headers.collect(),
            body: vec![],
        };
        (method, path, StreamingResponse { head, body })
    }
}

/// A response whose body is still to be read.
pub struct StreamingResponse {
    /// Status and headers, with an empty body.
    pub head: ApiResponse,
    body: BoxBody,
}

impl StreamingResponse {
    /// Waits for the next chunk of the body, at most ten seconds. Returns `None` at the end.
    pub async fn next_chunk(&mut self) -> Option<String> {
        self.try_next_chunk().await.map(Result::unwrap)
    }

    /// Like [`Self::next_chunk`], but returns the error of a body that is cut off. A real server closes the connection
    /// then.
    pub async fn try_next_chunk(&mut self) -> Option<Result<String, Box<dyn std::error::Error>>> {
        let chunk = poll_fn(|context| Pin::new(&mut self.body).poll_next(context));
        let chunk = timeout(Duration::from_secs(10), chunk).await.unwrap();
        chunk.map(|bytes| bytes.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap()))
    }
}
