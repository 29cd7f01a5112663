//! Sends the letters of one night: `grateful-service-digest NIGHT FOLDER`, with the database `DATABASE_URL`.

use anyhow::{Context as _, anyhow};
use grateful_service_digest::{Folder, prepare, run};
use grateful_storage::{Database, DatabaseConfig};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let url = std::env::var("DATABASE_URL").context("set DATABASE_URL to the URL of a database")?;
    let mut arguments = std::env::args().skip(1);
    let night = arguments.next().context("name the night, such as 2026-01-05")?.parse()?;
    let folder = Folder::new(arguments.next().context("name the folder for the letters")?);
    // One letter after the other, so one connection is enough.
    let config = DatabaseConfig::new(url).with_max_connections(1).with_readers(0);
    let db = Database::connect_lazily(config);
    prepare(&db).await.map_err(|error| anyhow!(error))?;
    let report = run(&db, night, &folder).await.map_err(|error| anyhow!(error))?;
    println!("{} letters written, {} sent", report.claimed, report.sent);
    Ok(())
}
