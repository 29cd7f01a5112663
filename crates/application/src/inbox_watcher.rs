//! Wakes notification streams when their inbox changes.
//!
//! Each node polls the database a few times a second for the last change of every inbox that is streamed there, with one
//! statement for all of them. A change on any node therefore reaches every node, and writers pay nothing for it: LISTEN
//! and NOTIFY would serialize the commits of all acts.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use grateful_domain::UserId;
use grateful_storage::{Database, Repositories};
use tokio::sync::watch;

/// Polls the inboxes that are streamed on this node. Clones share the subscriptions.
#[derive(Debug, Clone, Default)]
pub struct InboxWatcher {
    subscriptions: Arc<Mutex<Subscriptions>>,
}

#[derive(Debug, Default)]
struct Subscriptions {
    inboxes: HashMap<UserId, watch::Sender<i64>>,
    is_polling: bool,
}

/// Time between two polls: long enough to cost nothing, short enough to seem immediate.
const POLL_INTERVAL: Duration = Duration::from_millis(300);

impl InboxWatcher {
    /// Subscribes to an inbox. The receiver changes whenever the inbox has a newer change. The first subscription spawns
    /// the polling task, which ends when no subscription is left.
    pub(crate) fn subscribe(&self, db: &Database, owner: UserId) -> watch::Receiver<i64> {
        let mut subscriptions = self.subscriptions.lock().unwrap_or_else(PoisonError::into_inner);
        if !subscriptions.is_polling {
            subscriptions.is_polling = true;
            tokio::spawn(self.clone().poll(db.clone()));
        }
        subscriptions.inboxes.entry(owner).or_insert_with(|| watch::Sender::new(0)).subscribe()
    }

    async fn poll(self, db: Database) {
        loop {
            tokio::time::sleep(POLL_INTERVAL).await;
            let owners = self.owners();
            if owners.is_empty() {
                return;
            }
            match find_last_seqs(&db, &owners).await {
                Ok(last_seqs) => self.publish(&last_seqs),
                // Each stream also reads its inbox after every keep-alive.
                Err(error) => tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "Inboxes could not be polled"
                ),
            }
        }
    }

    /// Drops subscriptions without receivers, and returns the owners of the others. If none is left, the next
    /// subscription spawns a new polling task.
    fn owners(&self) -> Vec<UserId> {
        let mut subscriptions = self.subscriptions.lock().unwrap_or_else(PoisonError::into_inner);
        subscriptions.inboxes.retain(|_, inbox| 0 < inbox.receiver_count());
        subscriptions.is_polling = !subscriptions.inboxes.is_empty();
        subscriptions.inboxes.keys().copied().collect()
    }

    fn publish(&self, last_seqs: &HashMap<UserId, i64>) {
        let subscriptions = self.subscriptions.lock().unwrap_or_else(PoisonError::into_inner);
        for (owner, inbox) in &subscriptions.inboxes {
            if let Some(last_seq) = last_seqs.get(owner) {
                inbox.send_if_modified(|known| std::mem::replace(known, *last_seq) != *last_seq);
            }
        }
    }
}

async fn find_last_seqs(
    db: &Database,
    owners: &[UserId],
) -> grateful_storage::Result<HashMap<UserId, i64>> {
    db.acquire().await?.notifications().find_last_seqs(owners).await
}
