//! People who send pictures without a pause, and remember what they were told. No tests.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use grateful_testkit::a_png;
use grateful_tests::{ApiRequest, ApiResponse, Client, Server, Setup, Token, eventually, json};
use tokio::task::JoinSet;

/// Some people who change their photos, and publish, change and delete posts with pictures.
pub(crate) struct Uploaders {
    tasks: JoinSet<Memory>,
    heard: Arc<AtomicUsize>,
    enough: Arc<AtomicBool>,
}

/// What somebody was told for certain.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// Paths of files that are there.
    there: BTreeSet<String>,
    /// Those of files that are gone.
    gone: BTreeSet<String>,
}

impl Uploaders {
    /// Lets each of these people send pictures on connections of their own.
    pub(crate) fn on(server: &Server, people: &[Token]) -> Self {
        let (heard, enough) = (Arc::default(), Arc::default());
        let mut tasks = JoinSet::new();
        let picture = Arc::new(a_png(600, 400));
        for person in people {
            let uploader = Uploader {
                client: server.client(),
                person: person.clone(),
                picture: Arc::clone(&picture),
                heard: Arc::clone(&heard),
                enough: Arc::clone(&enough),
                memory: Memory::default(),
            };
            tasks.spawn(uploader.run());
        }
        Self { tasks, heard, enough }
    }

    /// Waits until they were told of so many more successes.
    pub(crate) async fn hear(&self, more: usize) {
        let goal = self.heard.load(Ordering::Relaxed) + more;
        let heard = || goal <= self.heard.load(Ordering::Relaxed);
        eventually("the server takes pictures", heard).await;
    }

    /// What all of them remember, when they have stopped, be it that they were told to or that the server is gone.
    pub(crate) async fn stop(mut self) -> Memory {
        self.enough.store(true, Ordering::Relaxed);
        let mut all = Memory::default();
        while let Some(memory) = self.tasks.join_next().await {
            let memory = memory.unwrap();
            all.there.extend(memory.there);
            all.gone.extend(memory.gone);
        }
        all
    }
}

impl Memory {
    /// How many things it knows.
    pub(crate) fn len(&self) -> usize {
        self.there.len() + self.gone.len()
    }

    /// Asks a server for everything.
    pub(crate) async fn assert_true_on(&self, server: &Server) {
        let client = server.client();
        for path in &self.there {
            let file = client.get(path).send().await.expect(200);
            assert!(is_whole(&file.body), "{path} is no whole picture");
        }
        for path in &self.gone {
            client.get(path).send().await.expect(404);
        }
    }
}

/// Whether a file is a JPEG from its first mark to its last.
pub(crate) fn is_whole(file: &[u8]) -> bool {
    file.starts_with(&[0xFF, 0xD8, 0xFF]) && file.ends_with(&[0xFF, 0xD9])
}

/// All files in the folder of uploads, hidden and half ones included, as they would be asked for.
pub(crate) fn files_in(setup: &Setup) -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    collect(&setup.working_dir().uploads_dir(), "/uploads", &mut files);
    files
}

/// Whatever goes while it is looked at is not there.
fn collect(folder: &Path, path: &str, into: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = format!("{path}/{}", entry.file_name().to_str().unwrap());
        if entry.path().is_dir() {
            collect(&entry.path(), &path, into);
        } else {
            into.insert(path);
        }
    }
}

/// The files that the rows of a database name.
pub(crate) async fn named_files(setup: &Setup) -> BTreeSet<String> {
    let named =
        "SELECT '/uploads/profile_photos/' || profile_photo_filename || '_' || size || '.jpg'
                 FROM users, unnest(ARRAY['thumbnail', 'small', 'medium', 'large']) AS size
                 WHERE profile_photo_filename IS NOT NULL
                 UNION SELECT image_url FROM posts WHERE image_url IS NOT NULL";
    setup.sql().await.query_column(named).await.into_iter().collect()
}

struct Uploader {
    client: Client,
    person: Token,
    picture: Arc<Vec<u8>>,
    heard: Arc<AtomicUsize>,
    enough: Arc<AtomicBool>,
    memory: Memory,
}

/// The server is gone.
struct Gone;

impl Uploader {
    async fn run(mut self) -> Memory {
        let (mut turn, mut photo) = (0, BTreeSet::new());
        while !self.enough.load(Ordering::Relaxed) && self.act(turn, &mut photo).await.is_ok() {
            turn += 1;
        }
        self.memory
    }

    /// Another photo, and a post with what becomes of it. What is under way is forgotten until its answer is here.
    async fn act(&mut self, turn: usize, photo: &mut BTreeSet<String>) -> Result<(), Gone> {
        let before = std::mem::take(photo);
        self.memory.there.retain(|path| !before.contains(path));
        let call = self.client.upload_photo(&self.person, &self.picture);
        if let Some(response) = self.tell(call, 200).await? {
            let urls = response.data()["urls"].take();
            let urls = urls.as_object().unwrap().values();
            *photo = urls.map(|url| url.as_str().unwrap().to_owned()).collect();
            self.memory.there.extend(photo.iter().cloned());
            self.memory.gone.extend(before);
        }
        let call = self.client.create_post_with_image(&self.person, "Look!", &self.picture);
        let Some(post) = self.tell(call, 201).await? else { return Ok(()) };
        let (path, image) = (format!("/api/v1/posts/{}", post.id()), post.json());
        let image = image["image_url"].as_str().unwrap().to_owned();
        self.memory.there.insert(image.clone());
        let (call, success) = match turn % 3 {
            0 => (self.client.delete(&path), 204),
            1 => (self.client.patch(&path).json(&json!({"image_url": null})), 200),
            _ => return Ok(()),
        };
        self.memory.there.remove(&image);
        if self.tell(call.by(&self.person), success).await?.is_some() {
            self.memory.gone.insert(image);
        }
        Ok(())
    }

    /// The answer, if it is a success; none where the server asks to come back later.
    async fn tell(&self, call: ApiRequest, success: u16) -> Result<Option<ApiResponse>, Gone> {
        let response = call.try_send().await.map_err(|_| Gone)?;
        if response.status == 503 {
            response.expect_problem(503, "unavailable");
            return Ok(None);
        }
        self.heard.fetch_add(1, Ordering::Relaxed);
        Ok(Some(response.expect(success)))
    }
}
