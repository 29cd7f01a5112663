//! Which user an access token belonged to when it was last looked up.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use grateful_domain::UserId;
use grateful_storage::TokenHash;

/// The users of recently used access tokens. It only says for which user a read can start while the session is being looked
/// up: the look-up decides whether the token is valid.
///
/// Bounded: when the newer half is full, it replaces the older one.
#[derive(Default)]
pub struct KnownTokens(Mutex<Halves>);

#[derive(Default)]
struct Halves {
    newer: HashMap<TokenHash, UserId>,
    older: HashMap<TokenHash, UserId>,
}

/// The maximum number of tokens in a half: both take less than a megabyte.
const MAX_PER_HALF: usize = 5_000;

impl KnownTokens {
    /// The user that the token belonged to.
    pub(crate) fn user_of(&self, token: TokenHash) -> Option<UserId> {
        let mut halves = self.halves();
        if let Some(user) = halves.newer.get(&token) {
            return Some(*user);
        }
        let user = halves.older.get(&token).copied()?;
        halves.insert(token, user);
        Some(user)
    }

    /// Notes the user of a token that was looked up.
    pub(crate) fn insert(&self, token: TokenHash, user: UserId) {
        let mut halves = self.halves();
        if halves.newer.get(&token) != Some(&user) {
            halves.insert(token, user);
        }
    }

    /// Forgets a token that is not valid, or not any more.
    pub(crate) fn remove(&self, token: TokenHash) {
        let mut halves = self.halves();
        halves.newer.remove(&token);
        halves.older.remove(&token);
    }

    fn halves(&self) -> MutexGuard<'_, Halves> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Halves {
    fn insert(&mut self, token: TokenHash, user: UserId) {
        if MAX_PER_HALF <= self.newer.len() {
            self.older = std::mem::take(&mut self.newer);
        }
        self.newer.insert(token, user);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_tokens_make_room_for_new_ones_and_used_ones_stay() {
        let known = KnownTokens::default();
        let token = |number: usize| {
            let mut hash = [0; 32];
            hash[..8].copy_from_slice(&number.to_be_bytes());
            TokenHash(hash)
        };
        for number in 0..3 * MAX_PER_HALF {
            known.insert(token(number), UserId::from(7));
            assert_eq!(known.user_of(token(0)), Some(UserId::from(7)));
        }

        assert_eq!(known.user_of(token(1)), None);
        let halves = known.halves();
        assert!(halves.newer.len() + halves.older.len() <= 2 * MAX_PER_HALF);
    }

    #[test]
    fn a_token_that_moved_to_another_user_belongs_to_that_one() {
        let known = KnownTokens::default();
        known.insert(TokenHash([1; 32]), UserId::from(7));
        known.insert(TokenHash([1; 32]), UserId::from(8));

        assert_eq!(known.user_of(TokenHash([1; 32])), Some(UserId::from(8)));
    }
}
