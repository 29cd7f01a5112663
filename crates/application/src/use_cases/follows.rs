//! Following people, being asked, and wanting nothing to do with somebody.

use chrono::{DateTime, Utc};
use grateful_domain::notification::{Act, Cause, EventDetails};
use grateful_domain::{
    Approval, Author, Follow, FollowAction, FollowError, FollowListItem, FollowState, Page,
    PageRequest, Relationship, Suggestion, UserId, ValidationError, Viewer, apply_follow_action,
};
// How many there are is storage's word.
pub use grateful_storage::FollowCounts;
use grateful_storage::{Connection, FollowQuery, Repositories, UserLock};

use crate::notify::{tell, untell};
use crate::{App, Error, Resource, Result, new_id};

/// A new edge, and the people at its ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowWithUsers {
    /// The edge.
    pub follow: Follow,
    /// Who follows, or has asked to.
    pub follower: Author,
    /// Who is followed, or is to decide.
    pub followed: Author,
}

/// Follows somebody, or asks to where they approve their followers.
///
/// # Errors
/// `Invalid` for oneself, `NotFound` for nobody, `AlreadyExists` where it is so already, `Forbidden` across a block.
pub async fn follow(app: &App, user: UserId, other: UserId) -> Result<FollowWithUsers> {
    require_other(user, other, "Cannot follow yourself")?;
    let now = app.clock.now();
    app.db
        .transaction(async |tx| {
            let mut pair = tx.users().lock_all(&[user, other], UserLock::ForFollows).await?;
            let (them, approval) =
                pair.remove(&other).ok_or_else(|| Resource::User.not_found(other))?;
            let (me, _) = pair.remove(&user).ok_or_else(Error::account_deleted)?;
            let before = tx.follows().find_relationship(user, other).await?;
            let after =
                apply_follow_action(FollowAction::Follow(approval), before).map_err(refused)?;
            let made = turn(tx, user, other, before.outgoing, after.outgoing, now).await?;
            let act = if after.outgoing == FollowState::Active {
                Act::Follow
            } else {
                Act::FollowRequest
            };
            let cause = Cause { recipient: other, actor: user, act };
            tell(tx, &[cause], &EventDetails::default(), now).await?;
            Ok(FollowWithUsers { follow: made, follower: me, followed: them })
        })
        .await
}

/// Follows somebody no more, or asks no more.
///
/// # Errors
/// `NotFound` where there is nothing to end; a block is not ended by this.
pub async fn unfollow(app: &App, user: UserId, other: UserId) -> Result<()> {
    let now = app.clock.now();
    app.db
        .transaction(async |tx| {
            tx.users().lock_all(&[user, other], UserLock::ForFollows).await?;
            apply(tx, user, other, FollowAction::Unfollow, now).await?;
            untell_edge(tx, user, other, now).await
        })
        .await
}

/// Lets somebody follow who asked to. They alone are told.
///
/// # Errors
/// `NotFound` where they did not ask.
pub async fn accept_request(app: &App, user: UserId, asker: UserId) -> Result<()> {
    let now = app.clock.now();
    app.db
        .transaction(async |tx| {
            tx.users().lock_all(&[user, asker], UserLock::ForFollows).await?;
            apply(tx, user, asker, FollowAction::Accept, now).await?;
            let request = Cause { recipient: user, actor: asker, act: Act::FollowRequest };
            untell(tx, request, now).await?;
            let cause = Cause { recipient: asker, actor: user, act: Act::FollowAcceptance };
            tell(tx, &[cause], &EventDetails::default(), now).await
        })
        .await
}

/// Lets everybody follow who has asked somebody who asks for it no more, in small steps. Tells how many. Cut short, it is
/// taken up again by [`housekeeping`](crate::housekeeping).
pub(crate) async fn accept_all_requests(app: &App, user: UserId) -> Result<usize> {
    let mut accepted = 0;
    loop {
        let now = app.clock.now();
        match app.db.transaction(async |tx| accept_some_requests(tx, user, now).await).await? {
            Some(some) => accepted += some,
            None => return Ok(accepted),
        }
    }
}

/// How many requests one step answers: few enough that nobody waits for its locks.
const STEP: i64 = 200;

