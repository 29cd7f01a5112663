//! Readiness of this node.

use grateful_storage::pending_migrations;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};

use crate::{App, Error, Result};

/// Checks that the database responds, that its schema is that of this build, and that uploads can be written.
///
/// # Errors
/// `Unavailable`, with the failed check as its source.
pub async fn check_readiness(app: &App) -> Result<()> {
    let pending = pending_migrations(&mut *app.db.acquire().await?).await?;
    if let Some(first) = pending.first() {
        return Err(Error::Unavailable(format!("migration {first} is pending").into()));
    }
    check_uploads(&*app.files).await
}

/// Checks that uploads can be written: writes a small file and deletes it.
///
/// # Errors
/// `Unavailable`, with the failed operation as its source.
pub async fn check_uploads(files: &dyn ObjectStore) -> Result<()> {
    let probe = Path::from(PROBE);
    let written = files.put(&probe, PutPayload::from_static(&PROBE_CONTENT)).await;
    written.map_err(|error| Error::Unavailable(error.into()))?;
    match files.delete(&probe).await {
        // A concurrent check has deleted it.
        Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
        Err(error) => Err(Error::Unavailable(error.into())),
    }
}

/// Not empty, since an empty file fits on a full disk, and as large as a small image, since so do a few bytes on some file
/// systems.
static PROBE_CONTENT: [u8; 64 * 1024] = [0; 64 * 1024];

/// Hidden from clients, and with an extension whose leftover staging files are swept.
const PROBE: &str = ".ready.jpg";
