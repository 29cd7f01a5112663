//! Whether uploads can be written, for the readiness of this node.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};
use tokio::sync::Mutex;

use crate::ports::Clock;
use crate::{Error, Result};

/// Tries now and then whether uploads can be written, and keeps the result: balancers ask every few seconds, and in a bucket
/// each try costs two requests.
#[derive(Debug, Default)]
pub struct UploadProbe(Mutex<Option<Tried>>);

#[derive(Debug)]
struct Tried {
    at: DateTime<Utc>,
    failure: Option<Arc<object_store::Error>>,
}

impl UploadProbe {
    /// How long a result is kept.
    pub const KEPT: TimeDelta = TimeDelta::seconds(30);

    /// Checks that uploads can be written, or could within the last [`KEPT`](Self::KEPT). Checks at the same time share one try.
    ///
    /// # Errors
    /// `Unavailable`, with the failed operation as its source.
    pub(crate) async fn check(&self, files: &dyn ObjectStore, clock: &dyn Clock) -> Result<()> {
        let mut tried = self.0.lock().await;
        let age = tried.as_ref().map(|tried| clock.now() - tried.at);
        if !age.is_some_and(|age| (TimeDelta::zero()..Self::KEPT).contains(&age)) {
            let failure = try_write(files).await.err().map(Arc::new);
            *tried = Some(Tried { at: clock.now(), failure });
        }
        match tried.as_ref().and_then(|tried| tried.failure.clone()) {
            None => Ok(()),
            Some(error) => Err(Error::Unavailable(error.into())),
        }
    }

    /// Notes whether an upload was written. If the kept result says otherwise, the next check tries again.
    pub(crate) fn note(&self, was_written: bool) {
        // A check that is under way finds out by itself.
        if let Ok(mut tried) = self.0.try_lock()
            && tried.as_ref().is_some_and(|tried| tried.failure.is_none() != was_written)
        {
            *tried = None;
        }
    }
}

/// Writes a small file and deletes it.
pub(crate) async fn try_write(files: &dyn ObjectStore) -> object_store::Result<()> {
    let probe = Path::from(PROBE);
    files.put(&probe, PutPayload::from_static(&PROBE_CONTENT)).await?;
    match files.delete(&probe).await {
        // A concurrent check has deleted it.
        Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Not empty, since an empty file fits on a full disk, and as large as a small image, since so do a few bytes on some file
/// systems.
static PROBE_CONTENT: [u8; 64 * 1024] = [0; 64 * 1024];

/// Hidden from clients, and with an extension whose leftover staging files are swept.
const PROBE: &str = ".ready.jpg";