/// Answers some requests, if there are any and they need no answer. Tells how many still stood once they were locked.
async fn accept_some_requests(
    tx: &mut Connection,
    user: UserId,
    now: DateTime<Utc>,
) -> Result<Option<usize>> {
    let askers = tx.follows().list_requesters(user, STEP).await?;
    if askers.is_empty() {
        return Ok(None);
    }
    let people = [&[user], &askers[..]].concat();
    let locked = tx.users().lock_all(&people, UserLock::ForFollows).await?;
    // They may have changed their mind once more.
    if locked.get(&user).is_none_or(|(_, approval)| *approval == Approval::Required) {
        return Ok(None);
    }
    let accepted = tx.follows().accept_requests(user, &askers).await?;
    let requests: Vec<Cause> = accepted
        .iter()
        .map(|asker| Cause { recipient: user, actor: *asker, act: Act::FollowRequest })
        .collect();
    let acceptances: Vec<Cause> = accepted
        .iter()
        .map(|asker| Cause { recipient: *asker, actor: user, act: Act::FollowAcceptance })
        .collect();
    tx.notifications().lock_inboxes(&people).await?;
    tx.notifications().withdraw(&requests, now).await?;
    tell(tx, &acceptances, &EventDetails::default(), now).await?;
    Ok(Some(accepted.len()))
}

/// Does not let somebody follow who asked to. They are not told.
///
/// # Errors
/// `NotFound` where they did not ask.
pub async fn decline_request(app: &App, user: UserId, asker: UserId) -> Result<()> {
    let now = app.clock.now();
    app.db
        .transaction(async |tx| {
            tx.users().lock_all(&[user, asker], UserLock::ForFollows).await?;
            apply(tx, user, asker, FollowAction::Decline, now).await?;
            untell_edge(tx, asker, user, now).await
        })
        .await
}

/// Wants nothing to do with somebody: ends what there was both ways, and takes back what either was told of the other.
/// Again, it changes nothing.
///
/// # Errors
/// `Invalid` for oneself, `NotFound` for nobody.
pub async fn block(app: &App, user: UserId, other: UserId) -> Result<()> {
    require_other(user, other, "Cannot block yourself")?;
    change_block(app, user, other, FollowAction::Block).await
}

/// Takes one's own block back. Where there is none, it changes nothing.
///
/// # Errors
/// `Invalid` for oneself, `NotFound` for nobody.
pub async fn unblock(app: &App, user: UserId, other: UserId) -> Result<()> {
    require_other(user, other, "Cannot block yourself")?;
    change_block(app, user, other, FollowAction::Unblock).await
}

/// What one and another are to each other. It is answered across a block, too.
///
/// # Errors
/// `NotFound` for nobody.
pub async fn get_relationship(app: &App, user: UserId, other: UserId) -> Result<Relationship> {
    let mut conn = app.db.acquire().await?;
    let relation = conn.follows().find_relationships(user, &[other]).await?.remove(&other);
    relation.ok_or_else(|| Resource::User.not_found(other))
}

/// What one and each of these people are to each other, of those who exist.
pub async fn get_relationships(
    app: &App,
    user: UserId,
    others: &[UserId],
) -> Result<Vec<(UserId, Relationship)>> {
    let mut conn = app.db.acquire().await?;
    let mut relations: Vec<_> =
        conn.follows().find_relationships(user, others).await?.into_iter().collect();
    relations.sort_unstable_by_key(|(other, _)| *other);
    Ok(relations)
}

/// Who follows somebody, newest first, and how many that are.
///
/// # Errors
/// `NotFound` where there is no such person, at least not for `user`.
pub async fn list_followers(
    app: &App,
    user: UserId,
    of: UserId,
    page: PageRequest,
) -> Result<(Page<FollowListItem>, i64)> {
    let mut conn = app.db.acquire().await?;
    let counts = counts_of(&mut conn, user, of).await?;
    Ok((
        conn.follows().list(FollowQuery::visible_to(user).followers_of(of).page(page)).await?,
        counts.followers,
    ))
}

/// Whom somebody follows, as [`list_followers`].
pub async fn list_following(
    app: &App,
    user: UserId,
    of: UserId,
    page: PageRequest,
) -> Result<(Page<FollowListItem>, i64)> {
    let mut conn = app.db.acquire().await?;
    let counts = counts_of(&mut conn, user, of).await?;
    Ok((
        conn.follows().list(FollowQuery::visible_to(user).followed_by(of).page(page)).await?,
        counts.following,
    ))
}

/// How many follow somebody, and whom they follow; what is not decided yet is told to themselves only.
///
/// # Errors
/// `NotFound` where there is no such person, at least not for `user`.
pub async fn count(app: &App, user: UserId, of: UserId) -> Result<FollowCounts> {
    let counts = counts_of(&mut *app.db.acquire().await?, user, of).await?;
    Ok(if user == of {
        counts
    } else {
        FollowCounts { requests_received: 0, requests_sent: 0, ..counts }
    })
}

