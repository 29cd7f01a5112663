//! Follows, requests and blocks.

use chrono::{DateTime, Utc};
use grateful_domain::{Follow, FollowId, FollowState, UserId};

use crate::ids;
use crate::report::{Notes, Skipped};
use crate::text::{self, quoted};
use crate::world::World;

/// A row of the older `follows`.
#[derive(Debug, Clone, Default)]
pub(crate) struct OldFollow {
    pub(crate) id: String,
    pub(crate) follower: i64,
    pub(crate) followed: i64,
    pub(crate) status: String,
    pub(crate) created_at: Option<DateTime<Utc>>,
}

/// The state of a row. `None` if its status means nothing here.
pub(crate) fn state(status: &str) -> Option<FollowState> {
    FollowState::from_code(&status.trim().to_lowercase())
}

/// Mends a follow, a request or a block. The blocks of the world have to be known.
pub(crate) fn mend(old: &OldFollow, world: &World, notes: &mut Notes) -> Result<Follow, Skipped> {
    let OldFollow { follower, followed, .. } = *old;
    let Some(state) = state(&old.status) else {
        return Err(Skipped::because(format!("status {}", quoted(&old.status))));
    };
    let (Some(one), Some(other)) = (world.user(follower), world.user(followed)) else {
        return Err(Skipped::because("one of the two is not there"));
    };
    if follower == followed {
        return Err(Skipped::because("follows oneself"));
    }
    if state != FollowState::Blocked && world.is_blocked(follower, followed) {
        return Err(Skipped::because(format!("a block lies between {follower} and {followed}")));
    }
    if state.code() != Some(old.status.as_str()) {
        let code = state.code().unwrap_or_default();
        notes.add(format!("status {} → {code}", quoted(&old.status)), "letter case");
    }
    if let Some((what, why)) = ids::change(&old.id) {
        notes.add(what, why);
    }
    let created_at = old.created_at.unwrap_or_else(|| {
        notes.add("created_at → when both had joined", "NULL");
        one.created_at.max(other.created_at)
    });
    Ok(Follow {
        id: FollowId::from(ids::of_row(&old.id)),
        follower: UserId::from(follower),
        followed: UserId::from(followed),
        state,
        created_at: text::not_ahead(created_at, world.now, notes),
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(1, 2, "active", Ok(FollowState::Active), &[])]
    #[case(1, 2, "PENDING", Ok(FollowState::Pending), &["status 'PENDING' → pending | letter case"])]
    #[case(2, 3, "blocked", Ok(FollowState::Blocked), &[])]
    #[case(3, 2, "active", Err("a block lies between 3 and 2"), &[])]
    #[case(2, 3, "pending", Err("a block lies between 2 and 3"), &[])]
    #[case(1, 2, "muted", Err("status 'muted'"), &[])]
    #[case(1, 2, "none", Err("status 'none'"), &[])]
    #[case(1, 99, "active", Err("one of the two is not there"), &[])]
    #[case(1, 1, "active", Err("follows oneself"), &[])]
    fn edges_come_over_unless_they_mean_nothing_here(
        #[case] follower: i64,
        #[case] followed: i64,
        #[case] status: &str,
        #[case] expected: Result<FollowState, &str>,
        #[case] lines: &[&str],
    ) {
        let world = World::sample();
        let id = "f3e9a032-c8d3-4928-93a1-80e44f188c03".to_owned();
        let created_at = Some(world.now);
        let old = OldFollow { id, follower, followed, status: status.to_owned(), created_at };
        let mut notes = Notes::default();

        let mended = mend(&old, &world, &mut notes);

        assert_eq!(
            mended.map(|follow| follow.state).map_err(|skipped| skipped.why),
            expected.map_err(str::to_owned)
        );
        assert_eq!(notes.lines(), lines);
    }
}
