//! What a service says about its acts, so that an inbox can batch them.

#[cfg(feature = "serde")]
mod serialization;

use std::fmt::Debug;

use chrono::TimeDelta;

#[cfg(feature = "serde")]
pub use self::serialization::{Serializable, SerializablePolicy};

/// The acts of a service, and the rules by which an [`Inbox`](super::Inbox) batches them.
///
/// A policy is a value: windows and limits can be constants or settings. [`Grateful`](crate::notification::Grateful) is the
/// policy of this service. Methods with a default have the rules of a small social service.
pub trait BatchPolicy: Clone + Debug + PartialEq {
    /// A user, or what else can cause or receive notifications.
    type User: Clone + Debug + Ord;
    /// What happened. Clones are frequent, so large data belongs to [`Self::Details`] or to the database of the service.
    type Act: Clone + Debug + Eq;
    /// Identifies an act among all acts of one actor toward one recipient. Can be the act itself.
    type ActKey: Clone + Debug + Ord;
    /// The type of a notification, by which starts are limited.
    type Kind: Copy + Debug + Ord;
    /// Identifies a batch in an inbox.
    type Key: Clone + Debug + Ord;
    /// Identifies a notification. The greater id is the newer one of two with the same time.
    type Id: Copy + Debug + Ord;
    /// What a notification is about, derived from the act. Those of a batch are the subject and details of its newest child.
    type Subject: Clone + Debug + PartialEq;
    /// What else the caller says about an event. Can be replaced later, see
    /// [`InboxUpdate::ChangeDetails`](super::InboxUpdate::ChangeDetails).
    type Details: Clone + Debug + PartialEq;

    /// The type of the notification of an act.
    fn kind(&self, act: &Self::Act) -> Self::Kind;

    /// The identity of an act. An inbox has at most one notification per actor and identity.
    fn act_key(&self, act: &Self::Act) -> Self::ActKey;

    /// The batch that an act belongs to. `None` if it is never batched.
    fn batch_key(&self, cause: &Cause<Self>) -> Option<Self::Key>;

    /// What the notification of an act is about.
    fn subject(&self, act: &Self::Act) -> Self::Subject;

    /// The type of a batch that has this act.
    fn batch_kind(&self, act: &Self::Act) -> Self::Kind {
        self.kind(act)
    }

    /// How long and how far the batch of an act grows.
    fn batch_limits(&self, _act: &Self::Act) -> BatchLimits {
        BatchLimits::DEFAULT
    }

    /// How many notifications of a type can start in an inbox.
    fn start_limits(&self, _kind: Self::Kind) -> StartLimits {
        StartLimits::DEFAULT
    }

    /// How long after the withdrawal of a notification its act can be repeated without being new. `None` if a repeated act is
    /// always new.
    fn restore_window(&self, _kind: Self::Kind, _subject: &Self::Subject) -> Option<TimeDelta> {
        Some(TimeDelta::hours(24))
    }

    /// Whether acts of this type stay when their notifications are
    /// [revoked](super::WithdrawalReason::Revoked), so that the reason for the missing notification is remembered.
    fn outlives_revocation(&self, _kind: Self::Kind) -> bool {
        true
    }
}

/// An act with its actor and its recipient. An inbox has at most one notification per cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(bound = "P: crate::batching::SerializablePolicy")
)]
pub struct Cause<P: BatchPolicy> {
    pub recipient: P::User,
    pub actor: P::User,
    pub act: P::Act,
}

/// How long and how far a batch grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BatchLimits {
    /// How long after its creation a batch accepts children.
    pub max_age: TimeDelta,
    /// How long after its creation a single notification can be converted to a batch by another act.
    pub conversion_window: TimeDelta,
    /// The maximum number of children. `None` means no limit.
    pub max_size: Option<i32>,
}

impl BatchLimits {
    /// A day, an hour, and no limit.
    pub const DEFAULT: Self = Self {
        max_age: TimeDelta::hours(24),
        conversion_window: TimeDelta::hours(1),
        max_size: None,
    };

    /// The limits with another maximum age of batches.
    #[must_use]
    pub const fn with_max_age(self, max_age: TimeDelta) -> Self {
        Self { max_age, ..self }
    }

    /// The limits with another time in which a single notification can be converted.
    #[must_use]
    pub const fn with_conversion_window(self, conversion_window: TimeDelta) -> Self {
        Self { conversion_window, ..self }
    }

    /// The limits with a maximum number of children.
    #[must_use]
    pub const fn with_max_size(self, max_size: i32) -> Self {
        Self { max_size: Some(max_size), ..self }
    }
}

/// How many notifications of one type can start in an inbox. Joining, converting and restoring are not limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct StartLimits {
    /// How long a window lasts. It opens with the first start.
    pub window: TimeDelta,
    /// The maximum number of starts in a window.
    pub per_window: i32,
    /// The maximum number of starts by one actor in a window, so that no actor uses up the limit of a recipient.
    pub per_actor: i32,
}

impl StartLimits {
    /// 20 in an hour, 5 of them by one actor.
    pub const DEFAULT: Self = Self::new(TimeDelta::hours(1), 20, 5);

    /// At most `per_window` starts in a window, `per_actor` of them by one actor.
    pub const fn new(window: TimeDelta, per_window: i32, per_actor: i32) -> Self {
        Self { window, per_window, per_actor }
    }
}
