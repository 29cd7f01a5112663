//! Turns an event into changes to the recipient's inbox.

use chrono::{DateTime, Utc};

use super::{
    BatchCounts, BatchDecision, BatchPolicy, Event, InboxChanges, InboxContext, Notification,
    ParentNotification, RestoreTarget, SuppressedNotification, SuppressionReason,
    WithdrawnNotification,
};

/// Computes what an event changes in the recipient's inbox.
pub(super) fn record<P: BatchPolicy>(
    policy: &P,
    event: &Event<P>,
    context: &InboxContext<P>,
    decision: BatchDecision,
) -> InboxChanges<P> {
    let InboxContext { open, withdrawn, .. } = context;
    match (decision, open, withdrawn) {
        (BatchDecision::Join, Some(open), _) => {
            let child = single_notification(policy, event);
            let batch = batch_with_child(open, &child);
            add_to_batch(None, marked_unread(batch, event.at), child)
        }
        (BatchDecision::Convert, Some(open), _) => {
            let child = single_notification(policy, event);
            let batch = batch_with_child(&to_batch(policy, open, event, event.at), &child);
            add_to_batch(Some(open), marked_unread(batch, event.at), child)
        }
        (BatchDecision::Start, open, _) => start(policy, event, open.as_ref()),
        (BatchDecision::Restore(target), _, Some(withdrawn)) => {
            restore(policy, event, context, withdrawn, target)
        }
        (BatchDecision::Skip(reason), ..) => suppress(policy, event, reason.suppression()),
        (BatchDecision::HoldBack, ..) => suppress(policy, event, Some(SuppressionReason::HeldBack)),
        _ => InboxChanges::default(),
    }
}

/// Remembers why the event creates no notification, unless the rows of its act show it.
fn suppress<P: BatchPolicy>(
    policy: &P,
    event: &Event<P>,
    reason: Option<SuppressionReason>,
) -> InboxChanges<P> {
    let suppressed = reason
        .map(|reason| SuppressedNotification::of_cause(policy, &event.cause, reason, event.at));
    InboxChanges { suppressed: suppressed.into_iter().collect(), ..InboxChanges::default() }
}

/// Adds a single notification and closes the open one.
fn start<P: BatchPolicy>(
    policy: &P,
    event: &Event<P>,
    open: Option<&ParentNotification<P>>,
) -> InboxChanges<P> {
    let single = single_notification(policy, event);
    let closed_at = Some(single.created_at);
    let closed = open.map(|open| Notification { closed_at, ..open.notification.clone() });
    InboxChanges {
        updated_in_list: vec![single.id],
        saved: closed.into_iter().chain([single]).collect(),
        ..InboxChanges::default()
    }
}

/// Restores a withdrawn notification. No notification becomes unread, the order of the list does not change, and the
/// limit of starts does not count it.
fn restore<P: BatchPolicy>(
    policy: &P,
    event: &Event<P>,
    context: &InboxContext<P>,
    withdrawn: &WithdrawnNotification<P>,
    target: RestoreTarget,
) -> InboxChanges<P> {
    let InboxContext { original_batch, open, .. } = context;
    let restored = Notification {
        id: withdrawn.id,
        created_at: withdrawn.created_at,
        last_updated_at: withdrawn.created_at,
        read_at: withdrawn.read_at,
        ..single_notification(policy, event)
    };
    let changes = match (target, original_batch, open) {
        (RestoreTarget::OriginalBatch, Some(batch), _)
        | (RestoreTarget::OpenBatch, _, Some(batch)) => {
            add_to_batch(None, batch_with_child(batch, &restored), restored)
        }
        (RestoreTarget::OpenSingle, _, Some(open)) => {
            let created_at = open.notification.created_at.max(restored.created_at);
            let batch = batch_with_child(&to_batch(policy, open, event, created_at), &restored);
            add_to_batch(Some(open), batch, restored)
        }
        _ => {
            let closed_at = open.as_ref().map(|_| event.at);
            let single = Notification { closed_at, ..restored };
            let updated_in_list = vec![single.id];
            InboxChanges { updated_in_list, saved: vec![single], ..InboxChanges::default() }
        }
    };
    let reason = SuppressionReason::Restored;
    let at = withdrawn.created_at;
    let suppressed = SuppressedNotification::of_cause(policy, &event.cause, reason, at);
    InboxChanges { restored: Some(withdrawn.clone()), suppressed: vec![suppressed], ..changes }
}

/// The notification of the event alone.
fn single_notification<P: BatchPolicy>(policy: &P, event: &Event<P>) -> Notification<P> {
    let cause = &event.cause;
    Notification {
        id: event.id,
        recipient: cause.recipient.clone(),
        kind: policy.kind(&cause.act),
        actor: Some(cause.actor.clone()),
        act: Some(policy.act_key(&cause.act)),
        subject: policy.subject(&cause.act),
        details: event.details.clone(),
        read_at: None,
        created_at: event.at,
        last_updated_at: event.at,
        closed_at: None,
        parent: None,
        batch: None,
        key: policy.batch_key(cause),
    }
}

/// A batch whose only child is `single`.
fn to_batch<P: BatchPolicy>(
    policy: &P,
    single: &ParentNotification<P>,
    event: &Event<P>,
    created_at: DateTime<Utc>,
) -> ParentNotification<P> {
    let batch = Notification {
        id: event.batch_id,
        kind: policy.batch_kind(&event.cause.act),
        act: None,
        batch: Some(BatchCounts { child_count: 1, actor_count: 1 }),
        created_at,
        last_updated_at: single.notification.last_updated_at.max(created_at),
        ..single.notification.clone()
    };
    ParentNotification { notification: batch, ..single.clone() }
}

/// The batch with one more child. It shows its newest child, which is not necessarily the added one.
fn batch_with_child<P: BatchPolicy>(
    batch: &ParentNotification<P>,
    child: &Notification<P>,
) -> Notification<P> {
    let before = batch.notification.batch_counts();
    let counts = BatchCounts {
        child_count: before.child_count + 1,
        actor_count: before.actor_count + i32::from(!batch.has_actor),
    };
    let mut after = Notification { batch: Some(counts), ..batch.notification.clone() };
    if batch.newest < child.sort_key() {
        after.copy_newest(child);
    }
    after
}

/// The batch as unread and moved to the top of the list.
fn marked_unread<P: BatchPolicy>(batch: Notification<P>, at: DateTime<Utc>) -> Notification<P> {
    let last_updated_at = batch.last_updated_at.max(at);
    Notification { last_updated_at, read_at: None, ..batch }
}

/// Saves the batch and its new children: `child` and, if the batch is made from a single notification, `single`. The
/// single is saved before the batch, which replaces it as the open notification of the key.
fn add_to_batch<P: BatchPolicy>(
    single: Option<&ParentNotification<P>>,
    batch: Notification<P>,
    child: Notification<P>,
) -> InboxChanges<P> {
    let parent = Some(batch.id);
    // The children of a read batch are read.
    let child = Notification { parent, read_at: child.read_at.or(batch.read_at), ..child };
    let moved = single.map(|single| Notification { parent, ..single.notification.clone() });
    InboxChanges {
        updated_in_list: vec![batch.id],
        removed_from_list: moved.iter().map(|moved| moved.id).collect(),
        saved: moved.into_iter().chain([batch, child]).collect(),
        ..InboxChanges::default()
    }
}
