//! Tests of the bucket store against a small S3 server.
#![expect(clippy::unwrap_used, reason = "setup that fails must fail the test")]

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use actix_web::dev::ServerHandle;
use actix_web::http::Method;
use actix_web::http::header::{CONTENT_RANGE, ETAG, LAST_MODIFIED, RANGE};
use actix_web::web::{Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpResponseBuilder, HttpServer, web};
use object_store::aws::AmazonS3Builder;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt as _};
use url::Url;

use super::build_bucket_store;

#[actix_web::test]
async fn an_object_is_stored_below_the_prefix_and_can_be_deleted() {
    let bucket = Bucket::start();
    let store = bucket.open("s3://images/uploads");
    let path = Path::from("posts/a.jpg");

    store.put(&path, "0123456789".into()).await.unwrap();

    assert_eq!(bucket.keys(), ["uploads/posts/a.jpg"]);
    assert_eq!(store.head(&path).await.unwrap().size, 10);
    assert_eq!(store.get_range(&path, 2..5).await.unwrap(), "234");
    assert_eq!(store.get(&path).await.unwrap().bytes().await.unwrap(), "0123456789");
    let listed = store.list_with_delimiter(Some(&Path::from("posts"))).await.unwrap().objects;
    assert_eq!(listed.len(), 1);
    assert_eq!((&listed[0].location, listed[0].size), (&path, 10));
    store.delete(&path).await.unwrap();
    assert_eq!(bucket.keys(), [""; 0]);
    assert!(matches!(store.head(&path).await, Err(Error::NotFound { .. })));
    bucket.stop().await;
}

#[actix_web::test]
async fn a_bucket_url_without_a_prefix_uses_the_whole_bucket() {
    let bucket = Bucket::start();
    let store = bucket.open("s3://images");

    store.put(&Path::from("posts/a.jpg"), "image".into()).await.unwrap();

    assert_eq!(bucket.keys(), ["posts/a.jpg"]);
    bucket.stop().await;
}

#[test]
fn a_url_of_no_bucket_is_rejected() {
    let result = build_bucket_store(AmazonS3Builder::new(), &Url::parse("ftp://images").unwrap());

    let message = format!("{:#}", result.err().unwrap());
    assert!(message.starts_with("the bucket ftp://images/ cannot be used: "), "{message}");
}

/// The objects in the bucket, by key.
type Objects = Data<Mutex<BTreeMap<String, Bytes>>>;

/// An S3 server with one bucket, `images`, that accepts any credentials.
pub(crate) struct Bucket {
    objects: Objects,
    url: String,
    server: ServerHandle,
}

impl Bucket {
    pub(crate) fn start() -> Self {
        let objects: Objects = Data::new(Mutex::default());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared_objects = objects.clone();
        let routes = move || {
            App::new()
                .app_data(shared_objects.clone())
                .route("/images", web::get().to(list))
                .route("/images", web::post().to(delete))
                .route("/images/{key:.*}", web::put().to(put))
                .route("/images/{key:.*}", web::route().to(get))
        };
        let server = HttpServer::new(routes).workers(1).disable_signals().listen(listener).unwrap();
        let server = server.run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Self { objects, url, server: handle }
    }

    pub(crate) fn open(&self, bucket: &str) -> Arc<dyn ObjectStore> {
        let builder = AmazonS3Builder::new()
            .with_endpoint(&self.url)
            .with_allow_http(true)
            .with_access_key_id("key")
            .with_secret_access_key("secret");
        build_bucket_store(builder, &Url::parse(bucket).unwrap()).unwrap()
    }

    fn keys(&self) -> Vec<String> {
        self.objects.lock().unwrap().keys().cloned().collect()
    }

    pub(crate) async fn stop(self) {
        self.server.stop(false).await;
    }
}

const LAST_MODIFIED_AT: &str = "Mon, 05 Jan 2026 12:00:00 GMT";

async fn put(objects: Objects, key: web::Path<String>, body: Bytes) -> HttpResponse {
    objects.lock().unwrap().insert(key.into_inner(), body);
    HttpResponse::Ok().insert_header((ETAG, "\"1\"")).finish()
}

/// Serves `GET`, and `HEAD`, whose body the server omits.
async fn get(objects: Objects, request: HttpRequest, key: web::Path<String>) -> HttpResponse {
    assert!([Method::GET, Method::HEAD].contains(request.method()), "{}", request.method());
    let objects = objects.lock().unwrap();
    let Some(object) = objects.get(&*key) else { return HttpResponse::NotFound().finish() };
    let range = request.headers().get(RANGE).map(|range| range.to_str().unwrap());
    let respond = |mut response: HttpResponseBuilder, bytes: Bytes| {
        response.insert_header((ETAG, "\"1\""));
        response.insert_header((LAST_MODIFIED, LAST_MODIFIED_AT)).body(bytes)
    };
    let Some(range) = range.and_then(|range| range.strip_prefix("bytes=")) else {
        return respond(HttpResponse::Ok(), object.clone());
    };
    let (first, last) = range.split_once('-').unwrap();
    let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
    let mut response = HttpResponse::PartialContent();
    let content_range = format!("bytes {first}-{last}/{}", object.len());
    response.insert_header((CONTENT_RANGE, content_range));
    respond(response, object.slice(first..=last))
}

async fn list(objects: Objects, request: HttpRequest) -> HttpResponse {
    let query = web::Query::<BTreeMap<String, String>>::from_query(request.query_string()).unwrap();
    let prefix = query.get("prefix").cloned().unwrap_or_default();
    let contents: Vec<String> = objects
        .lock()
        .unwrap()
        .iter()
        .filter(|(key, _)| key.starts_with(&prefix))
        .map(|(key, object)| {
            let size = object.len();
            format!(
                "<Contents><Key>{key}</Key><LastModified>2026-01-05T12:00:00.000Z</LastModified><ETag>\"1\"</ETag>\
                 <Size>{size}</Size></Contents>"
            )
        })
        .collect();
    let contents = contents.concat();
    HttpResponse::Ok().body(format!("<ListBucketResult>{contents}</ListBucketResult>"))
}

/// Deletes the objects whose keys are listed in the body.
async fn delete(objects: Objects, body: String) -> HttpResponse {
    let keys = body.split("<Key>").skip(1).map(|rest| rest.split("</Key>").next().unwrap());
    let deleted = keys.map(|key| {
        objects.lock().unwrap().remove(key);
        format!("<Deleted><Key>{key}</Key></Deleted>")
    });
    let deleted = deleted.collect::<Vec<_>>().concat();
    HttpResponse::Ok().body(format!("<DeleteResult>{deleted}</DeleteResult>"))
}
