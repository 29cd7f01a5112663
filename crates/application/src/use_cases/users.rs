//! Finding people by what they are called.

use grateful_domain::{
    UserId, UserListItem, UserSearchQuery, Username, UsernameBatch, UsernameValidation,
};
use grateful_storage::Repositories;

use crate::{App, Resource, Result};

/// People who are called so, best matches first, at most `most`: neither `user` nor anybody across a block with them.
pub async fn search(
    app: &App,
    user: UserId,
    query: &UserSearchQuery,
    most: i64,
) -> Result<Vec<UserListItem>> {
    Ok(app.db.acquire().await?.users().search(user, query, most).await?)
}

/// Which of these names mean somebody, whom `user` can meet.
pub async fn validate_usernames(
    app: &App,
    user: UserId,
    asked: UsernameBatch,
) -> Result<UsernameValidation> {
    let found = app.db.acquire().await?.users().find_by_usernames(user, &asked.usernames()).await?;
    let people: Vec<Username> = found.into_iter().map(|(_, name)| name).collect();
    Ok(asked.validate(&people))
}

/// Whom a name means.
///
/// # Errors
/// `NotFound` where there is no such person, at least not for `user`.
pub async fn find_by_username(app: &App, user: UserId, name: &str) -> Result<(UserId, Username)> {
    let nobody = || Resource::User.not_found(name);
    let meant = Username::parse_mention(name).ok_or_else(nobody)?;
    let mut found = app.db.acquire().await?.users().find_by_usernames(user, &[meant]).await?;
    found.pop().ok_or_else(nobody)
}
