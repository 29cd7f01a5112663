//! Whether this node can do its work.

use grateful_storage::pending_migrations;
use object_store::ObjectStoreExt;
use object_store::path::Path;

use crate::{App, Error, Result};

/// That the database answers, has the schema of this build, and that uploads can be read.
///
/// # Errors
/// `Unavailable`, with what is missing as its source.
pub async fn ready(app: &App) -> Result<()> {
    let pending = pending_migrations(&mut *app.db.acquire().await?).await?;
    if let Some(first) = pending.first() {
        return Err(Error::Unavailable(format!("migration {first} is pending").into()));
    }
    match app.files.head(&Path::from("profile_photos")).await {
        Ok(_) | Err(object_store::Error::NotFound { .. }) => Ok(()),
        Err(error) => Err(Error::Unavailable(error.into())),
    }
}
