//! Runs a group of acts in one transaction, and answers their callers.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use grateful_storage::{Connection, Database, QueryLog};

use super::{GroupedAct, RunningGroup, WaitingAct};
use crate::metrics::{ACTS_REFUSED, ACTS_WAIT, GROUP_SIZE, GROUPS_RETRIED, GROUPS_SPLIT};
use crate::{Error, Result};

/// Runs a group, and answers after its commit.
pub(super) async fn run_group<A: GroupedAct>(running: RunningGroup<A>, group: Vec<WaitingAct<A>>) {
    let db = group.first().map(|waiting| waiting.db.clone());
    let (mut acts, mut replies) = (vec![], vec![]);
    for WaitingAct { act, since, reply, .. } in group {
        let waited = since.elapsed();
        if running.lane.limits.wait < waited {
            metrics::counter!(ACTS_REFUSED, "act" => A::NAME).increment(1);
            _ = reply.send((Err(unavailable()), Arc::default()));
        } else if !reply.is_closed() {
            metrics::histogram!(ACTS_WAIT, "act" => A::NAME).record(waited);
            acts.push(act);
            replies.push(reply);
        }
    }
    let Some(db) = db.filter(|_| !acts.is_empty()) else { return };
    metrics::histogram!(GROUP_SIZE, "act" => A::NAME).record(size_of_group(acts.len()));
    let (results, log) = QueryLog::record(run_acts(&db, &acts)).await;
    let log = Arc::new(log);
    for (reply, result) in replies.into_iter().zip(results) {
        // The caller may be gone.
        _ = reply.send((result, Arc::clone(&log)));
    }
    // What the callers do next on this thread can be in the next group.
    tokio::task::yield_now().await;
}

/// Runs acts in one transaction. If it fails as a whole, runs them once more together, and then one by one.
async fn run_acts<A: GroupedAct>(db: &Database, acts: &[A]) -> Vec<Result<A::Output>> {
    let mut failure = match attempt(db, acts).await {
        Ok(results) => return results,
        Err(failure) => failure,
    };
    if acts.len() == 1 {
        return vec![Err(failure.error)];
    }
    if failure.is_worth_repeating() {
        metrics::counter!(GROUPS_RETRIED, "act" => A::NAME).increment(1);
        tracing::debug!(act = A::NAME, error = %failure.error, "A group of acts failed, once more");
        failure = match attempt(db, acts).await {
            Ok(results) => return results,
            Err(failure) => failure,
        };
    }
    if !failure.is_undone {
        return acts.iter().map(|_| Err(unavailable())).collect();
    }
    metrics::counter!(GROUPS_SPLIT, "act" => A::NAME).increment(1);
    tracing::warn!(
        act = A::NAME,
        acts = acts.len(),
        error = &failure.error as &dyn std::error::Error,
        "A group of acts failed; they run one by one"
    );
    run_one_by_one(db, acts).await
}

/// Runs each act in a transaction of its own. Does not try acts that would wait for what an earlier one waited for in vain.
async fn run_one_by_one<A: GroupedAct>(db: &Database, acts: &[A]) -> Vec<Result<A::Output>> {
    let mut results = vec![];
    let (mut is_available, mut stuck) = (true, HashSet::new());
    for act in acts {
        let target = act.place().target;
        if !is_available || stuck.contains(&target) {
            results.push(Err(unavailable()));
            continue;
        }
        match attempt(db, std::slice::from_ref(act)).await {
            Ok(result) => results.extend(result),
            Err(failure) => {
                is_available = failure.is_undone;
                if matches!(failure.error, Error::Unavailable(_)) {
                    stuck.insert(target);
                }
                results.push(Err(failure.error));
            }
        }
    }
    results
}

/// Why a transaction failed as a whole.
struct Failure {
    error: Error,
    /// The transaction had begun, and was undone. Otherwise it could not begin, or the connection was lost while it was being
    /// committed, and nothing says whether it was.
    is_undone: bool,
}

impl Failure {
    /// Whether the group may succeed now. A statement that took too long would take as long again.
    fn is_worth_repeating(&self) -> bool {
        self.is_undone && !matches!(self.error, Error::Unavailable(_))
    }
}

/// Runs acts in one transaction. If all of them are refused, rolls it back, which costs no write to the disk.
async fn attempt<A: GroupedAct>(
    db: &Database,
    acts: &[A],
) -> std::result::Result<Vec<Result<A::Output>>, Failure> {
    let (has_begun, is_committing) = (AtomicBool::new(false), AtomicBool::new(false));
    let lock = async |tx: &Connection| {
        has_begun.store(true, Ordering::Relaxed);
        is_committing.store(false, Ordering::Relaxed);
        Ok(A::lock(tx, acts).await?)
    };
    let result = db
        .transaction_after(lock, async |tx: &mut Connection, locked| {
            let results = A::run(tx, acts, locked).await?;
            if results.iter().all(Result::is_err) {
                return Err(NoCommit::Refused(results));
            }
            is_committing.store(true, Ordering::Relaxed);
            Ok(results)
        })
        .await;
    match result {
        Ok(results) | Err(NoCommit::Refused(results)) => Ok(results),
        Err(NoCommit::Failed(error)) => {
            let is_lost =
                matches!(error, Error::Unavailable(_)) && is_committing.load(Ordering::Relaxed);
            Err(Failure { error, is_undone: has_begun.load(Ordering::Relaxed) && !is_lost })
        }
    }
}

/// Why a transaction was not committed.
enum NoCommit<T> {
    /// All acts were refused.
    Refused(Vec<Result<T>>),
    Failed(Error),
}

impl<T, E: Into<Error>> From<E> for NoCommit<T> {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

fn unavailable() -> Error {
    Error::Unavailable("the acts of the group could not be done".into())
}

fn size_of_group(acts: usize) -> f64 {
    u32::try_from(acts).unwrap_or(u32::MAX).into()
}
