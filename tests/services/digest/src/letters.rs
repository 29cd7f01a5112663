//! Letters: claimed, and then sent.

use std::fmt::Write as _;

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use grateful_domain::User;
use grateful_domain::notification::RenderedNotification;
use grateful_storage::{Connection, Database, Result as StorageResult};
use uuid::Uuid;

use crate::{Folder, Result};

/// A user has one letter a night. It is deleted with the user.
pub(crate) const CREATE: &str = "CREATE TABLE IF NOT EXISTS digest_letters (
    id uuid NOT NULL UNIQUE,
    user_id bigint REFERENCES users (id) ON DELETE CASCADE,
    night date,
    address text NOT NULL,
    body text NOT NULL,
    is_sent boolean NOT NULL DEFAULT false,
    PRIMARY KEY (user_id, night)
)";

diesel::table! {
    digest_letters (user_id, night) {
        id -> Uuid,
        user_id -> BigInt,
        night -> Date,
        address -> Text,
        body -> Text,
        is_sent -> Bool,
    }
}

/// A letter to a user.
#[derive(Insertable)]
#[diesel(table_name = digest_letters)]
pub(crate) struct Letter {
    id: Uuid,
    user_id: i64,
    night: NaiveDate,
    address: String,
    body: String,
}

impl Letter {
    pub(crate) fn new(user: &User, night: NaiveDate, unread: &[RenderedNotification]) -> Self {
        let mut body = format!("Dear {},\n\n", user.username.as_str());
        for notification in unread {
            _ = writeln!(body, "- {}", notification.text.message);
        }
        Self {
            id: Uuid::now_v7(),
            user_id: user.id.into(),
            night,
            address: user.email.as_str().to_owned(),
            body,
        }
    }
}

/// Stores letters, except those that their users have for this night already. Returns how many are new.
pub(crate) async fn claim(db: &Database, letters: &[Letter]) -> StorageResult<usize> {
    if letters.is_empty() {
        return Ok(0);
    }
    let insert = diesel::insert_into(digest_letters::table).values(letters);
    let mut conn = db.acquire().await?;
    Ok(insert.on_conflict_do_nothing().execute(&mut *conn).await?)
}

/// The letters of this night that are not marked as sent, in the order of their users.
pub(crate) async fn unsent(db: &Database, night: NaiveDate) -> StorageResult<Vec<Uuid>> {
    let unsent = digest_letters::table
        .filter(digest_letters::night.eq(night))
        .filter(digest_letters::is_sent.eq(false))
        .order(digest_letters::user_id)
        .select(digest_letters::id);
    Ok(unsent.load(&mut *db.acquire().await?).await?)
}

/// Sends a letter under the lock of its row, and marks it. Returns whether this run has sent it.
///
/// The transaction has no lock on a table of Grateful, so nothing of it waits for the receiver.
pub(crate) async fn send(db: &Database, id: Uuid, folder: &Folder) -> Result<bool> {
    db.transaction(async |tx: &mut Connection| {
        let letter = digest_letters::table.filter(digest_letters::id.eq(id));
        let found: Option<(String, String)> = letter
            .filter(digest_letters::is_sent.eq(false))
            .select((digest_letters::address, digest_letters::body))
            .for_update()
            .first(tx)
            .await
            .optional()?;
        let Some((address, body)) = found else { return Ok(false) };
        folder.deliver(id, &address, &body)?;
        diesel::update(letter).set(digest_letters::is_sent.eq(true)).execute(tx).await?;
        Ok(true)
    })
    .await
}
