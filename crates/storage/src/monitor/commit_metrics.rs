//! Metrics that count only after the transaction has committed.

use std::cell::RefCell;

use grateful_domain::NotificationType;

use super::metrics::{NOTIFICATIONS, Outcome};

tokio::task_local! {
    /// The outcomes that are not committed yet.
    static PENDING: RefCell<Vec<(NotificationType, Outcome)>>;
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
pub(crate) fn record_outcome(kind: NotificationType, outcome: Outcome) {
    if PENDING.try_with(|pending| pending.borrow_mut().push((kind, outcome))).is_err() {
        count(kind, outcome);
    }
}

fn count(kind: NotificationType, outcome: Outcome) {
    metrics::counter!(NOTIFICATIONS, "outcome" => outcome.code(), "type" => kind.code())
        .increment(1);
}
