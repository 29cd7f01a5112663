//! Shared helpers.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use chrono::{DateTime, Utc};
use grateful_domain::notification::{Act, Cause, Event, EventDetails, RenderedNotification};
use grateful_domain::{PostId, UserId};
use grateful_testkit::{TestDatabase, a_post};

pub(crate) async fn insert_post(database: &TestDatabase, author: UserId) -> PostId {
    a_post().by(author).insert_into(database).await.id
}

pub(crate) fn event(recipient: UserId, actor: UserId, act: Act, at: DateTime<Utc>) -> Event {
    static NUMBER: AtomicU64 = AtomicU64::new(1);
    let new_id =
        || uuid::Uuid::from_u64_pair(0x0195_0000_0000_7000, NUMBER.fetch_add(1, Relaxed)).into();
    let details = EventDetails::default();
    Event { cause: Cause { recipient, actor, act }, details, at, id: new_id(), batch_id: new_id() }
}

pub(crate) fn message_of(rendered: &RenderedNotification) -> String {
    rendered.text.message.clone()
}

pub(crate) fn is_read(rendered: &RenderedNotification) -> bool {
    rendered.notification.read_at.is_some()
}
