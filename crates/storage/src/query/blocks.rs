//! Blocks between users, and deleted accounts, which are hidden from all users.

/// Selects the ids of deleted accounts. Their rows exist until a background job has deleted everything below them.
macro_rules! deleted_accounts {
    () => {
        "SELECT id FROM users WHERE deleted_at IS NOT NULL"
    };
}

pub(crate) use deleted_accounts;

/// Selects the ids of the users who are hidden from this user: across a block, and deleted accounts.
macro_rules! hidden_users {
    ($user:literal) => {
        concat!(
            "SELECT followed_id AS id FROM follows WHERE follower_id = ",
            $user,
            " AND status = 'blocked' UNION ALL SELECT follower_id FROM follows WHERE followed_id = ",
            $user,
            " AND status = 'blocked' UNION ALL ",
            $crate::query::deleted_accounts!()
        )
    };
}

pub(crate) use hidden_users;

/// Selects the users of [`hidden_users`] as one array `ids`. Reads each block of the user once, however often the array is
/// searched; a look-up per pair might read all follows of one of the two.
macro_rules! hidden_user_array {
    ($user:literal) => {
        concat!(
            "SELECT coalesce(array_agg(id), '{}') AS ids FROM (",
            $crate::query::hidden_users!($user),
            ") AS hidden"
        )
    };
}

pub(crate) use hidden_user_array;
