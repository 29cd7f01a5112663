//! The import itself: first the facts are collected from one pass over each table, then each row is mended and loaded.

mod facts;
mod inboxes;
mod recent_comments;

use std::io;

use chrono::{DateTime, TimeDelta, Utc};
use grateful_domain::Comment;
use grateful_storage::{BulkLoad, Result as StorageResult};

use crate::engagement::{
    LastPair, OldComment, OldReaction, OldShare, Replies, SharesSoFar, mend_comment, mend_heart,
    mend_reaction, mend_share,
};
use crate::error::ImportError;
use crate::follows::{self, OldFollow};
use crate::posts::{self, OldPost};
use crate::report::{Change, Notes, Skipped, TableCounts};
use crate::source::{FromRow, OldHeart, Order, Source, Table};
use crate::users::{self, OldUser};
use crate::world::{Pictures, World};

/// Rows in memory between reading and writing.
const CHUNK: usize = 5_000;

/// When the import happens, and what it follows.
#[derive(Debug, Clone, Copy)]
pub struct ImportSettings {
    /// The moment of the import. No row is later.
    pub now: DateTime<Utc>,
    /// How long ours keeps notifications that were read.
    pub retention: TimeDelta,
}

/// What the import is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// A pass over a table begins.
    Started {
        /// What is done with the table.
        step: &'static str,
        /// The table.
        table: &'static str,
        /// The number of its rows.
        rows: u64,
    },
    /// Rows were read since the last report.
    Advanced(u64),
}

/// Hears of changes and of the progress.
pub trait Observer {
    /// A row is changed, renamed or skipped.
    ///
    /// # Errors
    /// The report cannot be written, which ends the import.
    fn change(&mut self, change: Change) -> io::Result<()>;

    /// The import has advanced.
    fn progress(&mut self, progress: Progress);
}

/// What was imported.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// The counts of each older table, in the order of the import.
    pub tables: Vec<(&'static str, TableCounts)>,
}

/// Mends the rows of `source` and loads them into the empty database of `load`. [`commit`] makes them visible; dropping `load`
/// leaves nothing.
///
/// # Errors
/// Our database has users, one of the databases fails, or the report cannot be written.
pub async fn import(
    source: &Source,
    load: &mut BulkLoad,
    pictures: Pictures,
    settings: ImportSettings,
    observer: &mut dyn Observer,
) -> Result<Summary, ImportError> {
    if !load.lock_empty().await? {
        return Err(ImportError::NotEmpty);
    }
    let world = facts::collect(source, pictures, settings, observer).await?;
    let mut importer = Importer { source, load, world, observer, summary: Summary::default() };
    importer.bring_all().await?;
    Ok(importer.summary)
}

/// Makes the loaded rows visible, and lets new users get ids after them.
///
/// # Errors
/// The source changed since its snapshot began, or our database fails. Nothing is left then.
pub async fn commit(source: &Source, load: BulkLoad) -> Result<(), ImportError> {
    source.check_unchanged().await?;
    load.continue_user_ids().await?;
    Ok(load.commit().await?)
}

struct Importer<'i> {
    source: &'i Source,
    load: &'i mut BulkLoad,
    world: World,
    observer: &'i mut dyn Observer,
    summary: Summary,
}

