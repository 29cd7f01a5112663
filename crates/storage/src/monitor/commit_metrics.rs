//! Metrics that count only after the transaction has committed.

use std::cell::RefCell;

use grateful_domain::NotificationType;
use grateful_domain::notification::BatchDecision;

use super::metrics::NOTIFICATIONS;

tokio::task_local! {
    /// The outcomes that are not committed yet.
    static PENDING: RefCell<Vec<(NotificationType, &'static str)>>;
}

/// The `outcome` label of a decision. A start that the hourly limit holds back is [`HELD_BACK`](super::metrics::HELD_BACK)
/// instead.
pub(crate) const fn outcome_label(decision: BatchDecision) -> &'static str {
    match decision {
        BatchDecision::Join => "joined",
        BatchDecision::Convert => "converted",
        BatchDecision::Start => "started",
        BatchDecision::Restore(_) => "restored",
        BatchDecision::Skip(_) => "skipped",
    }
}

/// Runs `work` and, if it succeeds, counts the outcomes of the events that it recorded.
///
/// [`Database::transaction`](crate::Database::transaction) wraps every attempt in this, so a transaction that is rolled
/// back or retried counts nothing. Wrap your own transactions from before `BEGIN` until after `COMMIT`. Outside this
/// function, events are counted at once.
///
/// # Errors
/// The error of `work`.
pub async fn record_on_commit<T, E>(work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    let counting = async {
        let value = work.await?;
        Ok((value, PENDING.with(RefCell::take)))
    };
    let (value, pending) = PENDING.scope(RefCell::default(), counting).await?;
    for (kind, outcome) in pending {
        count(kind, outcome);
    }
    Ok(value)
}

/// Counts the outcome of an event of this type: at commit inside [`record_on_commit`], otherwise at once.
pub(crate) fn record_outcome(kind: NotificationType, outcome: &'static str) {
    if PENDING.try_with(|pending| pending.borrow_mut().push((kind, outcome))).is_err() {
        count(kind, outcome);
    }
}

fn count(kind: NotificationType, outcome: &'static str) {
    metrics::counter!(NOTIFICATIONS, "outcome" => outcome, "type" => kind.code()).increment(1);
}
