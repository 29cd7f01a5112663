#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use grateful_domain::{Password, PasswordHash};
use thiserror::Error;

/// Result of verifying a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordVerification {
    /// The password does not match.
    Failed,
    /// The password matches.
    Success,
    /// The password matches an outdated hash, which the caller should replace.
    SuccessRehashNeeded,
}

/// A password could not be hashed: the operating system provides no randomness.
#[derive(Debug, Clone, Error)]
#[error("a password could not be hashed: {0}")]
pub struct HashError(String);

/// Verified against for unknown accounts, so that they take as long as known ones. The hash of no known password.
const DECOY: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Argon2id with the parameters that OWASP recommends first: 19 MiB, two passes, one lane
/// (<https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html>).
fn argon2id() -> Result<Argon2<'static>, HashError> {
    let params = Params::new(19_456, 2, 1, None).map_err(|error| HashError(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Hashes a password, with a new salt. Takes about 16 ms.
///
/// # Errors
/// The operating system provides no randomness.
pub fn hash(password: &Password) -> Result<PasswordHash, HashError> {
    hash_bytes(password.as_bytes())
}

fn hash_bytes(password: &[u8]) -> Result<PasswordHash, HashError> {
    let hashed = argon2id()?.hash_password(password);
    Ok(hashed.map_err(|error| HashError(error.to_string()))?.to_string().into())
}

/// Verifies a password as it was typed against a stored hash. Without one, it does not match, but takes the same time. A hash
/// of the password before its normalization, which older versions stored, matches too. A malformed hash matches no password.
///
/// Takes twice the time for a password that normalization changes, whether or not an account exists.
pub fn verify(candidate: &str, stored_hash: Option<&PasswordHash>) -> PasswordVerification {
    let stored_hash = stored_hash.map_or(DECOY, PasswordHash::as_str);
    let normalized = Password::normalize(candidate);
    let verification = verify_bytes(normalized.as_bytes(), stored_hash);
    if verification != PasswordVerification::Failed || normalized == candidate {
        return verification;
    }
    match verify_bytes(candidate.as_bytes(), stored_hash) {
        PasswordVerification::Failed => PasswordVerification::Failed,
        _ => PasswordVerification::SuccessRehashNeeded,
    }
}

fn verify_bytes(candidate: &[u8], stored_hash: &str) -> PasswordVerification {
    if stored_hash.starts_with("$2") {
        return match bcrypt::verify(candidate, stored_hash) {
            Ok(true) => PasswordVerification::SuccessRehashNeeded,
            Ok(false) | Err(_) => PasswordVerification::Failed,
        };
    }
    // The parameters come from the hash, so that hashes with older parameters stay valid.
    match Argon2::default().verify_password(candidate, stored_hash) {
        Ok(()) => PasswordVerification::Success,
        Err(_) => PasswordVerification::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::PasswordVerification::{Failed, Success, SuccessRehashNeeded};
    use super::*;

    fn hash_of(text: &str) -> PasswordHash {
        hash(&Password::parse(text).unwrap()).unwrap()
    }

    #[test]
    fn a_password_matches_only_its_own_hash() {
        let stored_hash = hash_of("correct horse");

        assert_eq!(verify("correct horse", Some(&stored_hash)), Success);
        assert_eq!(verify("battery staple", Some(&stored_hash)), Failed);
    }

    #[test]
    fn a_hash_has_the_documented_form() {
        let stored_hash = hash_of("correct horse");

        let parts: Vec<&str> = stored_hash.as_str().split('$').collect();
        assert_eq!(parts[..4], ["", "argon2id", "v=19", "m=19456,t=2,p=1"]);
        // 16 and 32 bytes in base64 without padding.
        assert_eq!([parts[4].len(), parts[5].len(), parts.len()], [22, 43, 6]);
        let other = hash_of("correct horse");
        assert_ne!(other.as_str(), stored_hash.as_str(), "each has a salt of its own");
    }

    #[test]
    fn a_bcrypt_hash_matches_but_needs_a_rehash() {
        let stored_hash = PasswordHash::from(bcrypt::hash("correct horse", 4).unwrap());
        assert!(stored_hash.as_str().starts_with("$2b$"));

        assert_eq!(verify("correct horse", Some(&stored_hash)), SuccessRehashNeeded);
        assert_eq!(verify("battery staple", Some(&stored_hash)), Failed);
        assert_eq!(verify(&"\0".repeat(100), Some(&stored_hash)), Failed);
    }

    #[test]
    fn a_password_matches_however_it_is_composed() {
        let (composed, decomposed) = ("caf\u{e9} au lait", "cafe\u{301} au lait");
        for chosen in [composed, decomposed] {
            let stored_hash = hash_of(chosen);
            for typed in [composed, decomposed] {
                assert_eq!(verify(typed, Some(&stored_hash)), Success, "{chosen} {typed}");
            }
        }
    }

    #[test]
    fn a_hash_of_the_raw_form_matches_but_needs_a_rehash() {
        let decomposed = "cafe\u{301} au lait";
        let argon2id = hash_bytes(decomposed.as_bytes()).unwrap();
        let bcrypt = PasswordHash::from(bcrypt::hash(decomposed, 4).unwrap());

        for stored_hash in [argon2id, bcrypt] {
            assert_eq!(verify(decomposed, Some(&stored_hash)), SuccessRehashNeeded);
            assert_eq!(verify("cafe\u{300} au lait", Some(&stored_hash)), Failed);
        }
    }

    #[test]
    fn an_unknown_account_costs_as_much_as_a_known_one() {
        let new_hash = hash_of("correct horse");
        let parameters = |hash: &str| hash.rsplitn(3, '$').nth(2).map(str::to_owned);

        assert_eq!(parameters(DECOY), parameters(new_hash.as_str()));
        assert_eq!(DECOY.len(), new_hash.as_str().len());
        let verified = Argon2::default().verify_password(b"correct horse", DECOY);
        assert_eq!(verified, Err(argon2::password_hash::Error::PasswordInvalid));
        assert_eq!(verify("correct horse", None), Failed);
    }

    #[test]
    fn a_malformed_hash_matches_no_password() {
        for stored_hash in ["", "$argon2id$", "$2b$", "plain"] {
            let stored_hash = PasswordHash::from(stored_hash.to_owned());
            assert_eq!(verify("plain", Some(&stored_hash)), Failed, "{}", stored_hash.as_str());
        }
    }
}
