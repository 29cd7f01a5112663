//! Row locks on users.
//!
//! Locks skip deleted accounts. PostgreSQL checks that again once it holds the lock, so a request that waits for the
//! transaction that marks an account as deleted does not find the account.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use grateful_domain::{Approval, Author, CommentId, PasswordHash, PostId, Preferences, UserId};
use serde_json::Value;
use uuid::Uuid;

use super::{Users, preferences_of};
use crate::query::statement;
use crate::rows::{AuthorColumns, AuthorRow, author_from_columns};
use crate::schema::users;
use crate::{LockConnection, Result};

/// The users who take part in an interaction, identified in different ways.
#[derive(Debug, Clone, Copy, Default)]
pub struct Participants<'a> {
    /// The acting user, and others by id.
    pub users: &'a [UserId],
    /// The authors of these posts.
    pub authors_of_posts: &'a [PostId],
    /// The author of this comment.
    pub author_of_comment: Option<CommentId>,
    /// The users who have these usernames, or had them before if they are reserved, case-insensitive.
    pub usernames: &'a [&'a str],
}

/// Participants whose rows are locked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LockedParticipants {
    /// The participants who exist, sorted by id.
    pub users: Vec<Author>,
    /// The users found by name, by the name in lower case.
    by_username: HashMap<String, UserId>,
}

impl LockedParticipants {
    /// The ids of the users who were found by these usernames, in the order of the usernames.
    pub fn ids_by_username(&self, usernames: &[&str]) -> Vec<UserId> {
        let find = |name: &&str| self.by_username.get(&name.to_ascii_lowercase()).copied();
        usernames.iter().filter_map(find).collect()
    }
}

impl<C: LockConnection> Users<'_, C> {
    /// Locks the rows of the participants (`FOR KEY SHARE`, in id order) until the transaction ends, so that none of the rows
    /// is deleted. An interaction takes this lock before it checks for blocks: the job of a block waits for the
    /// interactions that may not have seen it (see [`BackgroundJobs::barrier`](crate::BackgroundJobs::barrier)).
    /// Interactions do not wait for each other.
    ///
    /// One statement locks all participants, to keep the id order. So one call must name all of them.
    pub async fn lock_participants(
        &mut self,
        participants: Participants<'_>,
    ) -> Result<LockedParticipants> {
        let lock = LockParticipants {
            users: participants.users.iter().copied().map(i64::from).collect(),
            authors_of_posts: participants
                .authors_of_posts
                .iter()
                .copied()
                .map(Uuid::from)
                .collect(),
            author_of_comment: participants.author_of_comment.map(Uuid::from),
            usernames: participants
                .usernames
                .iter()
                .map(|name| name.to_ascii_lowercase())
                .collect(),
        };
        let rows: Vec<(i64, AuthorColumns, Vec<String>)> = lock.load(self.conn).await?;
        let mut locked = LockedParticipants::default();
        for (id, columns, names) in rows {
            locked.users.push(author_from_columns(id.into(), columns));
            locked.by_username.extend(names.into_iter().map(|name| (name, id.into())));
        }
        Ok(locked)
    }

    /// Locks the rows of these users (`FOR NO KEY UPDATE`, in id order) until the transaction ends, to change follows and
    /// blocks between them, and their counters. Interactions with posts do not wait. Returns the users who exist, each with
    /// whether they approve new followers.
    pub async fn lock_all(
        &mut self,
        users: &[UserId],
    ) -> Result<HashMap<UserId, (Author, Approval)>> {
        let ids: Vec<i64> = users.iter().copied().map(i64::from).collect();
        let rows: Vec<(AuthorRow, Option<Value>)> = users::table
            .filter(users::id.eq_any(ids))
            .filter(users::deleted_at.is_null())
            .select((AuthorRow::as_select(), users::profile_preferences))
            .order(users::id)
            .for_no_key_update()
            .load(self.conn)
            .await?;
        let entry = |(author, preferences): (AuthorRow, Option<Value>)| {
            let author = Author::from(author);
            (author.id, (author, preferences_of(preferences).approval()))
        };
        Ok(rows.into_iter().map(entry).collect())
    }

    /// Locks the row of a user until the transaction ends. Must come before any lock on rows that belong to the user.
    /// Inserting rows that refer to the user does not wait. Returns whether the user exists.
    pub async fn lock(&mut self, user: UserId) -> Result<bool> {
        let row = users::table
            .find(i64::from(user))
            .filter(users::deleted_at.is_null())
            .select(users::id)
            .for_no_key_update()
            .first::<i64>(self.conn)
            .await
            .optional()?;
        Ok(row.is_some())
    }
}

