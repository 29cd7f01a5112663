//! Two policies with sample acts: the one of Grateful, and the one of a shop that shares nothing with it but the engine.

use std::fmt::Debug;

use chrono::TimeDelta;
use grateful_domain::batching::{BatchLimits, BatchPolicy, Cause, StartLimits};
use grateful_domain::notification::{Act, EventDetails, Grateful};
use grateful_domain::{Emoji, NotificationId, ShareMessage, UserId};
use uuid::Uuid;

use crate::scenario::{comment, heart, link, mention, message, post, reaction, reply};

/// A policy with sample acts. The user 1 owns the inbox.
pub(crate) trait Sample: BatchPolicy + Default {
    /// Acts of all kinds. The first two share a batch.
    fn acts() -> Vec<Self::Act>;
    /// One of many acts of one kind, each with a batch of its own.
    fn start(number: u32) -> Self::Act;
    /// Details that an act can have.
    fn details(act: &Self::Act, variant: usize) -> Self::Details;
    fn user(number: i64) -> Self::User;
    fn id(number: u128) -> Self::Id;
}

impl Sample for Grateful {
    fn acts() -> Vec<Act> {
        vec![
            heart(),
            reaction(),
            link(),
            message(1),
            message(2),
            mention(None),
            mention(Some(1)),
            comment(2),
            comment(3),
            reply(4),
            Act::Follow,
            Act::FollowRequest,
            Act::FollowAcceptance,
            Act::Heart { post: post(2) },
        ]
    }

    fn start(number: u32) -> Act {
        Act::Heart { post: post(100 + u128::from(number)) }
    }

    fn details(act: &Act, variant: usize) -> EventDetails {
        match act {
            Act::Reaction { .. } => EventDetails::of_emoji(Emoji::ALL[(2 + variant) % 10]),
            Act::MessageShare { .. } => {
                EventDetails::of_message(ShareMessage::parse("Look at that").unwrap())
            }
            _ => EventDetails::default(),
        }
    }

    fn user(number: i64) -> UserId {
        number.into()
    }

    fn id(number: u128) -> NotificationId {
        Uuid::from_u128(number).into()
    }
}

/// What sellers are notified of. Orders of an item are batched for two days, up to three; reviews for a week; questions and
/// refunds never.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Shop;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ShopAct {
    OrderPlaced { order: u32, item: String },
    ReviewWritten { item: String },
    QuestionAsked { question: u32 },
    OrderRefunded { order: u32 },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ShopKind {
    Order,
    Orders,
    Review,
    Question,
    Refund,
}

impl BatchPolicy for Shop {
    type User = String;
    type Act = ShopAct;
    type ActKey = ShopAct;
    type Kind = ShopKind;
    type Key = (ShopKind, String);
    type Id = u64;
    /// The item.
    type Subject = Option<String>;
    /// The stars of a review.
    type Details = Option<u8>;

    fn kind(&self, act: &ShopAct) -> ShopKind {
        match act {
            ShopAct::OrderPlaced { .. } => ShopKind::Order,
            ShopAct::ReviewWritten { .. } => ShopKind::Review,
            ShopAct::QuestionAsked { .. } => ShopKind::Question,
            ShopAct::OrderRefunded { .. } => ShopKind::Refund,
        }
    }

    fn act_key(&self, act: &ShopAct) -> ShopAct {
        act.clone()
    }

    fn batch_key(&self, cause: &Cause<Self>) -> Option<(ShopKind, String)> {
        Some((self.batch_kind(&cause.act), self.subject(&cause.act)?))
    }

    fn subject(&self, act: &ShopAct) -> Option<String> {
        match act {
            ShopAct::OrderPlaced { item, .. } | ShopAct::ReviewWritten { item } => {
                Some(item.clone())
            }
            ShopAct::QuestionAsked { .. } | ShopAct::OrderRefunded { .. } => None,
        }
    }

    fn batch_kind(&self, act: &ShopAct) -> ShopKind {
        match self.kind(act) {
            ShopKind::Order => ShopKind::Orders,
            kind => kind,
        }
    }

    fn batch_limits(&self, act: &ShopAct) -> BatchLimits {
        match act {
            ShopAct::ReviewWritten { .. } => BatchLimits::DEFAULT
                .with_max_age(TimeDelta::weeks(1))
                .with_conversion_window(TimeDelta::days(1)),
            _ => BatchLimits::DEFAULT
                .with_max_age(TimeDelta::days(2))
                .with_conversion_window(TimeDelta::hours(6))
                .with_max_size(3),
        }
    }

    fn start_limits(&self, kind: ShopKind) -> StartLimits {
        let per_window = if kind == ShopKind::Question { 3 } else { 8 };
        StartLimits::new(TimeDelta::minutes(10), per_window, 2)
    }

    fn restore_window(&self, kind: ShopKind, _item: &Option<String>) -> Option<TimeDelta> {
        (kind != ShopKind::Question).then_some(TimeDelta::minutes(30))
    }
}

impl Sample for Shop {
    fn acts() -> Vec<ShopAct> {
        let item = |name: &str| name.to_owned();
        vec![
            ShopAct::OrderPlaced { order: 1, item: item("lamp") },
            ShopAct::OrderPlaced { order: 2, item: item("lamp") },
            ShopAct::OrderPlaced { order: 3, item: item("chair") },
            ShopAct::ReviewWritten { item: item("lamp") },
            ShopAct::ReviewWritten { item: item("chair") },
            ShopAct::QuestionAsked { question: 1 },
            ShopAct::QuestionAsked { question: 2 },
            ShopAct::OrderRefunded { order: 1 },
        ]
    }

    fn start(number: u32) -> ShopAct {
        ShopAct::ReviewWritten { item: format!("item {number}") }
    }

    fn details(act: &ShopAct, variant: usize) -> Option<u8> {
        let stars = u8::try_from(variant % 5).unwrap() + 1;
        matches!(act, ShopAct::ReviewWritten { .. }).then_some(stars)
    }

    fn user(number: i64) -> String {
        format!("customer {number}")
    }

    fn id(number: u128) -> u64 {
        number.try_into().unwrap()
    }
}
