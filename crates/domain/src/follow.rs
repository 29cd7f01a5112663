//! Follows, follow requests and blocks (docs/rules.md#follows-and-blocks).

use chrono::{DateTime, Utc};
use thiserror::Error;

use crate::{Approval, FollowId, Position, UserId, UserListItem, Username, closed_enum};

closed_enum! {
    /// The state from one user (the follower) to another (the followed user).
    #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
    pub enum FollowState {
        /// No follow, no request and no block.
        None,
        /// The follower has sent a request that is not answered yet.
        Pending,
        /// The follower follows the other user.
        Active,
        /// The followed user has blocked the follower.
        Blocked,
    }
}

impl FollowState {
    /// The stable code. [`FollowState::None`] has none.
    pub const fn code(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Pending => Some("pending"),
            Self::Active => Some("active"),
            Self::Blocked => Some("blocked"),
        }
    }

    /// Looks up the state with this code. `None` if no state has it.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == Some(code))
    }
}

/// The follow states between a user and another user, in both directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Relationship {
    /// From the user who asks or acts to the other user.
    pub outgoing: FollowState,
    /// From the other user to the user who asks or acts.
    pub incoming: FollowState,
}

/// The follow counts of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FollowCounts {
    /// The number of followers.
    pub followers: i64,
    /// The number of followed users.
    pub following: i64,
    /// The number of pending requests by others.
    pub requests_received: i64,
    /// The number of pending requests to others.
    pub requests_sent: i64,
}

impl Relationship {
    /// Nothing in either direction.
    pub const NONE: Self = Self { outgoing: FollowState::None, incoming: FollowState::None };

    /// Whether either user has blocked the other.
    pub fn is_blocked(self) -> bool {
        self.outgoing == FollowState::Blocked || self.incoming == FollowState::Blocked
    }
}

/// What a user does about another user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FollowAction {
    /// Follows the other user, or sends a request if the other user approves followers.
    Follow(Approval),
    /// Stops following, or cancels a pending request.
    Unfollow,
    /// Accepts the other user's request.
    Accept,
    /// Declines the other user's request.
    Decline,
    /// Ends the other user's follow. A pending request stays: it is declined.
    RemoveFollower,
    /// Blocks the other user.
    Block,
    /// Removes the user's own block.
    Unblock,
}

/// Why a [`FollowAction`] is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[error("{}", self.reason())]
pub enum FollowError {
    /// The user follows the other user already.
    AlreadyFollowing,
    /// The user has a pending request already.
    AlreadyRequested,
    /// One of the two has blocked the other.
    Blocked,
    /// There is no follow or request to end.
    NotFollowing,
    /// There is no request to answer.
    NoSuchRequest,
    /// The other user does not follow the user.
    NotFollowed,
}

impl FollowError {
    /// The message for the user who acted.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::AlreadyFollowing => "Already following this user",
            Self::AlreadyRequested => "Follow request already pending",
            Self::Blocked => "Cannot follow this user",
            Self::NotFollowing => "Not following this user",
            Self::NoSuchRequest => "No such follow request",
            Self::NotFollowed => "Not followed by this user",
        }
    }
}

/// Computes the relationship after a user's action. Repeating a block or an unblock changes nothing and succeeds; any
/// other action that would change nothing is rejected.
///
/// # Errors
/// Why the action is rejected.
pub fn apply_follow_action(
    action: FollowAction,
    before: Relationship,
) -> Result<Relationship, FollowError> {
    use FollowState::{Active, Blocked, None, Pending};

    let Relationship { outgoing, incoming } = before;
    match action {
        FollowAction::Follow(_) if before.is_blocked() => Err(FollowError::Blocked),
        FollowAction::Follow(approval) => match outgoing {
            Active => Err(FollowError::AlreadyFollowing),
            Pending => Err(FollowError::AlreadyRequested),
            None | Blocked => {
                let outgoing = if approval == Approval::Required { Pending } else { Active };
                Ok(Relationship { outgoing, incoming })
            }
        },
        FollowAction::Unfollow => match outgoing {
            Active | Pending => Ok(Relationship { outgoing: None, incoming }),
            None | Blocked => Err(FollowError::NotFollowing),
        },
        FollowAction::Accept => match incoming {
            Pending => Ok(Relationship { outgoing, incoming: Active }),
            None | Active | Blocked => Err(FollowError::NoSuchRequest),
        },
        FollowAction::Decline => match incoming {
            Pending => Ok(Relationship { outgoing, incoming: None }),
            None | Active | Blocked => Err(FollowError::NoSuchRequest),
        },
        FollowAction::RemoveFollower => match incoming {
            Active => Ok(Relationship { outgoing, incoming: None }),
            None | Pending | Blocked => Err(FollowError::NotFollowed),
        },
        FollowAction::Block => {
            // Only the other user can remove their own block.
            let outgoing = if outgoing == Blocked { Blocked } else { None };
            Ok(Relationship { outgoing, incoming: Blocked })
        }
        FollowAction::Unblock => {
            let incoming = if incoming == Blocked { None } else { incoming };
            Ok(Relationship { outgoing, incoming })
        }
    }
}

/// A follow, a follow request or a block between two users, as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Follow {
    pub id: FollowId,
    pub follower: UserId,
    pub followed: UserId,
    pub state: FollowState,
    pub created_at: DateTime<Utc>,
}

/// A user in a list of followers, followed users, follow requests or blocks.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FollowListItem {
    pub user: UserListItem,
    /// Its position in the list, by the time when the follow, request or block was created.
    pub position: Position,
    /// Whether the viewer follows this user.
    pub is_followed: bool,
}

