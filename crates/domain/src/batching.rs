//! The batching engine: several acts of one kind become one notification of an inbox, by the [`BatchPolicy`] of a service.
//!
//! | concept | type |
//! |---|---|
//! | what the acts are, and how they are batched | [`BatchPolicy`], [`BatchLimits`], [`StartLimits`] |
//! | what happens | [`Event`], with its [`Cause`]; all changes are [`InboxUpdate`]s |
//! | the state | [`Inbox`], with its [`Notification`]s |
//! | what happened to an event | [`BatchDecision`] |
//! | what a store loads and writes | [`InboxPart`], [`InboxDiff`] |
//!
//! The engine knows no texts and no types of notifications: a service renders a [`Notification`] by its kind, its subject and
//! its [counts](Notification::batch_counts). [`notification`](crate::notification) has the acts of Grateful, with their texts.
//!
//! These rules hold for every policy:
//!
//! - An inbox has at most one open top-level notification per key, and at most one notification per actor and act.
//! - The first event of a key starts a single notification. The second converts it to a batch, within
//!   [`BatchLimits::conversion_window`]; further ones join, up to [`BatchLimits::max_age`] and [`BatchLimits::max_size`].
//!   Otherwise the open notification is closed, and another starts.
//! - A batch counts its children and its distinct actors, and shows its newest child. It is deleted with its last child.
//! - Joining and converting make the batch unread and move it to the top of the list. Withdrawing and changing details do
//!   neither. A batch becomes read when a withdrawal leaves only read children.
//! - An act that is repeated within [`BatchPolicy::restore_window`] after its withdrawal is not new: its notification returns
//!   as it was, to its batch if that has room.
//! - Starts are limited per type by [`StartLimits`]; events beyond the limit create no notification, and are counted.

mod decision;
mod event;
mod inbox;
mod inbox_changes;
mod inbox_part;
mod notification;
mod policy;
mod quota;
mod recording;
mod suppression;
mod withdrawal;

pub use self::decision::{BatchDecision, Deliverability, RestoreTarget, SkipReason};
use self::decision::{InboxContext, ParentNotification, decide};
pub use self::event::{Event, InboxUpdate};
pub use self::inbox::Inbox;
use self::inbox_changes::InboxChanges;
pub use self::inbox_changes::WithdrawnNotification;
pub use self::inbox_part::{InboxDiff, InboxPart, OtherChildren, StoredQuota};
pub use self::notification::{BatchCounts, Notification, NotificationCounts};
pub use self::policy::{BatchLimits, BatchPolicy, Cause, StartLimits};
#[cfg(feature = "serde")]
pub use self::policy::{Serializable, SerializablePolicy};
pub use self::quota::StartQuota;
use self::recording::record;
pub use self::suppression::{SuppressedNotification, SuppressionReason};
pub use self::withdrawal::WithdrawalReason;
use self::withdrawal::{RemainingBatch, change_details, withdraw};
