//! Counting what became of events, once it is committed.

use std::cell::RefCell;

use grateful_domain::NotificationType;
use grateful_domain::notification::BatchDecision;

use super::metrics::NOTIFICATIONS;

tokio::task_local! {
    /// What is not committed yet.
    static PENDING: RefCell<Vec<(NotificationType, &'static str)>>;
}

/// What a decision is counted as, as long as the hourly limit does not stand against it.
pub(crate) const fn outcome_of(placement: BatchDecision) -> &'static str {
    match placement {
        BatchDecision::Join => "joined",
        BatchDecision::Convert => "converted",
        BatchDecision::Start => "started",
        BatchDecision::Restore(_) => "came_back",
        BatchDecision::Skip(_) => "skipped",
    }
}

/// Runs `work`, and counts what became of the events that it recorded if and only if it succeeds.
///
/// [`Database::transaction`](crate::Database::transaction) does so around every attempt, since a transaction that is rolled
/// back or tried again has told nobody of anything. Put it around transactions of your own, from before their beginning
/// until behind their commit; what is recorded outside is counted at once.
///
/// # Errors
/// That of `work`.
pub async fn record_on_commit<T, E>(work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    let counting = async {
        let done = work.await?;
        Ok((done, PENDING.with(RefCell::take)))
    };
    let (done, pending) = PENDING.scope(RefCell::default(), counting).await?;
    for (kind, outcome) in pending {
        count(kind, outcome);
    }
    Ok(done)
}

/// That this became of an event of this type.
pub(crate) fn note(kind: NotificationType, outcome: &'static str) {
    if PENDING.try_with(|pending| pending.borrow_mut().push((kind, outcome))).is_err() {
        count(kind, outcome);
    }
}

fn count(kind: NotificationType, outcome: &'static str) {
    metrics::counter!(NOTIFICATIONS, "outcome" => outcome, "type" => kind.code()).increment(1);
}