/// Who has asked to follow, newest first, and how many that are.
pub async fn list_requests(
    app: &App,
    user: UserId,
    page: PageRequest,
) -> Result<(Page<FollowListItem>, i64)> {
    let mut conn = app.db.acquire().await?;
    let counts = conn.follows().count(user).await?.ok_or_else(Error::account_deleted)?;
    Ok((
        conn.follows().list(FollowQuery::visible_to(user).received_requests().page(page)).await?,
        counts.requests_received,
    ))
}

/// Whom one has blocked, newest first, and how many that are.
pub async fn list_blocks(
    app: &App,
    user: UserId,
    page: PageRequest,
) -> Result<(Page<FollowListItem>, i64)> {
    let mut conn = app.db.acquire().await?;
    let total = conn.follows().count_blocks(user).await?;
    Ok((conn.follows().list(FollowQuery::visible_to(user).blocks().page(page)).await?, total))
}

/// People whom one might know, at most `most`.
pub async fn list_suggestions(app: &App, user: UserId, most: i64) -> Result<Vec<Suggestion>> {
    Ok(app.db.acquire().await?.follows().list_suggestions(user, most).await?)
}

/// Takes back all that was told of the edge from one to another.
async fn untell_edge(
    tx: &mut Connection,
    from: UserId,
    to: UserId,
    now: DateTime<Utc>,
) -> Result<()> {
    let told = |act| Cause { recipient: to, actor: from, act };
    let answered = Cause { recipient: from, actor: to, act: Act::FollowAcceptance };
    let causes = [told(Act::Follow), told(Act::FollowRequest), answered];
    Ok(tx.notifications().withdraw(&causes, now).await?)
}

async fn change_block(app: &App, user: UserId, other: UserId, act: FollowAction) -> Result<()> {
    let now = app.clock.now();
    app.db
        .transaction(async |tx| {
            let pair = tx.users().lock_all(&[user, other], UserLock::ForBlock).await?;
            if !pair.contains_key(&other) {
                return Err(Resource::User.not_found(other));
            }
            let after = apply(tx, user, other, act, now).await?;
            if after.is_blocked() {
                tx.notifications().withdraw_between(user, other, now).await?;
            }
            Ok(())
        })
        .await
}

/// Turns an edge into what it is to be, where that is something else.
async fn turn(
    tx: &mut Connection,
    from: UserId,
    to: UserId,
    before: FollowState,
    state: FollowState,
    now: DateTime<Utc>,
) -> Result<Follow> {
    let id = new_id(now).into();
    let follow = Follow { id, follower: from, followed: to, state, created_at: now };
    if before == state {
        return Ok(follow);
    }
    Ok(tx.follows().set_state(before, &follow).await?.unwrap_or(follow))
}

/// Does something about somebody: both edges become what the rule says. The rows of both people are locked.
async fn apply(
    tx: &mut Connection,
    user: UserId,
    other: UserId,
    act: FollowAction,
    now: DateTime<Utc>,
) -> Result<Relationship> {
    let before = tx.follows().find_relationship(user, other).await?;
    let after = apply_follow_action(act, before).map_err(refused)?;
    turn(tx, user, other, before.outgoing, after.outgoing, now).await?;
    turn(tx, other, user, before.incoming, after.incoming, now).await?;
    Ok(after)
}

async fn counts_of(conn: &mut Connection, user: UserId, of: UserId) -> Result<FollowCounts> {
    let nobody = || Resource::User.not_found(of);
    if user != of && !conn.users().exists_for(Viewer::User(user), of).await? {
        return Err(nobody());
    }
    conn.follows().count(of).await?.ok_or_else(nobody)
}

fn require_other(user: UserId, other: UserId, reason: &'static str) -> Result<()> {
    if user == other { Err(ValidationError::field("id", reason).into()) } else { Ok(()) }
}

fn refused(refusal: FollowError) -> Error {
    let reason = refusal.reason();
    match refusal {
        FollowError::AlreadyFollowing | FollowError::AlreadyRequested => {
            Error::AlreadyExists { resource: Resource::Follow, reason }
        }
        FollowError::Blocked => {
            Error::Forbidden { action: "follow", resource: Resource::User, reason }
        }
        FollowError::NotFollowing => Error::NotFound { resource: Resource::Follow, id: None },
        FollowError::NoSuchRequest => {
            Error::NotFound { resource: Resource::FollowRequest, id: None }
        }
    }
}
