//! The `users` table: accounts, credentials, and lookups. Lookups do not find deleted accounts.

mod locking;
mod photos;
mod profiles;
mod released_usernames;
mod search;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::dsl::{exists, not};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt};
use diesel_async::RunQueryDsl;
use grateful_domain::{
    Author, Email, Page, PasswordHash, Preferences, ProfilePhoto, User, UserId, UserListItem,
    Username, Viewer,
};
use serde_json::Value;

pub use self::locking::{LockedParticipants, Participants};
pub use self::photos::PreviousPhoto;
pub use self::search::NamedUser;
use crate::query::{UserQuery, count_up_to, lower, not_hidden, statement, visible_users};
use crate::rows::{AuthorRow, UserListItemRow};
use crate::schema::users;
use crate::{Connection, LockConnection, ReadConnection, Result};

/// The repository of users.
pub struct Users<'c, C = Connection> {
    pub(super) conn: &'c mut C,
}

/// A new account.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// The unique username.
    pub username: Username,
    /// The email address for signing in.
    pub email: Email,
    /// The hash of the password.
    pub password: PasswordHash,
    /// When the account was created.
    pub created_at: DateTime<Utc>,
}

/// A user's id, email address and password hash, for signing in.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Credentials {
    /// The user.
    pub user: UserId,
    /// The address for signing in, by which failures are counted.
    pub email: Email,
    /// The hash that the password must match.
    pub password: PasswordHash,
}

impl<C: ReadConnection> Users<'_, C> {
    /// Finds a user by id, with private data.
    pub async fn find(&mut self, user: UserId) -> Result<Option<User>> {
        let row = users::table
            .find(i64::from(user))
            .filter(users::deleted_at.is_null())
            .select(UserRow::as_select())
            .first(self.conn)
            .await
            .optional()?;
        Ok(row.map(UserRow::into))
    }

    /// Finds a user by id, without private data.
    pub async fn find_author(&mut self, user: UserId) -> Result<Option<Author>> {
        let row = users::table
            .find(i64::from(user))
            .filter(users::deleted_at.is_null())
            .select(AuthorRow::as_select())
            .first(self.conn)
            .await
            .optional()?;
        Ok(row.map(AuthorRow::into))
    }

    /// Finds a user by username, case-insensitive.
    pub async fn find_by_username(&mut self, username: &str) -> Result<Option<User>> {
        let row = users::table
            .filter(lower(users::username).eq(username.to_ascii_lowercase()))
            .filter(users::deleted_at.is_null())
            .select(UserRow::as_select())
            .first(self.conn)
            .await
            .optional()?;
        Ok(row.map(UserRow::into))
    }

    /// Whether the user exists for the viewer, that is, without a block between them.
    pub async fn exists_for(&mut self, viewer: Viewer, user: UserId) -> Result<bool> {
        let visible = visible_users(viewer).filter(users::id.eq(i64::from(user)));
        Ok(diesel::select(exists(visible)).get_result(self.conn).await?)
    }
}

impl Users<'_> {
    /// Inserts an account. Run this in a transaction, and roll it back on an error.
    ///
    /// # Errors
    /// `UniqueViolation` with [`Users::EMAIL_KEY`] or [`Users::USERNAME_KEY`]. Both are case-insensitive. A username is taken
    /// too if it is reserved ([`ReleasedUsername`](grateful_domain::ReleasedUsername)).
    pub async fn insert(&mut self, new: &NewUser) -> Result<User> {
        let row = diesel::insert_into(users::table)
            .values((
                users::email.eq(new.email.as_str()),
                users::username.eq(new.username.as_str()),
                users::hashed_password.eq(new.password.as_str()),
                users::created_at.eq(new.created_at),
            ))
            .returning(UserRow::as_returning())
            .get_result(self.conn)
            .await?;
        self.claim_username(&new.username, None, new.created_at).await?;
        Ok(row.into())
    }

    /// The unique index on email addresses.
    pub const EMAIL_KEY: &'static str = "users_email_key";

    /// The unique index on usernames.
    pub const USERNAME_KEY: &'static str = "users_username_key";

    /// Runs a list query, in one statement, and a second one if the total is requested.
    pub async fn list(&mut self, query: UserQuery) -> Result<Page<UserListItem, UserId>> {
        let total = count_up_to(self.conn, || query.select_all(), query.max_total).await?;
        let rows: Vec<UserListItemRow> = query.select().load(self.conn).await?;
        let users = rows.into_iter().map(UserListItem::from).collect();
        let page = Page::from_overfetch(users, query.page.limit, |user| user.author.id);
        Ok(page.with_total(total))
    }

    /// Lists accounts with private data by id, for the operator: at most `limit`, with greater ids than `after`.
    pub async fn list_accounts(&mut self, after: Option<UserId>, limit: i64) -> Result<Vec<User>> {
        let rows: Vec<UserRow> = users::table
            .filter(users::id.gt(after.map_or(0, i64::from)))
            .filter(users::deleted_at.is_null())
            .order(users::id)
            .limit(limit)
            .select(UserRow::as_select())
            .load(self.conn)
            .await?;
        Ok(rows.into_iter().map(User::from).collect())
    }

    /// Finds credentials by email address, case-insensitive.
    pub async fn find_credentials_by_email(&mut self, email: &str) -> Result<Option<Credentials>> {
        let row = users::table
            .filter(lower(users::email).eq(email.to_ascii_lowercase()))
            .filter(users::deleted_at.is_null())
            .select((users::id, users::email, users::hashed_password))
            .first::<(i64, String, String)>(self.conn)
            .await
            .optional()?;
        Ok(row.map(Credentials::from))
    }

    /// Finds credentials by user id.
    pub async fn find_credentials(&mut self, user: UserId) -> Result<Option<Credentials>> {
        let row = users::table
            .find(i64::from(user))
            .filter(users::deleted_at.is_null())
            .select((users::id, users::email, users::hashed_password))
            .first::<(i64, String, String)>(self.conn)
            .await
            .optional()?;
        Ok(row.map(Credentials::from))
    }

    /// Replaces the password hash if it is still `old`, so that of two concurrent changes the first one wins. Returns
    /// whether it was replaced.
    pub async fn replace_password(
        &mut self,
        user: UserId,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<bool> {
        let unchanged =
            users::table.find(i64::from(user)).filter(users::hashed_password.eq(old.as_str()));
        let replaced = diesel::update(unchanged)
            .set(users::hashed_password.eq(new.as_str()))
            .execute(self.conn)
            .await?;
        Ok(replaced == 1)
    }

    /// Deletes an account and, by cascade, everything that belongs to it. The caller must first subtract what the account
    /// contributes to the counters of other rows, and must delete its files. Reserves its username for a while. Returns the
    /// photo of the account, or `None` if there is no such account.
    pub async fn delete(
        &mut self,
        user: UserId,
        now: DateTime<Utc>,
    ) -> Result<Option<PreviousPhoto>> {
        let deleted: Option<(String, Option<String>)> =
            diesel::delete(users::table.find(i64::from(user)))
                .returning((users::username, users::profile_photo_filename))
                .get_result(self.conn)
                .await
                .optional()?;
        let Some((username, photo)) = deleted else { return Ok(None) };
        self.release_username(&username, None, now).await?;
        Ok(Some(PreviousPhoto(photo.map(ProfilePhoto::from_stored))))
    }
}

