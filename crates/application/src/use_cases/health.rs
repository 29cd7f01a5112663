//! Whether this node can do its work.

use grateful_storage::pending_migrations;
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutPayload};

use crate::{App, Error, Result};

/// That the database answers, has the schema of this build, and that uploads can be written.
///
/// # Errors
/// `Unavailable`, with what is missing as its source.
pub async fn check_readiness(app: &App) -> Result<()> {
    let pending = pending_migrations(&mut *app.db.acquire().await?).await?;
    if let Some(first) = pending.first() {
        return Err(Error::Unavailable(format!("migration {first} is pending").into()));
    }
    // An empty one, for which there is room on a disk that is full: there, all but uploads goes on.
    let probe = Path::from(PROBE);
    let written = app.files.put(&probe, PutPayload::new()).await;
    written.map_err(|error| Error::Unavailable(error.into()))?;
    match app.files.delete(&probe).await {
        // Somebody else asked at the same moment.
        Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
        Err(error) => Err(Error::Unavailable(error.into())),
    }
}

/// Hidden, and of a kind of which leftovers are swept.
const PROBE: &str = ".ready.jpg";
