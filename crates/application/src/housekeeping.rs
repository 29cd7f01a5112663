//! What has expired, and nobody asks for any more.

use grateful_storage::Repositories;

use crate::{App, Result};

/// How many rows were removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Swept {
    /// Sessions past their end.
    pub sessions: usize,
    /// Idempotency keys past their day.
    pub idempotency_keys: usize,
}

/// Removes what has expired. Any number of nodes may do so at once.
pub async fn sweep(app: &App) -> Result<Swept> {
    let now = app.clock.now();
    let mut conn = app.db.acquire().await?;
    Ok(Swept {
        sessions: conn.sessions().sweep(now).await?,
        idempotency_keys: conn.idempotency_keys().sweep(now).await?,
    })
}
