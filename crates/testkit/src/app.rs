//! The application, with its surroundings held still.

use std::sync::{Arc, LazyLock};

use grateful_application::{App, Arrivals, Guesses, Passwords, Pictures};
use grateful_storage::Database;
use object_store::memory::InMemory;

use crate::{FakeClock, FakeGeocoder, NOON, TestDatabase};

/// Hashing is bounded for the process, as in a server.
static PASSWORDS: LazyLock<Arc<Passwords>> = LazyLock::new(|| Arc::new(Passwords::new(2).unwrap()));

/// As are pictures.
static PICTURES: LazyLock<Arc<Pictures>> = LazyLock::new(|| Arc::new(Pictures::new(2)));

/// An [`App`] on a database of its own, at [`NOON`], with uploads in memory.
pub struct TestApp {
    /// What use cases take.
    pub app: App,
    /// Its clock.
    pub clock: Arc<FakeClock>,
    /// What it knows of the world.
    pub geocoder: Arc<FakeGeocoder>,
    /// Its uploads.
    pub files: Arc<InMemory>,
    /// Its database.
    pub database: TestDatabase,
}

impl TestApp {
    /// One with a migrated database.
    pub async fn create() -> Self {
        let database = TestDatabase::create().await;
        let db = database.pool.clone();
        Self::on(database, db)
    }

    /// One that reaches its database by this pool.
    pub fn on(database: TestDatabase, db: Database) -> Self {
        let clock = Arc::new(FakeClock::at(NOON));
        let files = Arc::new(InMemory::new());
        let geocoder = Arc::new(FakeGeocoder::default());
        let app = App {
            db,
            files: files.clone(),
            clock: clock.clone(),
            passwords: PASSWORDS.clone(),
            images: PICTURES.clone(),
            guesses: Arc::new(Guesses::unlimited()),
            geocoder: geocoder.clone(),
            session_lifetime: App::SESSION_LIFETIME,
            notification_retention: App::NOTIFICATION_RETENTION,
            orphan_age: App::ORPHAN_AGE,
            arrivals: Arrivals::default(),
        };
        Self { app, clock, geocoder, files, database }
    }
}
