//! Loads the parts of inboxes that updates read or change.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use diesel::sql_types::{Array, BigInt, Jsonb, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use grateful_domain::notification::{
    Act, Cause, Deliverability, InboxPart, InboxUpdate, OtherChildren,
};
use grateful_domain::{Inbox, NotificationType, Preferences, UserId};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::Notifications;
use super::writes::{QuotaRow, WithdrawnRow};
use crate::query::statement;
use crate::rows::NotificationRow;
use crate::{Result, StorageError};

/// Parts of inboxes by their owners, and the deliverability of the updates by index. Updates whose actor or recipient does not
/// exist have none.
type LoadedInboxes = (BTreeMap<UserId, Inbox>, HashMap<usize, Deliverability>);

impl Notifications<'_> {
    /// Loads the parts of the inboxes with the given last numbers that the withdrawal of `refs` and the updates need. The inboxes
    /// are locked.
    pub(super) async fn load_inboxes(
        &mut self,
        refs: &[(Uuid, i64)],
        updates: &[InboxUpdate],
        last_seqs: &HashMap<UserId, i64>,
    ) -> Result<LoadedInboxes> {
        let causes = || updates.iter().map(InboxUpdate::cause);
        let load = LoadInboxParts {
            ids_of: refs.iter().map(|(_, user)| *user).collect(),
            ids: refs.iter().map(|(id, _)| *id).collect(),
            owners: last_seqs.keys().copied().map(i64::from).collect(),
            recipients: causes().map(|cause| cause.recipient.into()).collect(),
            actors: causes().map(|cause| cause.actor.into()).collect(),
            acts: causes().map(|cause| cause.act.dedup_key()).collect(),
            keys: causes()
                .map(Cause::key)
                .map(|key| key.map(|key| key.as_str().to_owned()))
                .collect(),
            posts: causes().map(|cause| required_post(cause.act)).collect(),
        };
        let rows: Vec<Value> = load.load(self.conn).await?;
        let mut parts = Parts::default();
        for row in rows {
            let corrupt = |_| StorageError::Corrupt { column: "notifications" };
            parts.add(serde_json::from_value(row).map_err(corrupt)?, updates)?;
        }
        let inboxes = last_seqs.iter().map(|(owner, last_seq)| {
            let part = parts.by_owner.remove(owner).unwrap_or_default();
            (*owner, Inbox::new(*owner).with_part(*last_seq, part))
        });
        Ok((inboxes.collect(), parts.deliverability))
    }
}

#[derive(Default)]
struct Parts {
    by_owner: HashMap<UserId, InboxPart>,
    /// The notifications that are in a part already: two acts can be in one batch.
    ids: BTreeSet<Uuid>,
    deliverability: HashMap<usize, Deliverability>,
}

/// A row of the result of [`LoadInboxParts`].
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum LoadedRow {
    /// The users of an update exist.
    Update {
        number: usize,
        switches: Option<Value>,
        is_blocked: bool,
    },
    /// The notification of an act.
    Entry(NotificationRow),
    /// A top-level notification, with what is known of the children that are not entries.
    Parent(Box<ParentRow>),
    Withdrawn(WithdrawnRow),
    Quota(QuotaRow),
}

#[derive(Deserialize)]
struct ParentRow {
    notification: NotificationRow,
    newest: Option<NotificationRow>,
    actors: Vec<i64>,
    has_unread: bool,
}

impl Parts {
    fn add(&mut self, row: LoadedRow, updates: &[InboxUpdate]) -> Result<()> {
        match row {
            LoadedRow::Update { number, switches, is_blocked } => {
                // WITH ORDINALITY counts from 1.
                let index = number.saturating_sub(1);
                let Some(update) = updates.get(index) else { return Ok(()) };
                let is_muted = !allows_notification(switches, update.cause().act.kind());
                self.deliverability.insert(index, deliverability(is_blocked, is_muted));
            }
            LoadedRow::Entry(row) => self.add_notification(row)?,
            LoadedRow::Parent(parent) => {
                let ParentRow { notification, newest, actors, has_unread } = *parent;
                if notification.is_batch {
                    let others = OtherChildren {
                        batch: notification.id.into(),
                        actors: actors.into_iter().map(UserId::from).collect(),
                        has_unread,
                    };
                    self.part(notification.user_id).other_children.push(others);
                }
                self.add_notification(notification)?;
                newest.map_or(Ok(()), |newest| self.add_notification(newest))?;
            }
            LoadedRow::Withdrawn(row) => self.part(row.user_id()).withdrawn.push(row.into()),
            LoadedRow::Quota(row) => {
                let user = row.user_id();
                let quota = row.try_into()?;
                self.part(user).quotas.push(quota);
            }
        }
        Ok(())
    }

    fn add_notification(&mut self, row: NotificationRow) -> Result<()> {
        if self.ids.insert(row.id) {
            let owner = row.user_id;
            let notification = row.try_into()?;
            self.part(owner).notifications.push(notification);
        }
        Ok(())
    }

    fn part(&mut self, owner: i64) -> &mut InboxPart {
        self.by_owner.entry(owner.into()).or_default()
    }
}

/// The post that the recipient must be able to see to be notified. Other acts need no check: they notify the author of the
/// post, or send the post to users who can see it.
fn required_post(act: Act) -> Option<Uuid> {
    match act {
        Act::Mention { post, .. } | Act::Reply { post, .. } => Some(post.into()),
        _ => None,
    }
}

/// Whether a recipient accepts notifications of this type, by the `notifications` of their preferences.
fn allows_notification(switches: Option<Value>, kind: NotificationType) -> bool {
    let preferences = switches.map(|switches| ("notifications".to_owned(), switches));
    Preferences::from_stored(preferences.into_iter().collect()).allows_notification(kind)
}

fn deliverability(blocked: bool, muted: bool) -> Deliverability {
    match (blocked, muted) {
        (true, _) => Deliverability::Blocked,
        (false, true) => Deliverability::Muted,
        (false, false) => Deliverability::Allowed,
    }
}

statement! {
    /// Returns rows of several kinds, each an object with one member that names its kind. Blocks are counted between the actor
    /// and the recipient, and between the recipient and the author of the post. With `EXISTS`, PostgreSQL might search all
    /// blocks instead.
    LoadInboxParts {
        owners: Vec<i64> as Array<BigInt>,
        ids_of: Vec<i64> as Array<BigInt>,
        ids: Vec<Uuid> as Array<SqlUuid>,
        recipients: Vec<i64> as Array<BigInt>,
        actors: Vec<i64> as Array<BigInt>,
        acts: Vec<String> as Array<Text>,
        keys: Vec<Option<String>> as Array<Nullable<Text>>,
        posts: Vec<Option<Uuid>> as Array<Nullable<SqlUuid>>,
    } -> Jsonb,
    include_str!("load_inbox_parts.sql")
}
