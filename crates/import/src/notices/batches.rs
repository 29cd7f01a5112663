//! Batches, as our rules make them: of one key, with the counts of their entries.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use grateful_domain::notification::{BatchCounts, BatchKind};
use grateful_domain::{BatchKey, Notification, NotificationId};

use super::{Entry, OldNotice, single};
use crate::ids;
use crate::report::Change;
use crate::world::World;

/// The notifications of the older notices, and what became of the older batches.
#[derive(Default)]
pub(super) struct Batched {
    pub(super) notifications: Vec<Notification>,
    pub(super) changes: Vec<Change>,
    /// The older batches that are left out.
    pub(super) skipped: u64,
    /// The batches that no older row has.
    pub(super) made: u64,
}

/// A batch of ours that comes from an older one.
struct Batch<'o> {
    id: NotificationId,
    key: BatchKey,
    old: &'o OldNotice,
}

/// Puts entries into their batches, and the others at the top level.
pub(super) fn assemble(
    recipient: i64,
    entries: &[Entry],
    old: &[OldNotice],
    world: &World,
) -> Batched {
    let mut batched = Batched::default();
    let by_id: HashMap<&str, &OldNotice> =
        old.iter().map(|notice| (notice.id.as_str(), notice)).collect();
    let mut children: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in entries {
        let Some(parent) = entry.batch.as_deref() else {
            batched.add_single(entry, None);
            continue;
        };
        match by_id.get(parent) {
            Some(batch) if batch.is_batch && batch.parent_id.is_none() => {
                children.entry(parent).or_default().push(entry);
            }
            _ => {
                let id = entry_id(entry, old);
                let why = "its parent is no batch of the same person";
                batched.note(&id, "stands alone".to_owned(), why);
                batched.add_single(entry, None);
            }
        }
    }
    for batch in old.iter().filter(|notice| notice.is_batch) {
        if let Some(entries) = children.remove(batch.id.as_str()) {
            batched.add_batches(batch, &entries, world);
        } else {
            batched.skipped += 1;
            batched.note(&batch.id, format!("batch to {recipient} skipped"), "no entry is left");
        }
    }
    batched
}

/// The older id of an entry.
fn entry_id(entry: &Entry, old: &[OldNotice]) -> String {
    let found = old.iter().find(|notice| NotificationId::from(ids::of_row(&notice.id)) == entry.id);
    found.map_or_else(|| entry.id.to_string(), |notice| notice.id.clone())
}

impl Batched {
    fn note(&mut self, id: &str, what: String, why: &str) {
        let (id, why) = (id.to_owned(), why.to_owned());
        self.changes.push(Change { table: "notifications", id, what, why });
    }

    /// Adds an entry at the top level. `read_at` is when the batch was read that it does not fit into.
    fn add_single(&mut self, entry: &Entry, read_at: Option<DateTime<Utc>>) {
        let single = single(entry.id, &entry.act, entry.created_at);
        let read_at = entry.read_at.or(read_at);
        self.notifications.extend(single.map(|single| Notification { read_at, ..single }));
    }

    /// Adds the batches that an older one becomes: one for each key of ours. That with the newest entry keeps the id.
    fn add_batches(&mut self, old: &OldNotice, entries: &[&Entry], world: &World) {
        let mut by_key: BTreeMap<Option<BatchKey>, Vec<&Entry>> = BTreeMap::new();
        for entry in entries {
            by_key.entry(entry.act.cause.key()).or_default().push(entry);
        }
        let position = |entry: &&Entry| (entry.created_at, entry.id);
        let newest = entries.iter().copied().max_by_key(position);
        let main = newest.and_then(|entry| entry.act.cause.key());
        let kinds: Vec<&str> = by_key.keys().flatten().filter_map(kind).collect();
        let mixed = format!("it mixed {}", kinds.join(" and "));
        let mut groups: Vec<_> = by_key.into_iter().collect();
        groups.sort_by_key(|(key, _)| *key != main);
        for (key, entries) in groups {
            let is_main = key == main;
            match key {
                Some(key) if is_main => {
                    self.add_batch(
                        &Batch { id: ids::of_row(&old.id).into(), key, old },
                        &entries,
                        world,
                    );
                }
                Some(key) if 1 < entries.len() => {
                    let id = ids::derived(&format!("{} {}", old.id, key.as_str()));
                    self.made += 1;
                    let what = format!("batch of {} made from {}", entries.len(), old.id);
                    self.note(&id.to_string(), what, &mixed);
                    self.add_batch(&Batch { id: id.into(), key, old }, &entries, world);
                }
                _ => {
                    for entry in entries {
                        self.add_single(entry, old.read_at(world.now));
                    }
                }
            }
        }
    }

    fn add_batch(&mut self, batch: &Batch<'_>, entries: &[&Entry], world: &World) {
        let Batch { id, key, old } = batch;
        let count = entries.len();
        if old.batch_count != i64::try_from(count).ok() {
            let before = old.batch_count.map_or("NULL".to_owned(), |count| count.to_string());
            self.note(&id.to_string(), format!("batch_count {before} → {count}"), "counted again");
        }
        let all_read = entries.iter().map(|entry| entry.read_at).min().flatten();
        let latest = entries.iter().filter_map(|entry| entry.read_at).max();
        let read_at = old.read_at(world.now).or(all_read.and(latest));
        let actors: BTreeSet<_> = entries.iter().map(|entry| entry.act.cause.actor).collect();
        let newest = entries.iter().max_by_key(|entry| (entry.created_at, entry.id));
        let Some(newest) = newest else { return };
        let Some(shown) = single(newest.id, &newest.act, newest.created_at) else { return };
        let created_at = old.created_at.min(world.now);
        self.notifications.push(Notification {
            id: *id,
            kind: kind(key)
                .and_then(|kind| BatchKind::from_code(kind).ok())
                .map_or(shown.kind, |kind| kind.config().notification_type),
            act: None,
            key: Some(key.clone()),
            batch: Some(BatchCounts {
                child_count: to_count(count),
                actor_count: to_count(actors.len()),
            }),
            read_at,
            created_at,
            last_updated_at: created_at.max(newest.created_at),
            ..shown
        });
        for entry in entries {
            let single = single(entry.id, &entry.act, entry.created_at);
            let read_at = entry.read_at.or(read_at);
            let child = |single| Notification { parent: Some(*id), key: None, read_at, ..single };
            self.notifications.extend(single.map(child));
        }
    }
}

fn kind(key: &BatchKey) -> Option<&str> {
    key.as_str().split(':').next()
}

fn to_count(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
