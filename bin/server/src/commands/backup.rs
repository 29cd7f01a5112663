//! `grateful backup`: the database and all uploads in one archive, while the server runs.

mod tables;
mod uploads;

use std::path::Path;

use anyhow::{Context as _, ensure};
use grateful_application::{Clock as _, SystemClock};
use grateful_storage::{DatabaseConfig, DatabaseSnapshot};
use indicatif::HumanBytes;

pub(super) use self::uploads::paths_of;
use super::interrupt::{Interrupt, run_interruptible};
use crate::archive::{ArchiveWriter, Manifest, Target};
use crate::config::Settings;
use crate::database::Postgres;
use crate::file_store::{FileStore, free_space};

/// Does not migrate the database: an operator makes a backup before that.
pub(super) async fn backup(settings: Settings, target: &Path) -> anyhow::Result<()> {
    let target = Target::parse(target);
    let files = FileStore::open(&settings)?;
    let postgres = Postgres::open(&settings)?;
    let (database, destination) = (postgres.config.clone(), target.clone());
    let written = run_interruptible(move |interrupt| {
        Backup { database, files, target: destination, interrupt }.run()
    })
    .await;
    postgres.close()?;
    let manifest = written?;
    report(&manifest, target == Target::Stdout);
    Ok(())
}

/// Runs on a blocking thread: an archive is written with blocking calls.
struct Backup {
    database: DatabaseConfig,
    files: FileStore,
    target: Target,
    interrupt: Interrupt,
}

impl Backup {
    fn run(&self) -> anyhow::Result<Manifest> {
        // Fails before anything is written if there is no database.
        drop(self.open_snapshot()?);
        let mut writer = ArchiveWriter::create(&self.target, SystemClock.now())?;
        let size = self.interrupt.wait(uploads::measure(&self.files, &mut writer))??;
        self.check_space(size)?;
        self.copy_uploads(&mut writer, size)?;
        let snapshot = self.copy_missing_uploads(&mut writer)?;
        writer.finish_uploads()?;
        self.copy_tables(&snapshot, &mut writer)?;
        writer.finish()
    }

    /// The snapshot of a database that is one of Grateful.
    fn open_snapshot(&self) -> anyhow::Result<DatabaseSnapshot> {
        let snapshot = self.interrupt.wait(DatabaseSnapshot::open(&self.database.url))?;
        let snapshot = snapshot.context("the database cannot be read")?;
        let has = |name| snapshot.tables().iter().any(|table| table.name == name);
        ensure!(has("users") && has("posts"), "the database has no tables of Grateful");
        Ok(snapshot)
    }

    /// The uploads are copied as they are. How small the tables become is known when they are compressed.
    fn check_space(&self, needed: u64) -> anyhow::Result<()> {
        let Some(directory) = self.target.directory() else { return Ok(()) };
        let free = free_space(&directory)?;
        ensure!(
            needed <= free,
            "the uploads need {}, and {} has {} free: nothing was written",
            HumanBytes(needed),
            directory.display(),
            HumanBytes(free)
        );
        Ok(())
    }
}

fn report(manifest: &Manifest, is_on_stdout: bool) {
    let uploads = &manifest.uploads;
    let summary = format!(
        "backed up {} rows in {} tables and {} files ({})",
        manifest.rows(),
        manifest.tables.len(),
        uploads.files,
        HumanBytes(manifest.content_bytes())
    );
    if is_on_stdout {
        eprintln!("{summary}");
    } else {
        println!("{summary}");
    }
    for path in &uploads.missing {
        eprintln!("warning: the database names {path}, which does not exist in the uploads");
    }
}
