//! Waking those who follow their lists.
//!
//! Each node asks the database a few times a second how far the lists have come that are followed there: one statement
//! for all of them. So a change on any node is seen on every node, and no act pays for it: LISTEN and NOTIFY would make
//! all acts commit one after the other.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use grateful_domain::UserId;
use grateful_storage::{Database, Repositories};
use tokio::sync::watch;

/// Who follows which list. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct InboxWatcher {
    followed: Arc<Mutex<Followed>>,
}

#[derive(Debug, Default)]
struct Followed {
    lists: HashMap<UserId, watch::Sender<i64>>,
    /// Whether somebody asks the database.
    is_asked: bool,
}

/// How often the database is asked: seldom enough to cost nothing, often enough to seem at once.
const EVERY: Duration = Duration::from_millis(300);

impl InboxWatcher {
    /// Follows a list: what comes back changes whenever the list has come further. The first who follows any list makes
    /// a task that asks; it ends when nobody follows any more.
    pub(crate) fn follow(&self, db: &Database, owner: UserId) -> watch::Receiver<i64> {
        let mut followed = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        if !followed.is_asked {
            followed.is_asked = true;
            tokio::spawn(self.clone().ask(db.clone()));
        }
        followed.lists.entry(owner).or_insert_with(|| watch::Sender::new(0)).subscribe()
    }

    async fn ask(self, db: Database) {
        loop {
            tokio::time::sleep(EVERY).await;
            let owners = self.owners();
            if owners.is_empty() {
                return;
            }
            match positions(&db, &owners).await {
                Ok(positions) => self.tell(&positions),
                // Those who follow notice by themselves, at the latest when they ask.
                Err(error) => tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "Nobody could be woken"
                ),
            }
        }
    }

    /// Whose lists are followed. Where none is, whoever follows next makes a new task.
    fn owners(&self) -> Vec<UserId> {
        let mut followed = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        followed.lists.retain(|_, list| 0 < list.receiver_count());
        followed.is_asked = !followed.lists.is_empty();
        followed.lists.keys().copied().collect()
    }

    fn tell(&self, positions: &HashMap<UserId, i64>) {
        let followed = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        for (owner, list) in &followed.lists {
            if let Some(last) = positions.get(owner) {
                list.send_if_modified(|known| std::mem::replace(known, *last) != *last);
            }
        }
    }
}

async fn positions(
    db: &Database,
    owners: &[UserId],
) -> grateful_storage::Result<HashMap<UserId, i64>> {
    db.acquire().await?.notifications().find_last_seqs(owners).await
}