impl Users<'_> {
    /// Locks the row of a user until the transaction ends, as [`Users::lock`] does, and returns the user's preferences.
    /// Returns `None` if there is no such user.
    pub async fn lock_preferences(&mut self, user: UserId) -> Result<Option<Preferences>> {
        let row = users::table
            .find(i64::from(user))
            .filter(users::deleted_at.is_null())
            .select(users::profile_preferences)
            .for_no_key_update()
            .first::<Option<Value>>(self.conn)
            .await
            .optional()?;
        Ok(row.map(preferences_of))
    }

    /// Checks whether the stored password hash is `expected`. If so, locks the row of the user, so that the password does
    /// not change until the transaction ends.
    pub async fn lock_if_password_matches(
        &mut self,
        user: UserId,
        expected: &PasswordHash,
    ) -> Result<bool> {
        let row = users::table
            .find(i64::from(user))
            .filter(users::hashed_password.eq(expected.as_str()))
            .filter(users::deleted_at.is_null())
            .select(users::id)
            .for_no_key_update()
            .first::<i64>(self.conn)
            .await
            .optional()?;
        Ok(row.is_some())
    }

    /// Marks an account as deleted. Does not wait for interactions in progress; none that starts afterwards finds the
    /// account. Returns whether the account existed and was not marked before.
    pub async fn mark_deleted(&mut self, user: UserId, now: DateTime<Utc>) -> Result<bool> {
        let account = users::table.find(i64::from(user)).filter(users::deleted_at.is_null());
        let mark = diesel::update(account).set(users::deleted_at.eq(now));
        Ok(mark.execute(self.conn).await? == 1)
    }

    /// Locks the rows of these users (`FOR NO KEY UPDATE`, in id order), also of deleted accounts.
    pub(crate) async fn lock_rows(&mut self, users: &[i64]) -> Result<()> {
        users::table
            .filter(users::id.eq_any(users))
            .select(users::id)
            .order(users::id)
            .for_no_key_update()
            .load::<i64>(self.conn)
            .await?;
        Ok(())
    }
}

statement! {
    /// Collects the ids first: conditions joined by OR would make PostgreSQL scan all users.
    LockParticipants {
        users: Vec<i64> as Array<BigInt>,
        authors_of_posts: Vec<Uuid> as Array<SqlUuid>,
        author_of_comment: Option<Uuid> as Nullable<SqlUuid>,
        usernames: Vec<String> as Array<Text>,
    } -> (BigInt, (Text, Nullable<Text>, Nullable<Text>), Array<Text>),
    "WITH wanted AS (
        SELECT id, NULL AS name FROM unnest(:users) AS known (id)
        UNION ALL SELECT author_id, NULL FROM posts WHERE id = ANY (:authors_of_posts)
        UNION ALL SELECT author_id, NULL FROM comments WHERE id = :author_of_comment
        UNION ALL SELECT id, lower(username) FROM users WHERE lower(username) = ANY (:usernames)
        UNION ALL SELECT user_id, username FROM released_usernames WHERE username = ANY (:usernames)
    )
    SELECT id, username, display_name, profile_image_url,
        ARRAY(SELECT name FROM wanted WHERE wanted.id = users.id AND name IS NOT NULL)
    FROM users
    WHERE id = ANY (ARRAY(SELECT id FROM wanted)) AND deleted_at IS NULL ORDER BY id FOR KEY SHARE"
}
