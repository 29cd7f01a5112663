//! How many upload bodies are received at the same time (docs/rules.md#request-limits).

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_web::error::PayloadError;
use actix_web::rt::time::timeout;
use actix_web::web::Bytes;
use futures_util::stream::{self, FuturesUnordered, Stream, StreamExt as _};
use grateful_application::ImageProcessor;
use grateful_testkit::{Api, ApiResponse, BOUNDARY, Caller, TestApp, a_png};
use grateful_web::WebConfig;
use serde_json::json;
use tokio::sync::Notify;

use crate::support::{EndlessBody, assert_problem};

const PHOTO: &str = "/api/v1/users/me/profile/photo";

#[actix_web::test]
async fn slow_uploads_of_one_account_do_not_hold_up_another() {
    let api = with_one_parallel_job().await;
    let (ana, ben) = (api.create_user().await, api.create_user().await);
    let clients = SlowClients::default();

    let mut slow: FuturesUnordered<_> = (0..16).map(|_| clients.send(&api, &ana)).collect();
    for _ in 0..14 {
        let rejected = slow.next().await.unwrap();
        let details = assert_problem(&rejected, 429, "rate_limit_exceeded");
        assert_eq!(details, json!({"limit": 2, "retry_after": 1}));
        assert_eq!(rejected.header("retry-after"), Some("1"));
    }

    assert_eq!(clients.started.get(), 2);
    upload(&api, &ben).await.expect(200);
    upload(&api, &ana).await.expect(429);
    clients.disconnected.notify_waiters();
    while let Some(response) = slow.next().await {
        response.expect(422);
    }
    upload(&api, &ana).await.expect(200);
}

#[actix_web::test]
async fn slow_uploads_of_many_accounts_do_not_fill_the_queue() {
    let api = with_one_parallel_job().await;
    let mut accounts = Vec::new();
    for _ in 0..9 {
        accounts.push(api.create_user().await);
    }
    let ben = api.create_user().await;
    let clients = SlowClients::default();
    let twice = accounts.iter().chain(&accounts);

    let mut slow: FuturesUnordered<_> = twice.map(|account| clients.send(&api, account)).collect();
    while clients.started.get() < 18 {
        assert!(timeout(Duration::from_millis(5), slow.next()).await.is_err());
    }

    upload(&api, &ben).await.expect(200);
}

#[actix_web::test]
async fn the_third_body_of_an_account_is_not_read() {
    let api = with_one_parallel_job().await;
    let ana = api.create_user().await;
    let _held = [(); 2].map(|()| api.app.app.image_processor.begin_upload(ana.user.id).unwrap());

    for path in [PHOTO, "/api/v1/posts/upload"] {
        let body = EndlessBody::multipart("file");
        let response = api.post(path).by(&ana).multipart_stream(body.chunks()).send().await;

        assert_problem(&response, 429, "rate_limit_exceeded");
        assert_eq!(body.bytes_read(), 0);
    }
}

#[actix_web::test]
async fn a_form_without_an_image_takes_no_slot_in_the_queue() {
    let api = with_one_parallel_job().await;
    let ana = api.create_user().await;
    let processor = Arc::clone(&api.app.app.image_processor);
    let _waiting: Vec<_> = (0..15).map(|_| processor.admit().unwrap()).collect();
    let (mut last_slot, form) = (None, multipart_text("content", "For rain."));
    // The last slot is taken while the body arrives.
    let body = stream::iter([form]).map(move |chunk| {
        last_slot.get_or_insert_with(|| processor.admit().unwrap());
        Ok(chunk)
    });

    let request = api.post("/api/v1/posts/upload").by(&ana).multipart_stream(body);

    request.send().await.expect(201);
}

async fn with_one_parallel_job() -> Api {
    let mut app = TestApp::create().await;
    app.app.image_processor = Arc::new(ImageProcessor::new(1));
    Api::serve(app, &WebConfig::default()).await
}

/// Clients that send the start of a body, and then nothing more.
#[derive(Default)]
struct SlowClients {
    /// How many bodies the server has begun to read.
    started: Rc<Cell<usize>>,
    disconnected: Rc<Notify>,
}

impl SlowClients {
    async fn send(&self, api: &Api, caller: &Caller) -> ApiResponse {
        api.post(PHOTO).by(caller).multipart_stream(self.body()).send().await
    }

    fn body(&self) -> impl Stream<Item = Result<Bytes, PayloadError>> + use<> {
        let (started, disconnected) = (Rc::clone(&self.started), Rc::clone(&self.disconnected));
        let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; ");
        let start = stream::once(async move {
            started.set(started.get() + 1);
            Ok(Bytes::from(head))
        });
        start.chain(stream::once(async move {
            disconnected.notified().await;
            Err(PayloadError::Incomplete(None))
        }))
    }
}

fn multipart_text(name: &str, text: &str) -> Bytes {
    let head = format!("Content-Disposition: form-data; name=\"{name}\"");
    format!("--{BOUNDARY}\r\n{head}\r\n\r\n{text}\r\n--{BOUNDARY}--\r\n").into()
}

async fn upload(api: &Api, caller: &Caller) -> ApiResponse {
    api.post(PHOTO).by(caller).multipart(&[("file", &a_png(9, 9))]).send().await
}
