//! `grateful restore`: a backup into an empty database and empty uploads, or a rehearsal of that.

mod loader;
mod rehearsal;

use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use grateful_storage::{DatabaseSnapshot, migrate, migrate_to, unknown_migrations};
use indicatif::HumanBytes;

use self::loader::Loader;
use super::interrupt::{Interrupt, run_interruptible};
use super::progress::ByteProgress;
use crate::archive::{Archive, Discard, Manifest};
use crate::config::Settings;
use crate::database::Postgres;
use crate::file_store::{FileStore, free_space};

pub(super) async fn restore(
    settings: Settings,
    archive: &Path,
    rehearse: bool,
) -> anyhow::Result<()> {
    let archive = Archive::open(archive)?;
    let checked = archive.clone();
    let manifest = run_interruptible(move |interrupt| check(&checked, &interrupt)).await?;
    if rehearse {
        return rehearsal::rehearse(settings, archive, manifest).await;
    }
    let files = FileStore::open(&settings)?;
    let postgres = Postgres::open(&settings)?;
    let target = RestoreTarget { url: postgres.config.url.clone(), files };
    let restored = restore_into(target, archive, manifest).await;
    postgres.close()?;
    println!("{}", summary(&restored?));
    println!("grateful verify compares all counts and notifications with their rows");
    Ok(())
}

/// Reads the whole archive before anything is changed.
fn check(archive: &Archive, interrupt: &Interrupt) -> anyhow::Result<Manifest> {
    let mut progress = ByteProgress::start("checking", archive.file_size());
    let manifest = archive.read(&mut Discard(|bytes| {
        progress.add(bytes);
        interrupt.check()
    }))?;
    let unknown = unknown_migrations(&manifest.migrations).context("the migrations")?;
    if let Some(migration) = unknown.first() {
        bail!(
            "the backup is from a newer version of Grateful ({}), whose migration {migration} this version does not \
             have: install that version",
            manifest.program
        );
    }
    Ok(manifest)
}

/// Where a backup is restored to.
struct RestoreTarget {
    url: String,
    files: FileStore,
}

/// Restores a checked backup, and migrates the database to the schema of this build.
async fn restore_into(
    target: RestoreTarget,
    archive: Archive,
    manifest: Manifest,
) -> anyhow::Result<Manifest> {
    check_target(&target, &manifest).await?;
    let url = target.url.clone();
    migrate_to(&url, &manifest.migrations).await.context("the database cannot be migrated")?;
    let load = move |interrupt: Interrupt| {
        Loader::load(&target, &archive, &manifest, &interrupt).map(|()| manifest)
    };
    let manifest = run_interruptible(load).await?;
    migrate(&url).await.context("the restored database cannot be migrated")?;
    Ok(manifest)
}

/// Refuses a target that contains anything, or has too little space.
async fn check_target(target: &RestoreTarget, manifest: &Manifest) -> anyhow::Result<()> {
    let RestoreTarget { url, files } = target;
    ensure!(
        files.is_empty().await?,
        "the uploads are not empty: restore into an empty directory or bucket"
    );
    if let Some(directory) = files.directory() {
        let (needed, free) = (manifest.uploads.bytes, free_space(directory)?);
        ensure!(
            needed <= free,
            "the uploads need {}, and {} has {} free: nothing was restored",
            HumanBytes(needed),
            directory.display(),
            HumanBytes(free)
        );
    }
    let snapshot = DatabaseSnapshot::open(url).await.context("the database cannot be read")?;
    let migrations = snapshot.migrations().await.context("the database cannot be read")?;
    let is_foreign = migrations.is_empty() && !snapshot.tables().is_empty();
    ensure!(
        !is_foreign,
        "the database has tables of another program: restore into an empty database"
    );
    let newer = migrations.iter().find(|version| !manifest.migrations.contains(version));
    if let Some(version) = newer {
        bail!(
            "the database has the migration {version}, which the backup does not have: restore into a database without \
             tables, which is migrated afterwards"
        );
    }
    Ok(())
}

fn summary(manifest: &Manifest) -> String {
    format!(
        "restored {} rows in {} tables and {} files ({}), as of {}",
        manifest.rows(),
        manifest.tables.len(),
        manifest.uploads.files,
        HumanBytes(manifest.uploads.bytes),
        manifest.created_at
    )
}
