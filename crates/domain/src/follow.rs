//! Who follows whom, who asked to, and who has blocked whom (rules §7).

use chrono::{DateTime, Utc};
use thiserror::Error;

use crate::{FollowId, Person, Position, UserId, Username};

/// What one person is to another: the edge from the first to the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Edge {
    /// Nothing.
    None,
    /// The first has asked to follow the second.
    Pending,
    /// The first follows the second.
    Active,
    /// The second has blocked the first.
    Blocked,
}

/// A code that names no edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be one of pending, active, blocked")]
pub struct UnknownEdge;

impl Edge {
    /// Every edge.
    pub const ALL: [Self; 4] = [Self::None, Self::Pending, Self::Active, Self::Blocked];

    /// The name under which it is stored and sent; where there is nothing, there is no name.
    pub const fn code(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Pending => Some("pending"),
            Self::Active => Some("active"),
            Self::Blocked => Some("blocked"),
        }
    }

    /// The edge with this code.
    ///
    /// # Errors
    /// No edge is called so; [`Edge::None`] has no name.
    pub fn from_code(code: &str) -> Result<Self, UnknownEdge> {
        Self::ALL.into_iter().find(|edge| edge.code() == Some(code)).ok_or(UnknownEdge)
    }
}

/// What two people are to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Relation {
    /// From the one who asks or acts to the other.
    pub there: Edge,
    /// From the other back.
    pub back: Edge,
}

impl Relation {
    /// That they have nothing to do with each other.
    pub const STRANGERS: Self = Self { there: Edge::None, back: Edge::None };

    /// Whether a block stands between them, whoever put it up.
    pub fn is_blocked(self) -> bool {
        self.there == Edge::Blocked || self.back == Edge::Blocked
    }
}

/// What one person does about another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FollowAct {
    /// Follows them, or asks to where they approve their followers.
    Follow(Approval),
    /// Follows them no more, or asks no more.
    Unfollow,
    /// Lets them follow, who asked to.
    Accept,
    /// Does not let them follow, who asked to.
    Decline,
    /// Wants nothing to do with them.
    Block,
    /// Takes one's own block back.
    Unblock,
}

/// Whether somebody is asked before others follow them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Approval {
    /// Whoever wants to follows.
    NotAsked,
    /// They decide.
    Asked,
}

/// Why nothing came of an act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[error("{}", self.reason())]
pub enum FollowRefusal {
    /// It is there already.
    Following,
    /// It was asked already.
    Requested,
    /// A block stands between them.
    Blocked,
    /// There is nothing to end.
    NotFollowing,
    /// There is nothing to answer.
    NotRequested,
}

impl FollowRefusal {
    /// In words for the person who acted.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Following => "Already following this user",
            Self::Requested => "Follow request already pending",
            Self::Blocked => "Cannot follow this user",
            Self::NotFollowing => "Not following this user",
            Self::NotRequested => "No such follow request",
        }
    }
}

/// What two people are to each other after one of them did something about the other. A repeated block or its repeated
/// end changes nothing; everything else that changes nothing is refused.
///
/// # Errors
/// Why nothing changes.
pub fn relate(act: FollowAct, before: Relation) -> Result<Relation, FollowRefusal> {
    use Edge::{Active, Blocked, None, Pending};

    let Relation { there, back } = before;
    match act {
        FollowAct::Follow(_) if before.is_blocked() => Err(FollowRefusal::Blocked),
        FollowAct::Follow(approval) => match there {
            Active => Err(FollowRefusal::Following),
            Pending => Err(FollowRefusal::Requested),
            None | Blocked => {
                let there = if approval == Approval::Asked { Pending } else { Active };
                Ok(Relation { there, back })
            }
        },
        FollowAct::Unfollow => match there {
            Active | Pending => Ok(Relation { there: None, back }),
            None | Blocked => Err(FollowRefusal::NotFollowing),
        },
        FollowAct::Accept => match back {
            Pending => Ok(Relation { there, back: Active }),
            None | Active | Blocked => Err(FollowRefusal::NotRequested),
        },
        FollowAct::Decline => match back {
            Pending => Ok(Relation { there, back: None }),
            None | Active | Blocked => Err(FollowRefusal::NotRequested),
        },
        FollowAct::Block => {
            // The other's block is theirs to lift.
            let there = if there == Blocked { Blocked } else { None };
            Ok(Relation { there, back: Blocked })
        }
        FollowAct::Unblock => {
            let back = if back == Blocked { None } else { back };
            Ok(Relation { there, back })
        }
    }
}

/// An edge that was just made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Follow {
    pub id: FollowId,
    pub follower: UserId,
    pub followed: UserId,
    pub edge: Edge,
    pub created_at: DateTime<Utc>,
}

