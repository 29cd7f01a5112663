//! Follows, follow requests and blocks.

mod act;

use chrono::{DateTime, Utc};
use futures_util::future::try_join;
use grateful_domain::{
    Approval, Author, Follow, FollowAction, FollowCounts, FollowListItem, Page, PageRequest,
    Relationship, Suggestion, UserId, ValidationError, Viewer,
};
use grateful_storage::{Connection, FollowQuery, Job, Reader, Repositories};

use self::act::{FollowAct, FollowChange, updates_of_acceptance};
use crate::background_jobs::{enqueue, run};
use crate::combiner::GroupedAct;
use crate::notify::update_inboxes;
use crate::{App, Error, Resource, Result};

/// A follow or a follow request, with both users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowWithUsers {
    /// The follow or the request.
    pub follow: Follow,
    /// The following or requesting user.
    pub follower: Author,
    /// The followed or requested user.
    pub followed: Author,
}

/// Follows another user. If that user approves their followers, requests to follow instead.
///
/// # Errors
/// `Invalid` if both are the same user, `NotFound` if `other` does not exist, `AlreadyExists` if the follow or the request
/// exists, `Forbidden` across a block.
pub async fn follow(app: &App, user: UserId, other: UserId) -> Result<FollowWithUsers> {
    require_other(user, other, "Cannot follow yourself")?;
    let FollowChange { follow, user: follower, other: followed, .. } =
        run_act(app, user, other, FollowAction::Follow).await?;
    let followed = followed.ok_or_else(|| Resource::User.not_found(other))?;
    Ok(FollowWithUsers { follow, follower, followed })
}

/// Unfollows another user, or cancels a follow request. Does not remove a block.
///
/// # Errors
/// `NotFound` if neither a follow nor a request exists.
pub async fn unfollow(app: &App, user: UserId, other: UserId) -> Result<()> {
    run_act(app, user, other, |_| FollowAction::Unfollow).await.map(drop)
}

/// Accepts a follow request. Notifies only the requester.
///
/// # Errors
/// `NotFound` if the request does not exist.
pub async fn accept_request(app: &App, user: UserId, requester: UserId) -> Result<()> {
    run_act(app, user, requester, |_| FollowAction::Accept).await.map(drop)
}

/// Accepts all pending requests of a user who has turned off follow approval, in small transactions. Returns how many.
/// After an interruption, [`housekeeping`](crate::housekeeping) accepts the rest.
pub(crate) async fn accept_all_requests(app: &App, user: UserId) -> Result<usize> {
    let mut accepted = 0;
    loop {
        let now = app.clock.now();
        match app.db.transaction(async |tx| accept_some_requests(tx, user, now).await).await? {
            Some(batch) => accepted += batch,
            None => return Ok(accepted),
        }
    }
}

/// How many requests one transaction accepts: few enough that its locks delay no other request.
const BATCH_SIZE: i64 = 200;

/// Accepts a batch of requests. Returns how many still existed once they were locked, or `None` if there are none or the
/// user has turned on follow approval again.
async fn accept_some_requests(
    tx: &mut Connection,
    user: UserId,
    now: DateTime<Utc>,
) -> Result<Option<usize>> {
    let requesters = tx.follows().list_requesters(user, BATCH_SIZE).await?;
    if requesters.is_empty() {
        return Ok(None);
    }
    let users = [&[user], &requesters[..]].concat();
    let locked = tx.users().lock_all(&users).await?;
    // The user may have turned on approval again.
    if locked.get(&user).is_none_or(|(_, approval)| *approval == Approval::Required) {
        return Ok(None);
    }
    let accepted = tx.follows().accept_requests(user, &requesters).await?;
    let updates =
        accepted.iter().flat_map(|requester| updates_of_acceptance(user, *requester, now));
    update_inboxes(tx, updates.collect()).await?;
    Ok(Some(accepted.len()))
}

