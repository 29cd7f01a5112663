//! What every use case gets as its first argument.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use grateful_storage::{Database, Thresholds};
use object_store::ObjectStore;
use uuid::{NoContext, Timestamp, Uuid};

use crate::auth::login_throttle::LoginThrottle;
use crate::auth::password_hasher::PasswordHasher;
use crate::image_processor::ImageProcessor;
use crate::inbox_watcher::InboxWatcher;
use crate::ports::{Clock, Geocoder};

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
    pub password_hasher: Arc<PasswordHasher>,
    /// The bounded place where pictures are made.
    pub image_processor: Arc<ImageProcessor>,
    /// How often passwords may be guessed wrong.
    pub login_throttle: Arc<LoginThrottle>,
    /// Where places are.
    pub geocoder: Arc<dyn Geocoder>,
    /// How long somebody stays signed in.
    pub session_lifetime: TimeDelta,
    /// How long a notification is kept that was read.
    pub notification_retention: TimeDelta,
    /// How old a file is before it can be an orphan: more than any upload takes.
    pub orphan_age: TimeDelta,
    /// Who follows their notifications on this node.
    pub inbox_watcher: InboxWatcher,
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
pub(crate) fn new_id(now: DateTime<Utc>) -> Uuid {
    let seconds = now.timestamp().try_into().unwrap_or_default();
    Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, now.timestamp_subsec_nanos()))
}
