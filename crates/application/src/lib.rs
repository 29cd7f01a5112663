#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod app;
mod auth;
pub mod background_jobs;
mod caller_reads;
mod combiner;
mod concurrency_limiter;
mod error;
mod file_store;
mod idempotency;
pub mod image_files;
mod image_processor;
mod inbox_watcher;
mod location_lookups;
mod mentions;
mod metrics;
mod notify;
mod ports;
mod post_access;
mod query_log;
mod rate_limiter;
mod stream_limiter;
mod upload_probe;
mod use_cases;

// For the web layer: the crop focus of an upload, and the format of a file.
pub use grateful_media::{Focus, ImageFormat};
/// The secret of a session.
pub use grateful_storage::AccessToken;

pub use self::app::App;
use self::app::new_id;
pub use self::auth::known_tokens::KnownTokens;
pub use self::auth::login_throttle::LoginThrottle;
pub use self::auth::password_hasher::PasswordHasher;
pub use self::caller_reads::{CallerMark, read_as, read_as_guest};
pub use self::combiner::{Combiner, CombinerLimits};
pub use self::error::{Error, Resource, Result};
pub use self::idempotency::{
    IdempotencyKey, IdempotencyKeyError, IdempotentRequest, RecordedResponse,
};
pub use self::image_processor::{ImageProcessor, IncomingUpload, Upload, UploadPermit};
pub use self::inbox_watcher::InboxWatcher;
pub use self::location_lookups::LocationLookups;
pub use self::metrics::all_metrics;
pub use self::ports::{
    Clock, Geocoder, GeocoderError, GeocoderFuture, GeocoderPolicy, NoGeocoder, SystemClock,
};
pub use self::query_log::QueryLog;
pub use self::rate_limiter::RateLimiter;
pub use self::stream_limiter::StreamLimiter;
pub use self::upload_probe::UploadProbe;
pub use self::use_cases::*;
