#![doc = include_str!("../README.md")]
#![expect(clippy::disallowed_methods, reason = "an example makes ids with the system clock")]

mod cards;
mod error;
mod feed;
mod sign_in;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use chrono::{DateTime, Utc};
use diesel_async::SimpleAsyncConnection;
use grateful_storage::{Database, migrate};
use tokio::sync::Semaphore;

pub use crate::cards::CREATE;
pub use crate::error::{Error, Result};

/// What all requests share.
#[derive(Clone)]
pub struct Shop {
    db: Database,
    clock: fn() -> DateTime<Utc>,
    /// Each hash takes a core and 19 MiB.
    hashing: Arc<Semaphore>,
}

impl Shop {
    /// A shop in this database, which tells the time by `clock`.
    pub fn new(db: Database, clock: fn() -> DateTime<Utc>) -> Self {
        Self { db, clock, hashing: Arc::new(Semaphore::new(2)) }
    }

    /// All routes.
    pub fn router(self) -> Router {
        Router::new()
            .route("/sign-in", post(sign_in::sign_in))
            .route("/feed", get(feed::feed))
            .route("/posts/{id}/cards", post(cards::send))
            .with_state(self)
    }
}

/// Creates the tables of Grateful, if a server has not done so, and that of the shop.
///
/// # Errors
/// The database cannot be reached, or a migration fails.
pub async fn prepare(url: &str, db: &Database) -> grateful_storage::Result<()> {
    migrate(url).await?;
    Ok(db.acquire().await?.batch_execute(CREATE).await?)
}
