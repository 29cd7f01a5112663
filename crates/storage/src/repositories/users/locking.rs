//! Holding people in place for as long as an act on what is theirs takes.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use grateful_domain::{Approval, Author, CommentId, PasswordHash, PostId, UserId};
use serde_json::Value;
use uuid::Uuid;

use super::{Users, preferences_of};
use crate::Result;
use crate::query::statement;
use crate::rows::{AuthorColumns, AuthorRow, author_from_columns};
use crate::schema::users;

/// Whom an act concerns.
#[derive(Debug, Clone, Copy, Default)]
pub struct Participants<'a> {
    /// Whoever acts, and others who are known already.
    pub users: &'a [UserId],
    /// Whoever wrote this post.
    pub author_of_post: Option<PostId>,
    /// Whoever wrote this comment.
    pub author_of_comment: Option<CommentId>,
    /// Whoever has one of these usernames, whatever its case.
    pub usernames: &'a [&'a str],
}

/// What the lock of people is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserLock {
    /// Edges between them, and their numbers. Acts on posts go on.
    ForFollows,
    /// A block: no act of one on what is another's is under way, or begins before it is there.
    ForBlock,
}

impl Users<'_> {
    /// Holds all whom an act concerns in place until the transaction ends: none goes away, and no block comes between
    /// them. An act does so before it asks for blocks; those who do the same do not wait for each other. Returns who they
    /// are, by id; whom there is not is left out.
    ///
    /// One statement for all, since people are locked in the order of their ids.
    pub async fn lock_participants(
        &mut self,
        participants: Participants<'_>,
    ) -> Result<Vec<Author>> {
        let hold = LockParticipants {
            people: participants.users.iter().copied().map(i64::from).collect(),
            post: participants.author_of_post.map(Uuid::from),
            comment: participants.author_of_comment.map(Uuid::from),
            names: participants.usernames.iter().map(|name| name.to_ascii_lowercase()).collect(),
        };
        let rows: Vec<(i64, AuthorColumns)> = hold.load(self.conn).await?;
        Ok(rows.into_iter().map(|(id, columns)| author_from_columns(id.into(), columns)).collect())
    }

    /// Locks the rows of these people until the transaction ends, by id, ahead of any edge between them. Those who merely
    /// refer to them wait only where `how` says so. Returns those who exist, each with what they say of followers.
    pub async fn lock_all(
        &mut self,
        people: &[UserId],
        how: UserLock,
    ) -> Result<HashMap<UserId, (Author, Approval)>> {
        let ids: Vec<i64> = people.iter().copied().map(i64::from).collect();
        let people = users::table
            .filter(users::id.eq_any(ids))
            .select((AuthorRow::as_select(), users::profile_preferences))
            .order(users::id);
        let rows: Vec<(AuthorRow, Option<Value>)> = match how {
            UserLock::ForFollows => people.for_no_key_update().load(self.conn).await?,
            UserLock::ForBlock => people.for_update().load(self.conn).await?,
        };
        let person = |(author, preferences): (AuthorRow, Option<Value>)| {
            let author = Author::from(author);
            (author.id, (author, preferences_of(preferences).approval()))
        };
        Ok(rows.into_iter().map(person).collect())
    }

    /// Locks the row of this person until the transaction ends, ahead of any row that belongs to them. Those who
    /// merely refer to it do not wait. Tells whether there is one.
    pub async fn lock(&mut self, user: UserId) -> Result<bool> {
        let row = users::table
            .find(i64::from(user))
            .select(users::id)
            .for_no_key_update()
            .first::<i64>(self.conn)
            .await
            .optional()?;
        Ok(row.is_some())
    }

    /// Whether this still is their password; if so, it stays so until the transaction ends.
    pub async fn lock_if_password_matches(
        &mut self,
        user: UserId,
        kept: &PasswordHash,
    ) -> Result<bool> {
        let row = users::table
            .find(i64::from(user))
            .filter(users::hashed_password.eq(kept.as_str()))
            .select(users::id)
            .for_no_key_update()
            .first::<i64>(self.conn)
            .await
            .optional()?;
        Ok(row.is_some())
    }

    /// Locks the row of this person against everybody, also those who merely refer to it. Tells whether there is one.
    pub async fn lock_for_deletion(&mut self, user: UserId) -> Result<bool> {
        let row = users::table
            .find(i64::from(user))
            .select(users::id)
            .for_update()
            .first::<i64>(self.conn)
            .await
            .optional()?;
        Ok(row.is_some())
    }
}

statement! {
    /// Finds them first: conditions that are joined by OR would have PostgreSQL go through all people.
    LockParticipants(
        people: Vec<i64> as Array<BigInt>,
        post: Option<Uuid> as Nullable<SqlUuid>,
        comment: Option<Uuid> as Nullable<SqlUuid>,
        names: Vec<String> as Array<Text>
    ) -> (BigInt, (Text, Nullable<Text>, Nullable<Text>)) {
        "wanted AS (
            SELECT id FROM unnest($1) AS known (id)
            UNION ALL SELECT author_id FROM posts WHERE id = $2
            UNION ALL SELECT author_id FROM comments WHERE id = $3
            UNION ALL SELECT id FROM users WHERE lower(username) = ANY ($4)
        )
        SELECT id, username, display_name, profile_image_url FROM users
        WHERE id = ANY (ARRAY(SELECT id FROM wanted)) ORDER BY id FOR KEY SHARE"
    }
}
