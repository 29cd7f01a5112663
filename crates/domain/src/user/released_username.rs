//! Usernames without an owner that are reserved for a while.

use chrono::{DateTime, TimeDelta, Utc};

use crate::UserId;

/// A username that its owner gave up, or whose account was deleted (docs/rules.md#usernames-that-are-given-up).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReleasedUsername {
    /// The user who had the name. `None` if the account was deleted.
    pub former_owner: Option<UserId>,
    /// When the name was given up.
    pub released_at: DateTime<Utc>,
}

impl ReleasedUsername {
    /// How long only the former owner can take the name.
    pub const RESERVATION: TimeDelta = TimeDelta::days(30);

    /// Whether a user can take the name. `taker` is `None` for a new account.
    pub fn can_be_taken(&self, taker: Option<UserId>, now: DateTime<Utc>) -> bool {
        let is_former_owner = self.former_owner.is_some() && self.former_owner == taker;
        is_former_owner || Self::RESERVATION <= now - self.released_at
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::a_new_account(Some(1), None, false)]
    #[case::another_user(Some(1), Some(2), false)]
    #[case::the_former_owner(Some(1), Some(1), true)]
    #[case::a_new_account_after_a_deletion(None, None, false)]
    #[case::a_user_after_a_deletion(None, Some(1), false)]
    fn a_name_is_reserved_for_its_former_owner_for_thirty_days(
        #[case] former_owner: Option<i64>,
        #[case] taker: Option<i64>,
        #[case] is_allowed: bool,
    ) {
        let former_owner = former_owner.map(UserId::from);
        let name = ReleasedUsername { former_owner, released_at: DateTime::UNIX_EPOCH };
        let can_be_taken_after =
            |age| name.can_be_taken(taker.map(UserId::from), DateTime::UNIX_EPOCH + age);

        assert_eq!(can_be_taken_after(TimeDelta::zero()), is_allowed);
        assert_eq!(can_be_taken_after(TimeDelta::seconds(-1)), is_allowed);
        assert_eq!(can_be_taken_after(TimeDelta::days(30) - TimeDelta::seconds(1)), is_allowed);
        assert!(can_be_taken_after(TimeDelta::days(30)));
    }
}