/// Declines a follow request. Does not notify the requester.
///
/// # Errors
/// `NotFound` if the request does not exist.
pub async fn decline_request(app: &App, user: UserId, requester: UserId) -> Result<()> {
    run_act(app, user, requester, |_| FollowAction::Decline).await.map(drop)
}

/// Removes a follower of `user`. Does not notify the follower, and does not decline a pending request.
///
/// # Errors
/// `NotFound` if `follower` does not follow `user`.
pub async fn remove_follower(app: &App, user: UserId, follower: UserId) -> Result<()> {
    run_act(app, user, follower, |_| FollowAction::RemoveFollower).await.map(drop)
}

/// Blocks another user, and removes follows and requests in both directions. Idempotent.
///
/// The block holds when a short transaction is committed. The notifications that the two have about each other are withdrawn
/// in small steps (see [`background_jobs`](crate::background_jobs)).
///
/// # Errors
/// `Invalid` if both are the same user, `NotFound` if `other` does not exist.
pub async fn block(app: &App, user: UserId, other: UserId) -> Result<()> {
    require_other(user, other, "Cannot block yourself")?;
    change_block(app, user, other, |_| FollowAction::Block).await
}

/// Removes a block of `user`. Does nothing if there is none.
///
/// # Errors
/// `Invalid` if both are the same user, `NotFound` if `other` does not exist.
pub async fn unblock(app: &App, user: UserId, other: UserId) -> Result<()> {
    require_other(user, other, "Cannot block yourself")?;
    change_block(app, user, other, |_| FollowAction::Unblock).await
}

/// Returns the relationship of `user` to `other`, even if one of them blocks the other.
///
/// # Errors
/// `NotFound` if `other` does not exist.
pub async fn get_relationship(app: &App, user: UserId, other: UserId) -> Result<Relationship> {
    let found = get_relationships(app, user, &[other]).await?.pop();
    found.map(|(_, relationship)| relationship).ok_or_else(|| Resource::User.not_found(other))
}

/// Returns the relationships of `user` to those of `others` that exist, in the order of their ids.
pub async fn get_relationships(
    app: &App,
    user: UserId,
    others: &[UserId],
) -> Result<Vec<(UserId, Relationship)>> {
    let read = async |mut conn: Reader| conn.follows().find_relationships(user, others).await;
    let mut relationships: Vec<_> = app.read_replica(read).await?.into_iter().collect();
    relationships.sort_unstable_by_key(|(other, _)| *other);
    Ok(relationships)
}

/// Lists the followers of `owner` that `user` may see, newest first. Also returns the number of all followers.
///
/// # Errors
/// `NotFound` if `owner` does not exist, or a block exists between `owner` and `user`.
pub async fn list_followers(
    app: &App,
    user: UserId,
    owner: UserId,
    page: PageRequest,
) -> Result<(Page<FollowListItem>, i64)> {
    let query = FollowQuery::visible_to(user).followers_of(owner).page(page);
    let (page, counts) = list_with_counts(app, user, owner, query).await?;
    Ok((page, counts.followers))
}

/// Lists the users that `owner` follows and `user` may see, newest first. Also returns the number of all followed users.
///
/// # Errors
/// As [`list_followers`].
pub async fn list_following(
    app: &App,
    user: UserId,
    owner: UserId,
    page: PageRequest,
) -> Result<(Page<FollowListItem>, i64)> {
    let query = FollowQuery::visible_to(user).followed_by(owner).page(page);
    let (page, counts) = list_with_counts(app, user, owner, query).await?;
    Ok((page, counts.following))
}

/// Counts the followers of `owner` and the users that `owner` follows. Pending requests are counted only if `user` is
/// `owner`, otherwise they are 0.
///
/// # Errors
/// `NotFound` if `owner` does not exist, or a block exists between `owner` and `user`.
pub async fn count(app: &App, user: UserId, owner: UserId) -> Result<FollowCounts> {
    let counts = app.read_replica(async |conn| find_counts(conn, user, owner).await).await?;
    Ok(if user == owner {
        counts
    } else {
        FollowCounts { requests_received: 0, requests_sent: 0, ..counts }
    })
}

