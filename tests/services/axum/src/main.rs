//! Runs the shop on `127.0.0.1:8001`, in the database `DATABASE_URL`.
#![expect(clippy::disallowed_methods, reason = "the program uses the system clock")]

use anyhow::Context as _;
use chrono::Utc;
use grateful_service_axum::{Shop, prepare};
use grateful_storage::{Database, DatabaseConfig};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let url = std::env::var("DATABASE_URL").context("set DATABASE_URL to the URL of a database")?;
    let db = Database::connect_lazily(DatabaseConfig::new(&url));
    prepare(&url, &db).await?;
    let listener = TcpListener::bind("127.0.0.1:8001").await?;
    Ok(axum::serve(listener, Shop::new(db, Utc::now).router()).await?)
}
