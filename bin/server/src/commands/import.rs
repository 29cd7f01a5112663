//! `grateful import`: brings over the database and the uploads of the older Grateful.

mod pictures;
mod reporter;

use anyhow::{Context as _, bail, ensure};
use grateful_application::{App, Clock as _, SystemClock};
use grateful_import::{
    ImportError, ImportSettings, NamedFiles, Pictures, Source, Summary, commit, import,
};
use grateful_storage::BulkLoad;

use self::reporter::Reporter;
use super::{Apps, open_migrated};
use crate::config::{ImportArgs, Settings};

pub(super) async fn run(settings: Settings, args: ImportArgs) -> anyhow::Result<()> {
    let source = Source::open(&args.from, &args.zone).await?;
    let named = source.named_files().await?;
    check_uploads(&named, &args)?;
    let postgres = open_migrated(&settings).await?;
    let mut load =
        BulkLoad::begin(&postgres.config.url).await.context("the database cannot be loaded")?;
    if !load.lock_empty().await? {
        bail!(ImportError::NotEmpty);
    }
    let app = Apps::new(&settings, postgres.config.clone())?.jobs;
    let mut reporter = Reporter::start(args.report.as_deref())?;
    let pictures = bring_pictures(&app, &settings, &named, &args, &reporter).await?;
    let when =
        ImportSettings { now: SystemClock.now(), retention: settings.notification_retention };
    let summary = import(&source, &mut load, pictures, when, &mut reporter).await?;
    reporter.finish()?;
    print(&summary, reporter.changes());
    if args.dry_run {
        drop(load);
        println!("Dry run: nothing was imported.");
    } else {
        commit(&source, load).await.context("nothing was imported")?;
        println!("Imported. Check it with: grateful verify");
    }
    postgres.close()
}

/// Pictures stay with the older server only if the operator says so.
fn check_uploads(named: &NamedFiles, args: &ImportArgs) -> anyhow::Result<()> {
    let count = named.images.len() + named.photos.len();
    match &args.uploads {
        Some(folder) => ensure!(
            folder.is_dir(),
            "--uploads {} is no directory; it should have the folders posts and profile_photos",
            folder.display()
        ),
        None => ensure!(
            count == 0 || args.without_uploads,
            "the source names {count} pictures: give the older folder of uploads with --uploads, or import \
             without them (--without-uploads)"
        ),
    }
    Ok(())
}

async fn bring_pictures(
    app: &App,
    settings: &Settings,
    named: &NamedFiles,
    args: &ImportArgs,
    reporter: &Reporter,
) -> anyhow::Result<Pictures> {
    let Some(folder) = &args.uploads else { return Ok(Pictures::default()) };
    if !args.dry_run && settings.bucket.is_none() {
        pictures::check_space(folder, named, &settings.uploads_dir)?;
    }
    pictures::bring(app, folder, named, args.dry_run, reporter).await
}

fn print(summary: &Summary, changes: u64) {
    for (table, counts) in &summary.tables {
        let made = if counts.made == 0 { String::new() } else { format!(", {} made", counts.made) };
        println!(
            "{table}: {} read, {} imported, {} skipped{made}",
            counts.read, counts.imported, counts.skipped
        );
    }
    println!("{changes} changes reported");
}
