//! What users do about each other, for any number of users in one transaction.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use futures_util::future::join;
use grateful_domain::notification::{Act, Cause, EventDetails, InboxUpdate};
use grateful_domain::{
    Approval, Author, Follow, FollowAction, FollowError, FollowId, FollowState, Relationship,
    UserId, apply_follow_action,
};
use grateful_storage::{Connection, Repositories};

use crate::combiner::{ActPlace, GroupedAct};
use crate::notify::{event, update_inboxes};
use crate::{Error, Resource, Result, new_id};

/// What a user does about another user.
pub(super) struct FollowAct {
    /// The id of the follow or request that the act may create.
    id: FollowId,
    user: UserId,
    other: UserId,
    /// The action. A follow depends on whether the other user approves followers.
    action: fn(Approval) -> FollowAction,
    at: DateTime<Utc>,
}

/// The result of a [`FollowAct`].
pub(super) struct FollowChange {
    pub(super) relationship: Relationship,
    /// The state from the user to the other user.
    pub(super) follow: Follow,
    pub(super) user: Author,
    pub(super) other: Option<Author>,
}

impl FollowAct {
    pub(super) fn new(
        user: UserId,
        other: UserId,
        action: fn(Approval) -> FollowAction,
        at: DateTime<Utc>,
    ) -> Self {
        Self { id: new_id(at).into(), user, other, action, at }
    }
}

impl GroupedAct for FollowAct {
    type Output = FollowChange;
    type Locked = Changes;

    const NAME: &'static str = "follow";

    fn place(&self) -> ActPlace {
        ActPlace::of_relationship(self.user, self.other)
    }

    async fn lock(tx: &Connection, acts: &[Self]) -> Result<Changes> {
        let users: Vec<UserId> = acts.iter().flat_map(|act| [act.user, act.other]).collect();
        let pairs: Vec<_> = acts.iter().map(|act| (act.user, act.other)).collect();
        let (mut locking, mut reading) = (tx, tx);
        let (users, relationships) = join(
            locking.users().lock_all(&users),
            reading.follows().find_relationships_between(&pairs),
        )
        .await;
        let (users, relationships) = (users?, relationships?);
        Ok(Changes { users, relationships, edges: vec![], updates: vec![] })
    }

    async fn run(
        tx: &mut Connection,
        acts: &[Self],
        mut changes: Changes,
    ) -> Result<Vec<Result<FollowChange>>> {
        let mut results: Vec<_> = acts.iter().map(|act| changes.add(act)).collect();
        let Changes { edges, updates, .. } = changes;
        if !edges.is_empty() {
            let stored = tx.follows().set_states(&edges).await?;
            let stored: BTreeMap<_, _> =
                stored.into_iter().map(|it| ((it.follower, it.followed), it)).collect();
            for change in results.iter_mut().flatten() {
                let edge = (change.follow.follower, change.follow.followed);
                if let Some(stored) = stored.get(&edge) {
                    change.follow = stored.clone();
                }
            }
        }
        update_inboxes(tx, updates).await?;
        Ok(results)
    }
}

/// The changes of a group, whose acts are about different pairs of users.
pub(super) struct Changes {
    users: HashMap<UserId, (Author, Approval)>,
    relationships: HashMap<(UserId, UserId), Relationship>,
    /// The states that change, as [`Follows::set_states`](grateful_storage::Follows::set_states) takes them.
    edges: Vec<(FollowState, Follow)>,
    updates: Vec<InboxUpdate>,
}

