//! The application with fake ports: clock, geocoder, and file store.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use chrono::TimeDelta;
use grateful_application::{
    App, Combiner, CombinerLimits, ImageProcessor, LoginThrottle, PasswordHasher,
};
use grateful_domain::UserId;
use grateful_storage::Database;
use grateful_test_database::{NOON, TestDatabase, create_user};
use object_store::memory::InMemory;

use crate::{FakeClock, FakeGeocoder};

/// All tests of the process share it, so that concurrent hashing is limited as in a server.
static PASSWORD_HASHER: LazyLock<Arc<PasswordHasher>> =
    LazyLock::new(|| Arc::new(PasswordHasher::new(2)));

/// All tests of the process share it, so that concurrent image processing is limited as in a server.
static IMAGE_PROCESSOR: LazyLock<Arc<ImageProcessor>> =
    LazyLock::new(|| Arc::new(ImageProcessor::new(2)));

/// An [`App`] with its own database, a clock stopped at [`NOON`], and uploads in memory.
pub struct TestApp {
    /// The application, which every use case takes as an argument.
    pub app: App,
    /// The clock of [`Self::app`].
    pub clock: Arc<FakeClock>,
    /// The geocoder of [`Self::app`].
    pub geocoder: Arc<FakeGeocoder>,
    /// The uploads of [`Self::app`].
    pub files: Arc<InMemory>,
    /// The database of [`Self::app`].
    pub database: TestDatabase,
}

impl TestApp {
    /// Creates an application on a new, migrated database.
    pub async fn create() -> Self {
        let database = TestDatabase::create().await;
        let pool = database.pool.clone();
        Self::with_pool(database, pool)
    }

    /// Creates an application on a new, migrated database with `N` users.
    pub async fn with_users<const N: usize>() -> (Self, [UserId; N]) {
        let app = Self::create().await;
        let mut users = Vec::new();
        while users.len() < N {
            users.push(create_user(&app.database).await);
        }
        (app, users.try_into().unwrap())
    }

    /// Creates an application on `database` that uses the pool `db`.
    pub fn with_pool(database: TestDatabase, db: Database) -> Self {
        let clock = Arc::new(FakeClock::at(NOON));
        let files = Arc::new(InMemory::new());
        let geocoder = Arc::new(FakeGeocoder::default());
        let app = App {
            clock: clock.clone(),
            // The clock stands still, and that of the database does not.
            max_clock_skew: TimeDelta::MAX,
            password_hasher: PASSWORD_HASHER.clone(),
            image_processor: IMAGE_PROCESSOR.clone(),
            login_throttle: Arc::new(LoginThrottle::unlimited()),
            geocoder: geocoder.clone(),
            // Acts wait as long as they need, also on a busy machine.
            combiner: Combiner::new(CombinerLimits {
                wait: Duration::from_mins(1),
                ..CombinerLimits::default()
            }),
            // Tests see the result of a whole job, also on a busy machine.
            job_budget: Duration::from_mins(10),
            ..App::new(db, files.clone())
        };
        Self { app, clock, geocoder, files, database }
    }
}
