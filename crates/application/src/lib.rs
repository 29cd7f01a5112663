#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod auth;
mod error;
mod idempotency;
mod image_processor;
mod inbox_watcher;
mod mentions;
mod metrics;
mod notify;
mod ports;
mod rate_limiter;
mod use_cases;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
// The web says where a picture is cut, and what a file is; of pictures themselves it knows nothing.
pub use grateful_media::{Focus, Format};
use grateful_storage::Database;
// The web counts statements by request and says what it measures, and knows nothing else of storage.
pub use grateful_storage::{Metric, MetricKind, MetricLabel, QueryLog, Thresholds};
use object_store::ObjectStore;
use uuid::{NoContext, Timestamp, Uuid};

pub use self::auth::access_token::AccessToken;
pub use self::auth::login_throttle::Guesses;
pub use self::auth::passwords::Passwords;
pub use self::error::{Error, Result, Thing};
pub use self::idempotency::{Answer, IdempotencyKey, IdempotencyKeyError, Repeat};
pub use self::image_processor::{Pictures, Place, Upload};
pub use self::inbox_watcher::Arrivals;
pub use self::metrics::all_metrics;
pub use self::ports::{Clock, Finding, Geocoder, GeocoderError, NoGeocoder, SystemClock};
pub use self::rate_limiter::Buckets;
pub use self::use_cases::{
    accounts, comments, export, feed, follows, health, hearts, housekeeping, locations,
    notifications, people, photos, posts, profiles, reactions, sessions, shares, uploads, verify,
};

/// What every use case needs. Clones share everything.
#[derive(Clone)]
pub struct App {
    /// Rows.
    pub db: Database,
    /// Uploads.
    pub files: Arc<dyn ObjectStore>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The bounded place where passwords are hashed.
    pub passwords: Arc<Passwords>,
    /// The bounded place where pictures are made.
    pub pictures: Arc<Pictures>,
    /// How often passwords may be guessed wrong.
    pub guesses: Arc<Guesses>,
    /// Where places are.
    pub geocoder: Arc<dyn Geocoder>,
    /// How long somebody stays signed in.
    pub session_lifetime: TimeDelta,
    /// How long a notification is kept that was read.
    pub notification_retention: TimeDelta,
    /// How old a file is before it can be an orphan: more than any upload takes.
    pub orphan_age: TimeDelta,
    /// Who follows their notifications on this node.
    pub arrivals: Arrivals,
}

impl App {
    /// How long somebody stays signed in unless configured otherwise (contract §1).
    pub const SESSION_LIFETIME: TimeDelta = TimeDelta::days(7);
    /// How long a notification is kept that was read, unless configured otherwise.
    pub const NOTIFICATION_RETENTION: TimeDelta = TimeDelta::days(90);
    /// How old a file is before it can be an orphan, unless configured otherwise.
    pub const ORPHAN_AGE: TimeDelta = TimeDelta::hours(1);

    /// From when on statements are reported, slow ones and repeated ones.
    pub fn thresholds(&self) -> &Thresholds {
        self.db.thresholds()
    }
}

/// An id of version 7: later ones sort behind earlier ones, which keeps indexes dense.
fn new_id(now: DateTime<Utc>) -> Uuid {
    let seconds = now.timestamp().try_into().unwrap_or_default();
    Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, now.timestamp_subsec_nanos()))
}