impl Importer<'_> {
    async fn bring_all(&mut self) -> Result<(), ImportError> {
        self.bring(Order::Id, mend_user, async |load, rows| load.users(rows.into_iter()).await)
            .await?;
        self.bring(Order::Id, mend_post, async |load, rows| load.posts(rows.into_iter()).await)
            .await?;
        let mut last = None;
        let mend = |old: &OldFollow, world: &World, notes: &mut Notes| {
            let pair = Some((old.follower, old.followed));
            if std::mem::replace(&mut last, pair) == pair {
                return Err(Skipped::because("the same edge came before"));
            }
            follows::mend(old, world, notes)
        };
        self.bring(Order::Edge, mend, async |load, rows| load.follows(rows.into_iter()).await)
            .await?;
        self.bring_engagement().await?;
        self.bring_comments().await?;
        self.bring_inboxes().await
    }

    async fn bring_engagement(&mut self) -> Result<(), ImportError> {
        let order = Order::UserAndPost;
        let mut last = LastPair::default();
        let mend = |old: &OldHeart, world: &World, notes: &mut Notes| {
            mend_heart(&old.0, &mut last, world, notes)
        };
        self.bring(order, mend, async |load, rows| load.hearts(rows.into_iter()).await).await?;
        let mut last = LastPair::default();
        let mend = |old: &OldReaction, world: &World, notes: &mut Notes| {
            mend_reaction(old, &mut last, world, notes)
        };
        self.bring(order, mend, async |load, rows| load.emoji_reactions(rows.into_iter()).await)
            .await?;
        let mut so_far = SharesSoFar::default();
        let mend = |old: &OldShare, world: &World, notes: &mut Notes| {
            mend_share(old, &mut so_far, world, notes).map(|(share, _)| share)
        };
        self.bring(order, mend, async |load, rows| load.shares(rows.into_iter()).await).await
    }

    async fn bring_comments(&mut self) -> Result<(), ImportError> {
        let (mut replies, mut recent) = (Replies::default(), Vec::new());
        let retained_since = self.world.retained_since;
        let load_in_order = async |load: &mut BulkLoad, rows: Vec<Comment>| {
            recent.extend(rows.iter().filter(|it| retained_since <= it.created_at).cloned());
            let ready: Vec<Comment> = rows.into_iter().flat_map(|it| replies.add(it)).collect();
            load.comments(ready.into_iter()).await
        };
        self.bring::<OldComment, _>(Order::Time, mend_comment, load_in_order).await?;
        let (circles, changes): (Vec<_>, Vec<_>) = replies.finish().into_iter().unzip();
        changes.into_iter().try_for_each(|change| self.observer.change(change))?;
        self.load.comments(circles.into_iter()).await?;
        let unknown = recent_comments::suppressed(&recent, &self.world);
        Ok(self.load.suppressed_notifications(unknown.into_iter()).await?)
    }

    /// Reads a table, mends its rows, reports what changes, and loads what comes over.
    async fn bring<R: FromRow, T>(
        &mut self,
        order: Order,
        mut mend: impl FnMut(&R, &World, &mut Notes) -> Result<T, Skipped>,
        mut load: impl AsyncFnMut(&mut BulkLoad, Vec<T>) -> StorageResult<()>,
    ) -> Result<(), ImportError> {
        let mut counts = self.start("importing", R::TABLE);
        let mut rows = self.source.stream::<R>(order).await?;
        loop {
            let chunk = rows.next::<R>(CHUNK).await?;
            if chunk.is_empty() {
                break;
            }
            let mut mended = Vec::with_capacity(chunk.len());
            for old in &chunk {
                let mut notes = Notes::default();
                match mend(old, &self.world, &mut notes) {
                    Ok(row) => mended.push(row),
                    Err(Skipped { what, why }) => {
                        notes = Notes::default();
                        notes.add(what, why);
                        counts.skipped += 1;
                    }
                }
                for change in notes.into_changes(R::TABLE.name(), &old.id()) {
                    self.observer.change(change)?;
                }
            }
            counts.read += chunk.len() as u64;
            counts.imported += mended.len() as u64;
            load(self.load, mended).await?;
            self.observer.progress(Progress::Advanced(chunk.len() as u64));
        }
        self.summary.tables.push((R::TABLE.name(), counts));
        Ok(())
    }

    fn start(&mut self, step: &'static str, table: Table) -> TableCounts {
        let rows = self.source.rows(table);
        self.observer.progress(Progress::Started { step, table: table.name(), rows });
        TableCounts::default()
    }
}

fn mend_user(
    old: &OldUser,
    world: &World,
    notes: &mut Notes,
) -> Result<grateful_storage::BulkUser, Skipped> {
    users::mend(old, world, notes).ok_or_else(|| Skipped::because("its id came before"))
}

fn mend_post(
    old: &OldPost,
    world: &World,
    notes: &mut Notes,
) -> Result<grateful_domain::Post, Skipped> {
    let post = posts::mend(old, world, notes)?;
    let facts = world.posts.get(&post.id.into());
    let engagement = facts.map(|facts| facts.engagement).unwrap_or_default();
    Ok(grateful_domain::Post { engagement, ..post })
}
