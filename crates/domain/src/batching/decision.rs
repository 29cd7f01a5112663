//! Decides how an event changes the recipient's inbox (docs/rules.md#batching).

use chrono::{DateTime, Utc};

use super::{
    BatchLimits, BatchPolicy, Event, Notification, SuppressionReason, WithdrawnNotification,
};
use crate::elapsed_since;

/// What [`decide`] has to know of the inbox and of the two users.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct InboxContext<P: BatchPolicy> {
    pub deliverability: Deliverability,
    /// Whether the inbox already has a notification of the same act.
    pub is_recorded: bool,
    /// The notification that was withdrawn when the same act was undone, if it can still be restored.
    pub withdrawn: Option<WithdrawnNotification<P>>,
    /// The batch that the withdrawn notification was a child of, if that batch still exists.
    pub original_batch: Option<ParentNotification<P>>,
    /// The open notification under the batch key of the event.
    pub open: Option<ParentNotification<P>>,
}

/// Whether the recipient accepts this type of notification from the actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Deliverability {
    /// The notification may be delivered.
    Allowed,
    /// One of the two users has blocked the other.
    Blocked,
    /// The recipient has muted this notification type.
    Muted,
}

/// A top-level notification, with what an event needs to know about its children.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ParentNotification<P: BatchPolicy> {
    pub notification: Notification<P>,
    /// [`Notification::sort_key`] of its newest child, or its own if it is not a batch.
    pub newest: (DateTime<Utc>, P::Id),
    /// Whether the actor of the event is among its actors.
    pub has_actor: bool,
}

/// What happens to an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchDecision {
    /// The event creates no notification.
    Skip(SkipReason),
    /// It becomes a child of the open batch and makes the batch unread.
    Join,
    /// The open single notification and the event become the children of a new batch.
    Convert,
    /// It becomes a single notification and closes the open one, if any. Only this counts toward the limit of starts.
    Start,
    /// The withdrawn notification returns without becoming unread.
    Restore(RestoreTarget),
    /// It would start a notification, but the limit of starts is reached. It creates none.
    HoldBack,
}

/// Why an event creates no notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SkipReason {
    /// The recipient is the actor.
    OwnAct,
    /// One of the two users has blocked the other.
    Blocked,
    /// The recipient has muted this notification type.
    Muted,
    /// The inbox already has a notification of this act.
    AlreadyRecorded,
}

impl SkipReason {
    /// The reason to store for a skipped event. `None` if the rows of the act always show why it was skipped.
    pub(super) const fn suppression(self) -> Option<SuppressionReason> {
        match self {
            Self::OwnAct | Self::AlreadyRecorded => None,
            Self::Blocked => Some(SuppressionReason::Blocked),
            Self::Muted => Some(SuppressionReason::Muted),
        }
    }
}

/// Where a withdrawn notification is restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RestoreTarget {
    /// In the batch that it was a child of.
    OriginalBatch,
    /// In the batch that is open now.
    OpenBatch,
    /// In a new batch, together with the single notification that is open now.
    OpenSingle,
    /// As a single notification: open, or closed if another notification is open under its key.
    Standalone,
}

/// Decides what happens to an event, apart from the limit of starts.
pub(super) fn decide<P: BatchPolicy>(
    limits: BatchLimits,
    event: &Event<P>,
    context: &InboxContext<P>,
) -> BatchDecision {
    if let Some(reason) = skip_reason(event, context) {
        return BatchDecision::Skip(reason);
    }
    let open = context.open.as_ref();
    let admission = open.and_then(|open| admission(limits, &open.notification, event.at));
    if context.withdrawn.is_some() {
        let original = context.original_batch.as_ref();
        let original_has_room = original.is_some_and(|batch| has_room(limits, &batch.notification));
        return BatchDecision::Restore(match admission {
            _ if original_has_room => RestoreTarget::OriginalBatch,
            Some(BatchDecision::Join) => RestoreTarget::OpenBatch,
            Some(BatchDecision::Convert) => RestoreTarget::OpenSingle,
            _ => RestoreTarget::Standalone,
        });
    }
    admission.unwrap_or(BatchDecision::Start)
}

fn skip_reason<P: BatchPolicy>(event: &Event<P>, context: &InboxContext<P>) -> Option<SkipReason> {
    match context.deliverability {
        _ if event.cause.actor == event.cause.recipient => Some(SkipReason::OwnAct),
        Deliverability::Blocked => Some(SkipReason::Blocked),
        Deliverability::Muted => Some(SkipReason::Muted),
        Deliverability::Allowed => context.is_recorded.then_some(SkipReason::AlreadyRecorded),
    }
}

/// How an event at `now` can be added to the open notification: by joining, by converting, or not at all.
fn admission<P: BatchPolicy>(
    limits: BatchLimits,
    open: &Notification<P>,
    now: DateTime<Utc>,
) -> Option<BatchDecision> {
    let age = elapsed_since(open.created_at, now)?;
    match open.batch {
        Some(_) if age <= limits.max_age && has_room(limits, open) => Some(BatchDecision::Join),
        None if age <= limits.conversion_window => Some(BatchDecision::Convert),
        _ => None,
    }
}

fn has_room<P: BatchPolicy>(limits: BatchLimits, batch: &Notification<P>) -> bool {
    limits.max_size.is_none_or(|max| batch.batch_counts().child_count < max)
}
