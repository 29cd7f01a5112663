//! Deleting an account.

use grateful_domain::UserId;
use grateful_storage::{Job, Repositories};

use super::confirm;
use crate::background_jobs::{enqueue, run};
use crate::{App, Error, Resource, Result};

/// Deletes the account of a user who confirms it by password. See [`delete`].
///
/// # Errors
/// `Forbidden` if the password does not match, which counts as a failed login. `RateLimited` after too many failures, as
/// in [`super::log_in`].
pub async fn delete_own(app: &App, user: UserId, password: String) -> Result<()> {
    confirm(app, user, password, "delete").await?;
    match delete(app, user).await {
        // A second request of the same user was faster.
        Err(Error::NotFound { .. }) => Err(Error::account_deleted()),
        result => result,
    }
}

/// Deletes an account with all its data, and updates the counts on posts and profiles of other users.
///
/// The account is gone for all users, its owner included, when the first, short transaction is committed. The rest follows
/// in small steps, which other users' acts do not disturb, and which go on after an interruption (see
/// [`background_jobs`](crate::background_jobs)).
///
/// # Errors
/// `NotFound` if the account does not exist.
pub async fn delete(app: &App, user: UserId) -> Result<()> {
    let now = app.clock.now();
    let job = app
        .db
        .transaction(async |tx| {
            if !tx.users().mark_deleted(user, now).await? {
                return Err(Resource::User.not_found(user));
            }
            tx.sessions().delete_all(user).await?;
            enqueue(tx, Job::DeleteAccount(user), now).await
        })
        .await?;
    run(app, job).await;
    Ok(())
}
