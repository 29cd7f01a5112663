//! The dependencies of the use cases.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use grateful_storage::Database;
use object_store::ObjectStore;
use uuid::{NoContext, Timestamp, Uuid};

use crate::auth::known_tokens::KnownTokens;
use crate::auth::login_throttle::LoginThrottle;
use crate::auth::password_hasher::PasswordHasher;
use crate::combiner::Combiner;
use crate::image_processor::ImageProcessor;
use crate::inbox_watcher::InboxWatcher;
use crate::location_lookups::LocationLookups;
use crate::ports::{Clock, Geocoder, NoGeocoder, SystemClock};
use crate::stream_limiter::StreamLimiter;
use crate::upload_probe::UploadProbe;

/// The dependencies and settings of all use cases. Cloning is cheap: clones share everything.
#[derive(Clone)]
pub struct App {
    /// The database.
    pub db: Database,
    /// The store of uploaded files.
    pub files: Arc<dyn ObjectStore>,
    /// The source of the current time.
    pub clock: Arc<dyn Clock>,
    /// How far this clock may be from that of the database until this node is not ready.
    pub max_clock_skew: TimeDelta,
    /// Hashes passwords, with bounded concurrency.
    pub password_hasher: Arc<PasswordHasher>,
    /// Processes uploaded images, with bounded concurrency and memory.
    pub image_processor: Arc<ImageProcessor>,
    /// The users of recently used access tokens, for reads that start while the session is being looked up.
    pub known_tokens: Arc<KnownTokens>,
    /// Limits failed logins per account.
    pub login_throttle: Arc<LoginThrottle>,
    /// Looks up locations by name.
    pub geocoder: Arc<dyn Geocoder>,
    /// The searches for locations that wait for the geocoder.
    pub location_lookups: Arc<LocationLookups>,
    /// How long a session is valid after login.
    pub session_lifetime: TimeDelta,
    /// How long a read notification is kept after its last update.
    pub notification_retention: TimeDelta,
    /// How long an unread notification is kept after its last update.
    pub unread_retention: TimeDelta,
    /// How old a file must be before the sweep may delete it. Must exceed the duration of any upload.
    pub orphan_age: TimeDelta,
    /// How long a request works on the job that it caused (see [`background_jobs`](crate::background_jobs)) before it
    /// responds and leaves the rest to the background.
    pub job_budget: Duration,
    /// Runs hearts, reactions, follows and reads of notifications in groups.
    pub combiner: Combiner,
    /// Whether uploads can be written.
    pub upload_probe: Arc<UploadProbe>,
    /// Wakes and ends the notification streams of this node.
    pub inbox_watcher: InboxWatcher,
    /// Limits how many notification streams a user has open.
    pub stream_limiter: StreamLimiter,
}

impl App {
    /// The default of `session_lifetime` (docs/http-api.md#authentication).
    pub const SESSION_LIFETIME: TimeDelta = TimeDelta::days(7);

    /// The default of `max_clock_skew`: short beside all leases, and long beside the skew of clocks that are set by NTP.
    pub const MAX_CLOCK_SKEW: TimeDelta = TimeDelta::seconds(2);

    /// Creates an application on this database and file store. Everything else has a default, which struct update syntax
    /// replaces: `App { geocoder, ..App::new(db, files) }`.
    ///
    /// By default it uses the clock of this machine, runs as many password hashes at once as there are cores, processes
    /// half as many images, limits failed logins to [`LoginThrottle::RATE`], finds no locations, and keeps read
    /// notifications for 90 days and unreferenced files for an hour.
    pub fn new(db: Database, files: Arc<dyn ObjectStore>) -> Self {
        let cores = std::thread::available_parallelism().map_or(2, Into::into);
        Self {
            db,
            files,
            clock: Arc::new(SystemClock),
            max_clock_skew: Self::MAX_CLOCK_SKEW,
            password_hasher: Arc::new(PasswordHasher::new(cores)),
            // The other half of the cores is left for requests that only read.
            image_processor: Arc::new(ImageProcessor::new(cores.div_ceil(2))),
            known_tokens: Arc::default(),
            login_throttle: Arc::new(LoginThrottle::new(LoginThrottle::RATE)),
            geocoder: Arc::new(NoGeocoder),
            location_lookups: Arc::default(),
            session_lifetime: Self::SESSION_LIFETIME,
            notification_retention: TimeDelta::days(90),
            unread_retention: TimeDelta::days(365),
            orphan_age: TimeDelta::hours(1),
            // A client waits, but not long.
            job_budget: Duration::from_secs(1),
            combiner: Combiner::default(),
            upload_probe: Arc::default(),
            inbox_watcher: InboxWatcher::default(),
            stream_limiter: StreamLimiter::default(),
        }
    }

    /// The same application on another connection pool: a server with one runtime per thread needs one for each
    /// ([`Database::connect_lazily`]). Everything that limits or counts is shared.
    #[must_use]
    pub fn with_database(&self, db: Database) -> Self {
        Self { db, known_tokens: Arc::default(), ..self.clone() }
    }
}

/// Creates a version 7 UUID. Later ids sort after earlier ones, which keeps indexes dense.
pub(crate) fn new_id(now: DateTime<Utc>) -> Uuid {
    let seconds = now.timestamp().try_into().unwrap_or_default();
    Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, now.timestamp_subsec_nanos()))
}
