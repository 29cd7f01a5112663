//! Lists of notifications, rendered for their recipient.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use grateful_domain::notification::{QuotedTexts, RenderedNotification};
use grateful_domain::{Author, Emoji, Notification, Page, Position, UserId};
use uuid::Uuid;

use super::Notifications;
use crate::query::{NotificationQuery, count_up_to, inbox_of, statement};
use crate::rows::{
    AuthorColumns, AuthorRow, NotificationRow, author_from_columns, emoji_from_code,
};
use crate::schema::notifications;
use crate::{ReadConnection, Result};

impl<C: ReadConnection> Notifications<'_, C> {
    /// Runs a list query, in one statement, and another one if the total is requested. Unless the list is empty, one more
    /// loads the current texts and the actors of batches.
    pub async fn list(&mut self, query: NotificationQuery) -> Result<Page<RenderedNotification>> {
        let total = count_up_to(self.conn, || query.select_all(), query.max_total).await?;
        let rows: Vec<Row> = query.select().load(self.conn).await?;
        let items = self.render_all(query.owner, rows).await?;
        let position =
            |RenderedNotification { notification, .. }: &RenderedNotification| Position {
                at: match query.batch {
                    None => notification.last_updated_at,
                    Some(_) => notification.created_at,
                },
                id: notification.id.into(),
            };
        Ok(Page::from_overfetch(items, query.page.limit, position).with_total(total))
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
        let rows: Vec<Row> = inbox_of(owner)
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
        let rows: Vec<Row> =
            inbox_of(owner).filter(notifications::id.eq_any(ids.to_vec())).load(self.conn).await?;
        let seqs: Vec<(Uuid, i64)> = rows.iter().map(|(row, _)| (row.id, row.seq)).collect();
        let rendered = self.render_all(owner, rows).await?;
        let entry = |((id, seq), notification)| (id, (seq, notification));
        Ok(seqs.into_iter().zip(rendered).map(entry).collect())
    }

    /// Renders notifications. Loads what they show of other tables in one statement.
    async fn render_all(
        &mut self,
        owner: UserId,
        rows: Vec<Row>,
    ) -> Result<Vec<RenderedNotification>> {
        if rows.is_empty() {
            return Ok(vec![]);
        }
        let mut shown = self.find_shown(owner, rows.iter().map(|(row, _)| row)).await?;
        rows.into_iter()
            .map(|(row, actor)| {
                let Shown { quoted, actors } = shown.remove(&row.id).unwrap_or_default();
                let notification = Notification::try_from(row)?;
                let actor = actor.map(Author::from);
                Ok(RenderedNotification::new(notification, actor, actors, &quoted))
            })
            .collect()
    }

    async fn find_shown(
        &mut self,
        owner: UserId,
        rows: impl Iterator<Item = &NotificationRow> + Clone,
    ) -> Result<HashMap<Uuid, Shown>> {
        let load = LoadShown {
            ids: rows.clone().map(|row| row.id).collect(),
            posts: rows.clone().map(|row| row.post_id).collect(),
            comments: rows.clone().map(|row| row.comment_id).collect(),
            are_batches: rows.map(|row| row.is_batch).collect(),
            owner: owner.into(),
            chars: i32::try_from(QuotedTexts::READ_CHARS).unwrap_or(i32::MAX),
            max_actors: i64::try_from(RenderedNotification::MAX_ACTORS).unwrap_or(i64::MAX),
        };
        let columns: Vec<ShownColumns> = load.load(self.conn).await?;
        let mut shown: HashMap<Uuid, Shown> = HashMap::new();
        for (id, post, comment, actor, author, emoji) in columns {
            let entry = shown.entry(id).or_default();
            entry.quoted = QuotedTexts { post, comment };
            if let Some((actor, author)) = actor.zip(author) {
                let emoji = emoji.as_deref().map(emoji_from_code).transpose()?;
                entry.actors.push((author_from_columns(actor.into(), author), emoji));
            }
        }
        Ok(shown)
    }
}

/// What a notification shows of other tables.
#[derive(Default)]
struct Shown {
    quoted: QuotedTexts,
    /// Some of the actors of a batch, each with the emoji of their reaction.
    actors: Vec<(Author, Option<Emoji>)>,
}

type Row = (NotificationRow, Option<AuthorRow>);

type ShownColumns =
    (Uuid, Option<String>, Option<String>, Option<i64>, Option<AuthorColumns>, Option<String>);

statement! {
    /// Selects, for each notification, the start of its post and of its comment as they are now, if the owner can see them,
    /// and up to 8 actors of a batch: first those that the owner follows, then by their newest child. Only the newest 100
    /// children of a batch are considered, so a page reads no more for a batch of thousands than for one of hundreds. Each
    /// post, comment and actor is a lookup of its own, so that no plan scans all users. The follows of an owner who follows up
    /// to 1,000 users are read once; otherwise, whether the owner follows an actor is a lookup too.
    LoadShown {
        ids: Vec<Uuid> as Array<SqlUuid>,
        posts: Vec<Option<Uuid>> as Array<Nullable<SqlUuid>>,
        comments: Vec<Option<Uuid>> as Array<Nullable<SqlUuid>>,
        are_batches: Vec<bool> as Array<Bool>,
        owner: i64 as BigInt,
        chars: i32 as Integer,
        max_actors: i64 as BigInt,
    } -> (
    SqlUuid,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<BigInt>,
    Nullable<(Text, Nullable<Text>, Nullable<Text>)>,
    Nullable<Text>
    ),
    include_str!("load_shown.sql")
}
