//! Lists of notifications, rendered for their recipient.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use grateful_domain::notification::RenderedNotification;
use grateful_domain::{Author, Emoji, Notification, Page, Position, Total, UserId};
use uuid::Uuid;

use super::Notifications;
use crate::query::{NotificationQuery, load_page, statement};
use crate::rows::{
    AuthorColumns, AuthorRow, NotificationRow, author_from_columns, emoji_from_code,
};
use crate::schema::notifications;
use crate::{Result, StorageError};

impl Notifications<'_> {
    /// Runs a list query, in one statement. If it lists single notifications and batches, a second one loads the actors.
    pub async fn list<W>(
        &mut self,
        query: NotificationQuery<W>,
    ) -> Result<Page<RenderedNotification>> {
        let (rows, total): (Vec<Row>, Option<Total>) =
            load_page!(self.conn, query.select(), query.total())?;
        let is_child_list = query.lists_children();
        let (items, position): (Vec<_>, fn(&RenderedNotification) -> Position) = if is_child_list {
            let items = rows.into_iter().map(|row| render(row, vec![]));
            (items.collect::<Result<_>>()?, |item| position_at(item, item.notification.created_at))
        } else {
            let items = self.render_all(query.owner(), rows).await?;
            (items, |item| position_at(item, item.notification.last_updated_at))
        };
        Ok(Page::from_overfetch(items, query.page_limit(), position).with_total(total))
    }

    /// Lists up to `limit` notifications of an inbox that changed after the number `after`, in the order of their last
    /// changes, and returns the number of the last one. Numbers are reserved under the inbox lock. So a caller that
    /// continues after that number misses nothing, and gets again each notification that changes in the meantime.
    pub async fn list_changed_since(
        &mut self,
        owner: UserId,
        after: i64,
        limit: i64,
    ) -> Result<(Vec<RenderedNotification>, Option<i64>)> {
        let rows: Vec<Row> = NotificationQuery::of(owner)
            .filtered_notifications()
            .filter(notifications::seq.gt(after))
            .order(notifications::seq)
            .limit(limit)
            .load(self.conn)
            .await?;
        let last_seq = rows.last().map(|(row, _)| row.seq);
        Ok((self.render_all(owner, rows).await?, last_seq))
    }

    /// Finds those of these notifications that are in the inbox, each with the number of its last change.
    pub(super) async fn find_in_inbox(
        &mut self,
        owner: UserId,
        ids: &[Uuid],
    ) -> Result<HashMap<Uuid, (i64, RenderedNotification)>> {
        let rows: Vec<Row> = NotificationQuery::of(owner)
            .filtered_notifications()
            .filter(notifications::id.eq_any(ids.to_vec()))
            .load(self.conn)
            .await?;
        let seqs: Vec<(Uuid, i64)> = rows.iter().map(|(row, _)| (row.id, row.seq)).collect();
        let rendered = self.render_all(owner, rows).await?;
        let entry = |((id, seq), notification)| (id, (seq, notification));
        Ok(seqs.into_iter().zip(rendered).map(entry).collect())
    }

    /// Renders notifications. Loads the actors of all batches in one statement.
    async fn render_all(
        &mut self,
        owner: UserId,
        rows: Vec<Row>,
    ) -> Result<Vec<RenderedNotification>> {
        if rows.is_empty() {
            return Ok(vec![]);
        }
        let batches = rows.iter().filter(|(row, _)| row.is_batch()).map(|(row, _)| row.id);
        let mut actors = self.batch_actors(owner, batches.collect()).await?;
        rows.into_iter()
            .map(|row| {
                let actors = actors.remove(&row.0.id).unwrap_or_default();
                render(row, actors)
            })
            .collect()
    }

    async fn batch_actors(
        &mut self,
        owner: UserId,
        batches: Vec<Uuid>,
    ) -> Result<HashMap<Uuid, Vec<(Author, Option<Emoji>)>>> {
        let load = BatchActors { owner: owner.into(), batches };
        let rows: Vec<ActorColumns> = load.load(self.conn).await?;
        let mut actors: HashMap<Uuid, Vec<_>> = HashMap::new();
        for (batch, id, author, emoji) in rows {
            let emoji = emoji.as_deref().map(emoji_from_code).transpose()?;
            actors.entry(batch).or_default().push((author_from_columns(id.into(), author), emoji));
        }
        Ok(actors)
    }
}

type Row = (NotificationRow, Option<AuthorRow>);

fn render(
    (row, actor): Row,
    actors: Vec<(Author, Option<Emoji>)>,
) -> Result<RenderedNotification, StorageError> {
    let notification = Notification::try_from(row)?;
    Ok(RenderedNotification::new(notification, actor.map(Author::from), actors))
}

fn position_at(item: &RenderedNotification, at: DateTime<Utc>) -> Position {
    Position { at, id: item.notification.id.into() }
}

type ActorColumns = (Uuid, i64, AuthorColumns, Option<String>);

statement! {
    /// Selects up to 8 actors per batch: first those that the owner follows, then by their newest child. Only the newest 100
    /// children of a batch are considered, so a page reads no more for a batch of thousands than for one of hundreds. Each
    /// actor is a lookup of its own, and whether the owner follows the actor is a count, so that no plan scans all users or
    /// all follows of the owner.
    BatchActors(batches: Vec<Uuid> as Array<SqlUuid>, owner: i64 as BigInt) -> (
        SqlUuid,
        BigInt,
        (Text, Nullable<Text>, Nullable<Text>),
        Nullable<Text>
    ) {
        "batch AS (SELECT unnest($1) AS id)
        SELECT batch.id, person.id, person.username, person.display_name, person.profile_image_url, shown.emoji
        FROM batch, LATERAL (
            SELECT recent.actor_id, recent.emoji
            FROM (
                SELECT actor_id, max(created_at) AS newest, max(data ->> 'emoji_code') AS emoji
                FROM (
                    SELECT actor_id, created_at, data FROM notifications AS it WHERE it.parent_id = batch.id
                    ORDER BY it.created_at DESC, it.id DESC LIMIT 100
                ) AS entry
                GROUP BY actor_id
            ) AS recent
            WHERE recent.actor_id IS NOT NULL
            ORDER BY (
                SELECT count(*) FILTER (WHERE status = 'active') FROM follows
                WHERE follower_id = $2 AND followed_id = recent.actor_id
            ) DESC, recent.newest DESC, recent.actor_id DESC
            LIMIT 8
        ) AS shown, LATERAL (
            SELECT * FROM users WHERE users.id = shown.actor_id LIMIT 1
        ) AS person"
    }
}
