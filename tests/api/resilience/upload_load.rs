//! Concurrent users who upload images, and the files the server acknowledged.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use grateful_testkit::a_png;
use grateful_tests::{ApiRequest, ApiResponse, Client, Server, Setup, Token, eventually, json};
use tokio::task::JoinSet;

/// Concurrent users who replace their profile photos, and create, update and delete posts with images.
pub(crate) struct UploadLoad {
    tasks: JoinSet<AcknowledgedFiles>,
    acknowledged: Arc<AtomicUsize>,
    should_stop: Arc<AtomicBool>,
}

/// The files whose state is known from responses, by URL path.
#[derive(Debug, Default)]
pub(crate) struct AcknowledgedFiles {
    existing: BTreeSet<String>,
    deleted: BTreeSet<String>,
}

impl UploadLoad {
    /// Starts one task for each user, with connections of its own.
    pub(crate) fn start(server: &Server, users: &[Token]) -> Self {
        let (acknowledged, should_stop) = (Arc::default(), Arc::default());
        let mut tasks = JoinSet::new();
        let image = Arc::new(a_png(600, 400));
        for user in users {
            let uploader = Uploader {
                client: server.client(),
                user: user.clone(),
                image: Arc::clone(&image),
                acknowledged: Arc::clone(&acknowledged),
                should_stop: Arc::clone(&should_stop),
                files: AcknowledgedFiles::default(),
            };
            tasks.spawn(uploader.run());
        }
        Self { tasks, acknowledged, should_stop }
    }

    /// Waits until the server has acknowledged this number of further requests.
    pub(crate) async fn wait_for_requests(&self, count: usize) {
        let target = self.acknowledged.load(Ordering::Relaxed) + count;
        let is_reached = || target <= self.acknowledged.load(Ordering::Relaxed);
        eventually("the server acknowledges uploads", is_reached).await;
    }

    /// Stops all tasks and returns the files they know of. Tasks also stop when the server exits.
    pub(crate) async fn stop(mut self) -> AcknowledgedFiles {
        self.should_stop.store(true, Ordering::Relaxed);
        let mut all = AcknowledgedFiles::default();
        while let Some(files) = self.tasks.join_next().await {
            let files = files.unwrap();
            all.existing.extend(files.existing);
            all.deleted.extend(files.deleted);
        }
        all
    }
}

impl AcknowledgedFiles {
    /// The number of files whose state is known.
    pub(crate) fn len(&self) -> usize {
        self.existing.len() + self.deleted.len()
    }

    /// Asserts that a server serves the existing files completely, and responds with 404 for the deleted ones.
    pub(crate) async fn assert_served_by(&self, server: &Server) {
        let client = server.client();
        for path in &self.existing {
            let response = client.get(path).send().await.expect(200);
            assert!(is_complete_jpeg(&response.body), "{path} is not a complete image");
        }
        for path in &self.deleted {
            client.get(path).send().await.expect(404);
        }
    }
}

/// Whether a file starts and ends with the markers of a JPEG.
pub(crate) fn is_complete_jpeg(file: &[u8]) -> bool {
    file.starts_with(&[0xFF, 0xD8, 0xFF]) && file.ends_with(&[0xFF, 0xD9])
}

/// The URL paths of all files in the uploads directory, including hidden and partially written ones.
pub(crate) fn list_upload_files(setup: &Setup) -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    collect_files(&setup.working_dir().uploads_dir(), "/uploads", &mut files);
    files
}

/// Skips entries that are deleted during the listing.
fn collect_files(directory: &Path, url_path: &str, files: &mut BTreeSet<String>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let url_path = format!("{url_path}/{}", entry.file_name().to_str().unwrap());
        if entry.path().is_dir() {
            collect_files(&entry.path(), &url_path, files);
        } else {
            files.insert(url_path);
        }
    }
}

/// The URL paths of all files that rows of the database refer to.
pub(crate) async fn list_referenced_files(setup: &Setup) -> BTreeSet<String> {
    let paths =
        "SELECT '/uploads/profile_photos/' || profile_photo_filename || '_' || size || '.jpg'
                 FROM users, unnest(ARRAY['thumbnail', 'small', 'medium', 'large']) AS size
                 WHERE profile_photo_filename IS NOT NULL
                 UNION SELECT image_url FROM posts WHERE image_url IS NOT NULL";
    setup.sql().await.query_column(paths).await.into_iter().collect()
}

struct Uploader {
    client: Client,
    user: Token,
    image: Arc<Vec<u8>>,
    acknowledged: Arc<AtomicUsize>,
    should_stop: Arc<AtomicBool>,
    files: AcknowledgedFiles,
}

/// The server exited before it sent a response.
struct NoResponse;

impl Uploader {
    async fn run(mut self) -> AcknowledgedFiles {
        let (mut round, mut photo) = (0, BTreeSet::new());
        while !self.should_stop.load(Ordering::Relaxed)
            && self.upload(round, &mut photo).await.is_ok()
        {
            round += 1;
        }
        self.files
    }

    /// Replaces the profile photo and creates a post with an image; in two of three rounds, deletes the post or its image.
    /// The state of a file is unknown while a request is in flight.
    async fn upload(
        &mut self,
        round: usize,
        photo: &mut BTreeSet<String>,
    ) -> Result<(), NoResponse> {
        let previous = std::mem::take(photo);
        self.files.existing.retain(|path| !previous.contains(path));
        let request = self.client.upload_photo(&self.user, &self.image);
        if let Some(response) = self.send(request, 200).await? {
            let urls = response.data()["urls"].take();
            let urls = urls.as_object().unwrap().values();
            *photo = urls.map(|url| url.as_str().unwrap().to_owned()).collect();
            self.files.existing.extend(photo.iter().cloned());
            self.files.deleted.extend(previous);
        }
        let request = self.client.create_post_with_image(&self.user, "Look!", &self.image);
        let Some(post) = self.send(request, 201).await? else { return Ok(()) };
        let (path, post) = (format!("/api/v1/posts/{}", post.id()), post.json());
        let image = post["image_url"].as_str().unwrap().to_owned();
        self.files.existing.insert(image.clone());
        let (request, success) = match round % 3 {
            0 => (self.client.delete(&path), 204),
            1 => (self.client.patch(&path).json(&json!({"image_url": null})), 200),
            _ => return Ok(()),
        };
        self.files.existing.remove(&image);
        if self.send(request.by(&self.user), success).await?.is_some() {
            self.files.deleted.insert(image);
        }
        Ok(())
    }

    /// Sends a request and asserts that the status is `success` or 503. Returns `None` for a 503.
    async fn send(
        &self,
        request: ApiRequest,
        success: u16,
    ) -> Result<Option<ApiResponse>, NoResponse> {
        let response = request.try_send().await.map_err(|_| NoResponse)?;
        if response.status == 503 {
            response.expect_problem(503, "unavailable");
            return Ok(None);
        }
        self.acknowledged.fetch_add(1, Ordering::Relaxed);
        Ok(Some(response.expect(success)))
    }
}