/// A suggestion of a user to follow.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Suggestion {
    pub user: UserListItem,
    /// How many users that the viewer follows also follow this user.
    pub mutual_count: i64,
    /// Up to three of those users.
    pub mutuals: Vec<Username>,
}

#[cfg(test)]
mod tests {
    use super::FollowState::{Active, Blocked, None, Pending};
    use super::*;

    const FOLLOW: FollowAction = FollowAction::Follow(Approval::NotRequired);
    const REQUEST: FollowAction = FollowAction::Follow(Approval::Required);

    fn after(
        action: FollowAction,
        outgoing: FollowState,
        incoming: FollowState,
    ) -> Result<(FollowState, FollowState), FollowError> {
        apply_follow_action(action, Relationship { outgoing, incoming })
            .map(|relationship| (relationship.outgoing, relationship.incoming))
    }

    /// Holds for every incoming state except a block.
    #[test]
    fn follow_unfollow_and_unblock_have_one_result_per_outgoing_state() {
        for incoming in [None, Pending, Active] {
            for (outgoing, action, state) in [
                (None, FOLLOW, Ok(Active)),
                (Pending, FOLLOW, Err(FollowError::AlreadyRequested)),
                (Active, FOLLOW, Err(FollowError::AlreadyFollowing)),
                (None, REQUEST, Ok(Pending)),
                (Pending, REQUEST, Err(FollowError::AlreadyRequested)),
                (Active, REQUEST, Err(FollowError::AlreadyFollowing)),
                (None, FollowAction::Unfollow, Err(FollowError::NotFollowing)),
                (Pending, FollowAction::Unfollow, Ok(None)),
                (Active, FollowAction::Unfollow, Ok(None)),
                (None, FollowAction::Unblock, Ok(None)),
                (Pending, FollowAction::Unblock, Ok(Pending)),
                (Active, FollowAction::Unblock, Ok(Active)),
            ] {
                let expected = state.map(|state| (state, incoming));
                let actual = after(action, outgoing, incoming);
                assert_eq!(actual, expected, "{action:?} {outgoing:?} {incoming:?}");
            }
        }
    }

    /// Holds for every outgoing state.
    #[test]
    fn actions_on_the_other_users_follow_have_one_result_per_incoming_state() {
        for outgoing in FollowState::ALL {
            for (incoming, action, state) in [
                (None, FollowAction::Accept, Err(FollowError::NoSuchRequest)),
                (Pending, FollowAction::Accept, Ok(Active)),
                (Active, FollowAction::Accept, Err(FollowError::NoSuchRequest)),
                (Blocked, FollowAction::Accept, Err(FollowError::NoSuchRequest)),
                (None, FollowAction::Decline, Err(FollowError::NoSuchRequest)),
                (Pending, FollowAction::Decline, Ok(None)),
                (Active, FollowAction::Decline, Err(FollowError::NoSuchRequest)),
                (Blocked, FollowAction::Decline, Err(FollowError::NoSuchRequest)),
                (None, FollowAction::RemoveFollower, Err(FollowError::NotFollowed)),
                (Pending, FollowAction::RemoveFollower, Err(FollowError::NotFollowed)),
                (Active, FollowAction::RemoveFollower, Ok(None)),
                (Blocked, FollowAction::RemoveFollower, Err(FollowError::NotFollowed)),
                (Blocked, FollowAction::Unblock, Ok(None)),
            ] {
                let expected = state.map(|state| (outgoing, state));
                let actual = after(action, outgoing, incoming);
                assert_eq!(actual, expected, "{action:?} {outgoing:?} {incoming:?}");
            }
        }
    }

    #[test]
    fn no_user_can_follow_across_a_block() {
        for action in [FOLLOW, REQUEST] {
            for other in FollowState::ALL {
                assert_eq!(after(action, Blocked, other), Err(FollowError::Blocked));
                assert_eq!(after(action, other, Blocked), Err(FollowError::Blocked));
            }
        }
    }

    #[test]
    fn unfollowing_or_cancelling_a_request_never_removes_a_block() {
        for incoming in FollowState::ALL {
            let rejected = after(FollowAction::Unfollow, Blocked, incoming);
            assert_eq!(rejected, Err(FollowError::NotFollowing), "{incoming:?}");
            let unfollowed = after(FollowAction::Unfollow, Active, Blocked);
            assert_eq!(unfollowed, Ok((None, Blocked)));
        }
    }

    #[test]
    fn a_block_removes_both_edges_but_not_the_other_users_block() {
        for (outgoing, remaining) in
            [(None, None), (Pending, None), (Active, None), (Blocked, Blocked)]
        {
            for incoming in FollowState::ALL {
                let blocked = after(FollowAction::Block, outgoing, incoming);
                assert_eq!(blocked, Ok((remaining, Blocked)));
            }
        }
    }

    #[test]
    fn only_the_user_who_blocked_can_unblock() {
        for incoming in [None, Pending, Active] {
            let unblocked = after(FollowAction::Unblock, Blocked, incoming);
            assert_eq!(unblocked, Ok((Blocked, incoming)));
        }
    }

    #[test]
    fn every_code_parses_to_its_state() {
        for state in FollowState::ALL {
            let parsed = state.code().map(FollowState::from_code);
            assert_eq!(parsed, state.code().map(|_| Some(state)));
        }
        assert_eq!(FollowState::from_code("none"), Option::None);
    }
}
