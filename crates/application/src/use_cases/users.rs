//! Finding users by name.

use grateful_domain::{
    UserId, UserListItem, UserSearchQuery, Username, UsernameBatch, UsernameValidation,
};
use grateful_storage::{NamedUser, Repositories};

use crate::{App, Resource, Result};

/// Searches users by name, best matches first. Returns at most `limit` users, without `user` and without users who are
/// blocked by `user` or who block them.
pub async fn search(
    app: &App,
    user: UserId,
    query: &UserSearchQuery,
    limit: i64,
) -> Result<Vec<UserListItem>> {
    app.read_replica_alone(async |conn| conn.users().search(user, query, limit).await).await
}

/// Separates usernames of existing users, former ones that are reserved included, from unknown ones. Users with a block to or from `user` count as unknown.
pub async fn validate_usernames(
    app: &App,
    user: UserId,
    batch: UsernameBatch,
) -> Result<UsernameValidation> {
    let found = find_named(app, user, &batch.usernames()).await?;
    let existing: Vec<Username> = found.into_iter().map(|user| user.matched).collect();
    Ok(batch.validate(&existing))
}

/// Finds a user by their username, or by a former one that is reserved, ignoring case and trailing `.` and `-`. Returns the
/// current username.
///
/// # Errors
/// `NotFound` if there is no such user, or a block exists between them and `user`.
pub async fn find_by_username(app: &App, user: UserId, name: &str) -> Result<(UserId, Username)> {
    let not_found = || Resource::User.not_found(name);
    let username = Username::parse_mention(name).ok_or_else(not_found)?;
    let mut found = find_named(app, user, &[username]).await?;
    found.pop().map(|user| (user.id, user.username)).ok_or_else(not_found)
}

async fn find_named(app: &App, user: UserId, names: &[Username]) -> Result<Vec<NamedUser>> {
    Ok(app.read_replica(async |mut conn| conn.users().find_by_usernames(user, names).await).await?)
}
