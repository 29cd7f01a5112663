//! Showing people what they were told.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use grateful_domain::notification::RenderedNotification;
use grateful_domain::{Author, Emoji, Notification, Page, Position, Total, UserId};
use uuid::Uuid;

use super::Notifications;
use crate::query::{load_page, statement};
use crate::rows::{
    AuthorColumns, AuthorRow, NotificationRow, author_from_columns, emoji_from_code,
};
use crate::schema::notifications;
use crate::{NotificationQuery, Result, StorageError};

impl Notifications<'_> {
    /// The notifications that answer `query`, in one statement; singles and batches with who is in them, in another.
    pub async fn list<W>(
        &mut self,
        query: NotificationQuery<W>,
    ) -> Result<Page<RenderedNotification>> {
        let (rows, total): (Vec<Row>, Option<Total>) =
            load_page!(self.conn, query.select(), query.total())?;
        let (seen, position): (Vec<_>, fn(&RenderedNotification) -> Position) =
            if query.lists_children() {
                let seen = rows.into_iter().map(|row| seen(row, vec![])).collect::<Result<_>>()?;
                (seen, |it| position_at(it, it.notification.created_at))
            } else {
                let seen = self.seen(query.owner(), rows).await?;
                (seen, |it| position_at(it, it.notification.last_updated_at))
            };
        Ok(Page::from_overfetch(seen, query.page_limit(), position).with_total(total))
    }

    /// Up to `limit` of somebody's notifications that changed behind the number `after`, in the order of their last changes,
    /// and the number of the last of them. Whoever goes on behind it misses nothing, and meets anew what changes meanwhile:
    /// numbers are given under the lock of the inbox.
    pub async fn list_changed_since(
        &mut self,
        owner: UserId,
        after: i64,
        limit: i64,
    ) -> Result<(Vec<RenderedNotification>, Option<i64>)> {
        let rows: Vec<Row> = NotificationQuery::of(owner)
            .filtered()
            .filter(notifications::seq.gt(after))
            .order(notifications::seq)
            .limit(limit)
            .load(self.conn)
            .await?;
        let last = rows.last().map(|(row, _)| row.seq);
        Ok((self.seen(owner, rows).await?, last))
    }

    /// Those of these that are in somebody's list, as they are now, each with the number of its last change.
    pub(super) async fn listed_of(
        &mut self,
        owner: UserId,
        ids: &[Uuid],
    ) -> Result<HashMap<Uuid, (i64, RenderedNotification)>> {
        let rows: Vec<Row> = NotificationQuery::of(owner)
            .filtered()
            .filter(notifications::id.eq_any(ids.to_vec()))
            .load(self.conn)
            .await?;
        let last_seqs: Vec<(Uuid, i64)> = rows.iter().map(|(row, _)| (row.id, row.seq)).collect();
        let seen = self.seen(owner, rows).await?;
        Ok(last_seqs.into_iter().zip(seen).map(|((id, seq), seen)| (id, (seq, seen))).collect())
    }

    /// With the people of all batches, in one statement.
    async fn seen(&mut self, owner: UserId, rows: Vec<Row>) -> Result<Vec<RenderedNotification>> {
        if rows.is_empty() {
            return Ok(vec![]);
        }
        let batches = rows.iter().filter(|(row, _)| row.is_batch()).map(|(row, _)| row.id);
        let mut people = self.batch_actors(owner, batches.collect()).await?;
        rows.into_iter()
            .map(|row| {
                let people = people.remove(&row.0.id).unwrap_or_default();
                seen(row, people)
            })
            .collect()
    }

    async fn batch_actors(
        &mut self,
        owner: UserId,
        batches: Vec<Uuid>,
    ) -> Result<HashMap<Uuid, Vec<(Author, Option<Emoji>)>>> {
        let look = BatchActors { owner: owner.into(), batches };
        let rows: Vec<ActorColumns> = look.load(self.conn).await?;
        let mut people: HashMap<Uuid, Vec<_>> = HashMap::new();
        for (batch, id, author, emoji) in rows {
            let emoji = emoji.as_deref().map(emoji_from_code).transpose()?;
            people.entry(batch).or_default().push((author_from_columns(id.into(), author), emoji));
        }
        Ok(people)
    }
}

type Row = (NotificationRow, Option<AuthorRow>);

fn seen(
    (row, actor): Row,
    people: Vec<(Author, Option<Emoji>)>,
) -> Result<RenderedNotification, StorageError> {
    let notification = Notification::try_from(row)?;
    Ok(RenderedNotification::new(notification, actor.map(Author::from), people))
}

fn position_at(seen: &RenderedNotification, at: DateTime<Utc>) -> Position {
    Position { at, id: seen.notification.id.into() }
}

type ActorColumns = (Uuid, i64, AuthorColumns, Option<String>);

statement! {
    /// Of each batch up to 8 people, those first whom the owner follows, then by their newest entry. Whoever is not among
    /// the newest 100 entries is not looked for: so a page reads no more of a batch of thousands than of one of hundreds.
    /// Each person is looked up by themselves, and whether the owner follows them is counted, so that no plan goes through
    /// all people, or all whom the owner follows.
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