impl Changes {
    fn add(&mut self, act: &FollowAct) -> Result<FollowChange> {
        let FollowAct { id, user, other, at, .. } = *act;
        let (author, _) = self.users.get(&user).cloned().ok_or_else(Error::account_deleted)?;
        let found = self.users.get(&other).cloned();
        let approval = found.as_ref().map_or(Approval::Required, |(_, approval)| *approval);
        let action = (act.action)(approval);
        if let (FollowAction::Follow(_) | FollowAction::Block | FollowAction::Unblock, None) =
            (action, &found)
        {
            return Err(Resource::User.not_found(other));
        }
        let before = self.relationships.get(&(user, other)).copied();
        let before = before.unwrap_or(Relationship::NONE);
        let after = apply_follow_action(action, before).map_err(error_for)?;
        let follow =
            Follow { id, follower: user, followed: other, state: after.outgoing, created_at: at };
        if before.outgoing != after.outgoing {
            self.edges.push((before.outgoing, follow.clone()));
        }
        if before.incoming != after.incoming {
            let incoming = Follow {
                id: new_id(at).into(),
                follower: other,
                followed: user,
                state: after.incoming,
                created_at: at,
            };
            self.edges.push((before.incoming, incoming));
        }
        self.updates.extend(updates(act, action, after));
        let other = found.map(|(author, _)| author);
        Ok(FollowChange { relationship: after, follow, user: author, other })
    }
}

/// What an act changes in the inboxes of the two users.
fn updates(act: &FollowAct, action: FollowAction, after: Relationship) -> Vec<InboxUpdate> {
    let FollowAct { user, other, at, .. } = *act;
    match action {
        FollowAction::Follow(_) => {
            let is_active = after.outgoing == FollowState::Active;
            let act = if is_active { Act::Follow } else { Act::FollowRequest };
            let cause = Cause { recipient: other, actor: user, act };
            vec![InboxUpdate::Record(event(cause, EventDetails::default(), at))]
        }
        FollowAction::Unfollow => withdrawals(user, other, at).to_vec(),
        FollowAction::Decline | FollowAction::RemoveFollower => {
            withdrawals(other, user, at).to_vec()
        }
        FollowAction::Accept => updates_of_acceptance(user, other, at).to_vec(),
        // A block has ended these follows, so their notifications go with it, even if it is removed before the job runs.
        FollowAction::Block | FollowAction::Unblock if after.is_blocked() => {
            [withdrawals(user, other, at), withdrawals(other, user, at)].concat()
        }
        FollowAction::Block | FollowAction::Unblock => vec![],
    }
}

/// Withdraws all notifications about a follow or a request of `from`.
fn withdrawals(from: UserId, to: UserId, at: DateTime<Utc>) -> [InboxUpdate; 3] {
    let cause = |act| Cause { recipient: to, actor: from, act };
    let acceptance = Cause { recipient: from, actor: to, act: Act::FollowAcceptance };
    [cause(Act::Follow), cause(Act::FollowRequest), acceptance]
        .map(|cause| InboxUpdate::Withdraw { cause, at })
}

/// Withdraws the notification of a request that `user` accepts, and notifies the requester.
pub(super) fn updates_of_acceptance(
    user: UserId,
    requester: UserId,
    at: DateTime<Utc>,
) -> [InboxUpdate; 2] {
    let request = Cause { recipient: user, actor: requester, act: Act::FollowRequest };
    let acceptance = Cause { recipient: requester, actor: user, act: Act::FollowAcceptance };
    [
        InboxUpdate::Withdraw { cause: request, at },
        InboxUpdate::Record(event(acceptance, EventDetails::default(), at)),
    ]
}

fn error_for(error: FollowError) -> Error {
    let reason = error.reason();
    match error {
        FollowError::AlreadyFollowing | FollowError::AlreadyRequested => {
            Error::AlreadyExists { resource: Resource::Follow, reason }
        }
        FollowError::Blocked => {
            Error::Forbidden { action: "follow", resource: Resource::User, reason }
        }
        FollowError::NotFollowing | FollowError::NotFollowed => {
            Error::NotFound { resource: Resource::Follow, id: None }
        }
        FollowError::NoSuchRequest => {
            Error::NotFound { resource: Resource::FollowRequest, id: None }
        }
    }
}