/// Somebody in a list of those who follow, are followed, have asked or are blocked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub person: Person,
    /// Its place in the list: since when it is so.
    pub position: Position,
    /// Whether whoever looks follows them.
    pub is_followed: bool,
}

/// Somebody whom one might know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    pub person: Person,
    /// How many of those whom one follows follow them.
    pub mutual_count: i64,
    /// Up to three of those.
    pub mutuals: Vec<Username>,
}

#[cfg(test)]
mod tests {
    use super::Edge::{Active, Blocked, None, Pending};
    use super::*;

    const FOLLOW: FollowAct = FollowAct::Follow(Approval::NotAsked);
    const ASK: FollowAct = FollowAct::Follow(Approval::Asked);

    fn after(act: FollowAct, there: Edge, back: Edge) -> Result<(Edge, Edge), FollowRefusal> {
        relate(act, Relation { there, back }).map(|it| (it.there, it.back))
    }

    /// What becomes of the edge to the other, whatever the edge back is, as long as no block stands between them.
    #[test]
    fn each_edge_to_somebody_has_one_outcome_for_each_act() {
        for back in [None, Pending, Active] {
            for (there, act, edge) in [
                (None, FOLLOW, Ok(Active)),
                (Pending, FOLLOW, Err(FollowRefusal::Requested)),
                (Active, FOLLOW, Err(FollowRefusal::Following)),
                (None, ASK, Ok(Pending)),
                (Pending, ASK, Err(FollowRefusal::Requested)),
                (Active, ASK, Err(FollowRefusal::Following)),
                (None, FollowAct::Unfollow, Err(FollowRefusal::NotFollowing)),
                (Pending, FollowAct::Unfollow, Ok(None)),
                (Active, FollowAct::Unfollow, Ok(None)),
                (None, FollowAct::Unblock, Ok(None)),
                (Pending, FollowAct::Unblock, Ok(Pending)),
                (Active, FollowAct::Unblock, Ok(Active)),
            ] {
                let expected = edge.map(|edge| (edge, back));
                assert_eq!(after(act, there, back), expected, "{act:?} {there:?} {back:?}");
            }
        }
    }

    /// What becomes of the edge from the other, whatever the edge to them is.
    #[test]
    fn each_edge_from_somebody_has_one_outcome_for_each_answer() {
        for there in Edge::ALL {
            for (back, act, edge) in [
                (None, FollowAct::Accept, Err(FollowRefusal::NotRequested)),
                (Pending, FollowAct::Accept, Ok(Active)),
                (Active, FollowAct::Accept, Err(FollowRefusal::NotRequested)),
                (Blocked, FollowAct::Accept, Err(FollowRefusal::NotRequested)),
                (None, FollowAct::Decline, Err(FollowRefusal::NotRequested)),
                (Pending, FollowAct::Decline, Ok(None)),
                (Active, FollowAct::Decline, Err(FollowRefusal::NotRequested)),
                (Blocked, FollowAct::Decline, Err(FollowRefusal::NotRequested)),
                (Blocked, FollowAct::Unblock, Ok(None)),
            ] {
                let expected = edge.map(|edge| (there, edge));
                assert_eq!(after(act, there, back), expected, "{act:?} {there:?} {back:?}");
            }
        }
    }

    #[test]
    fn nobody_follows_across_a_block() {
        for act in [FOLLOW, ASK] {
            for other in Edge::ALL {
                assert_eq!(after(act, Blocked, other), Err(FollowRefusal::Blocked));
                assert_eq!(after(act, other, Blocked), Err(FollowRefusal::Blocked));
            }
        }
    }

    #[test]
    fn unfollowing_and_asking_no_more_never_lift_a_block() {
        for back in Edge::ALL {
            let refused = after(FollowAct::Unfollow, Blocked, back);
            assert_eq!(refused, Err(FollowRefusal::NotFollowing), "{back:?}");
            let unfollowed = after(FollowAct::Unfollow, Active, Blocked);
            assert_eq!(unfollowed, Ok((None, Blocked)));
        }
    }

    #[test]
    fn a_block_ends_what_there_was_both_ways_and_leaves_the_others_block_alone() {
        for (there, after_it) in [(None, None), (Pending, None), (Active, None), (Blocked, Blocked)]
        {
            for back in Edge::ALL {
                assert_eq!(after(FollowAct::Block, there, back), Ok((after_it, Blocked)));
            }
        }
    }

    #[test]
    fn only_who_blocked_lifts_a_block() {
        for back in [None, Pending, Active] {
            assert_eq!(after(FollowAct::Unblock, Blocked, back), Ok((Blocked, back)));
        }
    }

    #[test]
    fn every_code_leads_back_to_its_edge() {
        for edge in Edge::ALL {
            assert_eq!(edge.code().map(Edge::from_code), edge.code().map(|_| Ok(edge)));
        }
        assert_eq!(Edge::from_code("none"), Err(UnknownEdge));
    }
}
