//! The unread notifications of many users, for digests.

use std::collections::HashMap;

use diesel::sql_types::{Array, BigInt, Jsonb, Nullable, Text};
use diesel_async::RunQueryDsl;
use grateful_domain::notification::{QuotedTexts, RenderedNotification};
use grateful_domain::{Limit, Notification, UserId};
use serde_json::Value;

use super::Notifications;
use crate::query::statement;
use crate::rows::{AuthorColumns, NotificationRow, author_from_columns};
use crate::{ReadConnection, Result, StorageError};

impl<C: ReadConnection> Notifications<'_, C> {
    /// Lists the newest unread notifications of each of these users, at most `limit` of each, the most recently updated first,
    /// in one statement. Users without any, and those whose account is deleted, have no entry.
    ///
    /// The texts are made for letters, which others may read: they quote neither posts nor comments, and a batch says how many
    /// people acted, without a list of them.
    pub async fn unread_of(
        &mut self,
        owners: &[UserId],
        limit: Limit,
    ) -> Result<HashMap<UserId, Vec<RenderedNotification>>> {
        let unread = UnreadOf {
            owners: owners.iter().copied().map(i64::from).collect(),
            max_per_owner: limit.into(),
        };
        let rows: Vec<Row> = unread.load(self.conn).await?;
        let mut found: HashMap<UserId, Vec<RenderedNotification>> = HashMap::new();
        for (row, actor, columns) in rows {
            let corrupt = |_| StorageError::Corrupt { column: "notifications" };
            let row: NotificationRow = serde_json::from_value(row).map_err(corrupt)?;
            let notification = Notification::try_from(row)?;
            let actor = actor.zip(columns);
            let actor = actor.map(|(id, columns)| author_from_columns(id.into(), columns));
            let quoted = QuotedTexts::default();
            let owner = notification.recipient;
            let rendered = RenderedNotification::new(notification, actor, vec![], &quoted);
            found.entry(owner).or_default().push(rendered);
        }
        Ok(found)
    }
}

type Row = (Value, Option<i64>, Option<AuthorColumns>);

statement! {
    /// Reads the start of the index of unread notifications for each user.
    UnreadOf {
        owners: Vec<i64> as Array<BigInt>,
        max_per_owner: i64 as BigInt,
    } -> (Jsonb, Nullable<BigInt>, Nullable<(Text, Nullable<Text>, Nullable<Text>)>),
    "SELECT to_jsonb(it), person.id, person.username, person.display_name, person.profile_image_url
    FROM users AS owner, LATERAL (
        SELECT * FROM notifications
        WHERE user_id = owner.id AND parent_id IS NULL AND NOT read
        ORDER BY last_updated_at DESC, id DESC LIMIT :max_per_owner
    ) AS it
    LEFT JOIN LATERAL (
        SELECT * FROM users WHERE users.id = it.actor_id AND users.deleted_at IS NULL LIMIT 1
    ) AS person ON true
    WHERE owner.id = ANY (:owners) AND owner.deleted_at IS NULL
    ORDER BY it.user_id, it.last_updated_at DESC, it.id DESC"
}