/// Lists the pending requests to follow a user, newest first, with their total number.
pub async fn list_requests(
    app: &App,
    user: UserId,
    page: PageRequest,
) -> Result<(Page<FollowListItem>, i64)> {
    let query = FollowQuery::visible_to(user).received_requests().page(page);
    let read = async |mut conn: Reader| {
        let mut other = conn.clone();
        try_join(other.follows().count(user), conn.follows().list(query.clone())).await
    };
    let (counts, requests) = app.read_replica(read).await?;
    Ok((requests, counts.ok_or_else(Error::account_deleted)?.requests_received))
}

/// Lists the users that a user has blocked, newest first, with their total number.
pub async fn list_blocks(
    app: &App,
    user: UserId,
    page: PageRequest,
) -> Result<(Page<FollowListItem>, i64)> {
    let query = FollowQuery::visible_to(user).blocks().page(page);
    let read = async |mut conn: Reader| {
        let mut other = conn.clone();
        try_join(conn.follows().list(query.clone()), other.follows().count_blocks(user)).await
    };
    Ok(app.read_replica(read).await?)
}

/// Suggests at most `limit` users to follow.
pub async fn list_suggestions(app: &App, user: UserId, limit: i64) -> Result<Vec<Suggestion>> {
    app.read_replica_alone(async |conn| conn.follows().list_suggestions(user, limit).await).await
}

async fn change_block(
    app: &App,
    user: UserId,
    other: UserId,
    action: fn(Approval) -> FollowAction,
) -> Result<()> {
    let now = app.clock.now();
    let acts = &[FollowAct::new(user, other, action, now)];
    let lock = async |tx: &Connection| FollowAct::lock(tx, acts).await;
    let job = app
        .db
        .transaction_after(lock, async |tx: &mut Connection, locked| {
            let result = FollowAct::run(tx, acts, locked).await?.pop();
            let relationship = result.ok_or_else(Error::account_deleted)??.relationship;
            let is_blocked = relationship.is_blocked();
            let job = Job::WithdrawBetween { user, other };
            Ok::<_, Error>(if is_blocked { Some(enqueue(tx, job, now).await?) } else { None })
        })
        .await?;
    run(app, job).await;
    Ok(())
}

/// Runs an act of `user` in a group.
async fn run_act(
    app: &App,
    user: UserId,
    other: UserId,
    action: fn(Approval) -> FollowAction,
) -> Result<FollowChange> {
    let act = FollowAct::new(user, other, action, app.clock.now());
    app.combiner.run(&app.db, act).await
}

/// Lists follows of `owner`, who must exist for `user`, with the counts of `owner`.
async fn list_with_counts(
    app: &App,
    user: UserId,
    owner: UserId,
    query: FollowQuery,
) -> Result<(Page<FollowListItem>, FollowCounts)> {
    app.read_replica(async |mut conn| {
        let counts = find_counts(conn.clone(), user, owner);
        try_join(async { Ok(conn.follows().list(query.clone()).await?) }, counts).await
    })
    .await
}

async fn find_counts(mut conn: Reader, user: UserId, owner: UserId) -> Result<FollowCounts> {
    let mut other = conn.clone();
    let exists =
        async { Ok(user == owner || other.users().exists_for(Viewer::User(user), owner).await?) };
    let (exists, counts) = try_join(exists, conn.follows().count(owner)).await?;
    counts.filter(|_| exists).ok_or_else(|| Resource::User.not_found(owner))
}

fn require_other(user: UserId, other: UserId, reason: &'static str) -> Result<()> {
    if user == other { Err(ValidationError::act("id", reason).into()) } else { Ok(()) }
}