impl<C: ReadConnection> Users<'_, C> {
    /// Which of these users exist, and whether there is a block between each of them and one of `parties`, in one
    /// statement.
    pub async fn find_block_status(
        &mut self,
        parties: [UserId; 2],
        users: &[UserId],
    ) -> Result<HashMap<UserId, bool>> {
        let ids: Vec<i64> = users.iter().copied().map(i64::from).collect();
        let is_visible = |party: UserId| not_hidden(Some(party.into()), users::id);
        let [first, second] = parties;
        let is_blocked = not(is_visible(first).and(is_visible(second)));
        let rows: Vec<(i64, bool)> = users::table
            .filter(users::id.eq_any(ids))
            .filter(users::deleted_at.is_null())
            .select((users::id, is_blocked))
            .load(self.conn)
            .await?;
        Ok(rows.into_iter().map(|(id, is_blocked)| (id.into(), is_blocked)).collect())
    }
}

impl<C: LockConnection> Users<'_, C> {
    /// Adds to the counters of posts and public posts of users, in one statement. Returns whether all users exist. The counters
    /// of a deleted account can only be lowered.
    pub(crate) async fn add_to_post_counts(
        &mut self,
        counts: &[(UserId, i64, i64)],
    ) -> Result<bool> {
        let add = AddToPostCounts {
            users: counts.iter().map(|(user, ..)| i64::from(*user)).collect(),
            all: counts.iter().map(|(_, all, _)| *all).collect(),
            public: counts.iter().map(|(.., public)| *public).collect(),
        };
        Ok(add.execute(self.conn).await? == counts.len())
    }
}

fn preferences_of(stored: Option<Value>) -> Preferences {
    match stored {
        Some(Value::Object(preferences)) => Preferences::from_stored(preferences),
        _ => Preferences::default(),
    }
}

statement! {
    AddToPostCounts {
        users: Vec<i64> as Array<BigInt>,
        all: Vec<i64> as Array<BigInt>,
        public: Vec<i64> as Array<BigInt>,
    } -> BigInt,
    "WITH new AS (
        SELECT * FROM unnest(:users, :all, :public) AS new (id, posts, public)
    ), people AS MATERIALIZED (
        SELECT id FROM users WHERE id = ANY (:users) ORDER BY id FOR NO KEY UPDATE
    )
    UPDATE users SET
        posts_count = posts_count + new.posts, public_posts_count = public_posts_count + new.public
    FROM new JOIN people ON people.id = new.id
    WHERE users.id = new.id AND (users.deleted_at IS NULL OR new.posts <= 0)"
}

/// The columns of `users` that make a [`User`].
#[derive(Queryable, Selectable)]
#[diesel(table_name = users)]
struct UserRow {
    id: i64,
    username: String,
    email: String,
    created_at: DateTime<Utc>,
}

impl From<UserRow> for User {
    fn from(row: UserRow) -> Self {
        Self {
            id: row.id.into(),
            username: Username::from_stored(row.username),
            email: Email::from_stored(row.email),
            created_at: row.created_at,
        }
    }
}

impl From<(i64, String, String)> for Credentials {
    fn from((user, email, password): (i64, String, String)) -> Self {
        Self { user: user.into(), email: Email::from_stored(email), password: password.into() }
    }
}
