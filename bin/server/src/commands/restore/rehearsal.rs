//! A rehearsal: the same restore into a temporary PostgreSQL and a temporary directory, followed by a verification.

use std::path::Path;

use anyhow::{Context as _, ensure};
use futures_util::StreamExt as _;
use grateful_local_postgres::Cluster;
use grateful_storage::{DatabaseConfig, DatabaseSnapshot};
use indicatif::HumanBytes;
use object_store::ObjectStoreExt as _;
use tokio::task::spawn_blocking;

use super::{RestoreTarget, restore_into, summary};
use crate::archive::{Archive, Manifest};
use crate::commands::backup::paths_of;
use crate::commands::shutdown_signal::ShutdownSignal;
use crate::commands::verify::verify_database;
use crate::config::Settings;
use crate::file_store::{FileStore, free_space};

/// The name of the temporary cluster and of the start of its directory.
const NAME: &str = "grateful-rehearsal";

/// The database that a new cluster has.
const DATABASE: &str = "postgres";

pub(super) async fn rehearse(
    settings: Settings,
    archive: Archive,
    manifest: Manifest,
) -> anyhow::Result<()> {
    check_space(&manifest)?;
    let cluster = spawn_blocking(|| Cluster::temporary(NAME)).await?;
    let cluster = cluster.context("a temporary PostgreSQL cannot be started")?;
    let directory = cluster.directory().to_owned();
    let uploads = directory.join("uploads");
    let rehearsed = rehearse_in(&settings, &cluster, &uploads, archive, manifest).await;
    spawn_blocking(move || {
        // PostgreSQL's account removes the rest, but may not remove files of another account, or from its directory.
        _ = std::fs::remove_dir_all(&uploads);
        let closed = cluster.close().context("the temporary PostgreSQL did not stop");
        _ = std::fs::remove_dir_all(&directory);
        closed
    })
    .await??;
    rehearsed
}

/// The temporary directory gets the uploads, and a database about as large as the one of the backup.
fn check_space(manifest: &Manifest) -> anyhow::Result<()> {
    let directory = std::env::temp_dir();
    let needed = manifest.uploads.bytes.saturating_add(manifest.database_bytes);
    let free = free_space(&directory)?;
    ensure!(
        needed <= free,
        "the rehearsal needs {}, and {} has {} free: set TMPDIR to a larger directory",
        HumanBytes(needed),
        directory.display(),
        HumanBytes(free)
    );
    Ok(())
}

async fn rehearse_in(
    settings: &Settings,
    cluster: &Cluster,
    uploads: &Path,
    archive: Archive,
    manifest: Manifest,
) -> anyhow::Result<()> {
    let url = cluster.url(DATABASE);
    let files = FileStore::in_directory(uploads)?;
    let target = RestoreTarget { url: url.clone(), files: files.clone() };
    let manifest = restore_into(target, archive, manifest).await?;
    println!("{}", summary(&manifest));

    let mut signal = ShutdownSignal::listen()?;
    let checks = async {
        let missing = count_missing_files(&url, &files).await?;
        let config = DatabaseConfig::new(url.as_str()).with_thresholds(settings.thresholds());
        verify_database(settings, config, files.clone(), false)
            .await
            .map(|report| (missing, report))
    };
    let (missing, report) = tokio::select! {
        checked = checks => checked?,
        () = signal.wait() => anyhow::bail!("interrupted"),
    };
    println!("{report}");
    println!("{missing} files that rows name are missing");
    let expected = manifest.uploads.missing.len() as u64;
    ensure!(report.mismatches == 0, "the restored database has mismatches");
    ensure!(missing <= expected, "the backup lacks files that its rows name");
    Ok(())
}

/// Counts the files that rows name and that do not exist.
async fn count_missing_files(url: &str, files: &FileStore) -> anyhow::Result<u64> {
    let cannot_read = "the restored database cannot be read";
    let snapshot = DatabaseSnapshot::open(url).await.context(cannot_read)?;
    let mut references = std::pin::pin!(snapshot.files().await.context(cannot_read)?);
    let mut missing = 0;
    while let Some(reference) = references.next().await {
        for path in paths_of(&reference.context(cannot_read)?) {
            let found = files.store.head(&object_store::path::Path::from(path)).await;
            missing += u64::from(found.is_err());
        }
    }
    Ok(missing)
}
