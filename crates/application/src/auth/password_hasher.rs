//! Password hashing outside the async threads, with bounded concurrency and queue length.

use std::sync::Arc;

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use grateful_domain::{Password, PasswordHash};
use tokio::sync::Semaphore;

use crate::metrics::{
    GaugeGuard, PASSWORD_HASHES_QUEUED, PASSWORD_HASHES_REJECTED, PASSWORD_HASHES_RUNNING,
};
use crate::{Error, Result};

/// Hashes and verifies passwords with argon2id.
///
/// One hash takes 19 MiB and a core for about 16 ms, on purpose. So only a few run at once, the others wait in a bounded
/// queue, and requests that find the queue full are rejected.
pub struct PasswordHasher {
    running: Arc<Semaphore>,
    admitted: Arc<Semaphore>,
}

/// Result of verifying a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PasswordVerification {
    /// The password does not match.
    Failed,
    /// The password matches.
    Success,
    /// The password matches an outdated hash, which the caller should replace.
    SuccessRehashNeeded,
}

impl PasswordHasher {
    /// Queue slots per running hash. At 16 ms per hash, the last in the queue waits about a second.
    const QUEUED_PER_RUNNING: usize = 64;

    /// Creates a hasher that runs `parallel` hashes at once. The number of cores is a good choice.
    pub fn new(parallel: usize) -> Self {
        let parallel = parallel.clamp(1, Semaphore::MAX_PERMITS / (Self::QUEUED_PER_RUNNING + 1));
        Self {
            running: Arc::new(Semaphore::new(parallel)),
            admitted: Arc::new(Semaphore::new(parallel * (Self::QUEUED_PER_RUNNING + 1))),
        }
    }

    /// Hashes a new password.
    ///
    /// # Errors
    /// `Unavailable` if the queue is full.
    pub async fn hash(&self, password: Password) -> Result<PasswordHash> {
        self.run(move || hash(password.as_bytes())).await?
    }

    /// Verifies a password against a stored hash. Without one, it does not match, but takes the same time. A hash of the
    /// password as it was typed, which older versions stored, matches too.
    pub(crate) async fn verify(
        &self,
        candidate: String,
        stored_hash: Option<PasswordHash>,
    ) -> Result<PasswordVerification> {
        let stored_hash = stored_hash.unwrap_or_else(|| DECOY.to_owned().into());
        self.run(move || verify(&candidate, &stored_hash)).await
    }

    /// Runs a job when its turn comes. Its permits are released when the job ends, not when the future is dropped:
    /// dropping does not stop the job.
    async fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let queue_full = || {
            metrics::counter!(PASSWORD_HASHES_REJECTED).increment(1);
            Error::Unavailable("too many passwords are being hashed".into())
        };
        let admitted = Arc::clone(&self.admitted).try_acquire_owned().map_err(|_| queue_full())?;
        let queued = GaugeGuard::new(PASSWORD_HASHES_QUEUED);
        let running = Arc::clone(&self.running).acquire_owned().await.map_err(|_| queue_full())?;
        drop(queued);
        let permits = (admitted, running, GaugeGuard::new(PASSWORD_HASHES_RUNNING));
        let handle = tokio::task::spawn_blocking(move || {
            let output = job();
            drop(permits);
            output
        });
        handle.await.map_err(|panic| Error::Internal(panic.into()))
    }
}

/// Verified against for unknown accounts, so that they take as long as known ones. The hash of no known password.
const DECOY: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Argon2id with the parameters that OWASP recommends first: 19 MiB, two passes, one lane
/// (<https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html>).
fn argon2id() -> Result<Argon2<'static>> {
    let params = Params::new(19_456, 2, 1, None)
        .map_err(|error| Error::Internal(error.to_string().into()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash(password: &[u8]) -> Result<PasswordHash> {
    let hash = argon2id()?
        .hash_password(password)
        .map_err(|error| Error::Internal(error.to_string().into()))?;
    Ok(hash.to_string().into())
}

/// Takes twice the time for a password that normalization changes, whether or not an account exists.
fn verify(candidate: &str, stored_hash: &PasswordHash) -> PasswordVerification {
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

/// A malformed hash matches no password.
fn verify_bytes(candidate: &[u8], stored_hash: &PasswordHash) -> PasswordVerification {
    if stored_hash.as_str().starts_with("$2") {
        return match bcrypt::verify(candidate, stored_hash.as_str()) {
            Ok(true) => PasswordVerification::SuccessRehashNeeded,
            Ok(false) | Err(_) => PasswordVerification::Failed,
        };
    }
    // The parameters come from the hash, so that hashes with older parameters stay valid.
    match Argon2::default().verify_password(candidate, stored_hash.as_str()) {
        Ok(()) => PasswordVerification::Success,
        Err(_) => PasswordVerification::Failed,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use grateful_testkit::MetricsCapture;

    use super::*;

    fn password(text: &str) -> Password {
        Password::parse(text).unwrap()
    }

    #[tokio::test]
    async fn a_password_matches_only_its_own_hash() {
        let hasher = PasswordHasher::new(1);
        let stored_hash = hasher.hash(password("correct horse")).await.unwrap();

        assert!(
            stored_hash.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{}",
            stored_hash.as_str()
        );
        let verify =
            |candidate: &str| hasher.verify(candidate.to_owned(), Some(stored_hash.clone()));
        assert_eq!(verify("correct horse").await.unwrap(), PasswordVerification::Success);
        assert_eq!(verify("battery staple").await.unwrap(), PasswordVerification::Failed);
    }

    #[tokio::test]
    async fn a_bcrypt_hash_matches_but_needs_a_rehash() {
        let hasher = PasswordHasher::new(1);
        let stored_hash = PasswordHash::from(bcrypt::hash("correct horse", 4).unwrap());
        assert!(stored_hash.as_str().starts_with("$2b$"));

        let verify =
            |candidate: &str| hasher.verify(candidate.to_owned(), Some(stored_hash.clone()));
        assert_eq!(
            verify("correct horse").await.unwrap(),
            PasswordVerification::SuccessRehashNeeded
        );
        assert_eq!(verify("battery staple").await.unwrap(), PasswordVerification::Failed);
        assert_eq!(verify(&"\0".repeat(100)).await.unwrap(), PasswordVerification::Failed);
    }

    #[tokio::test]
    async fn a_password_matches_however_it_is_composed() {
        let hasher = PasswordHasher::new(1);
        let (composed, decomposed) = ("caf\u{e9} au lait", "cafe\u{301} au lait");
        for chosen in [composed, decomposed] {
            let stored_hash = hasher.hash(password(chosen)).await.unwrap();
            for typed in [composed, decomposed] {
                let verification = hasher.verify(typed.to_owned(), Some(stored_hash.clone())).await;
                assert_eq!(
                    verification.unwrap(),
                    PasswordVerification::Success,
                    "{chosen} {typed}"
                );
            }
        }
    }

    #[tokio::test]
    async fn a_hash_of_the_raw_form_matches_but_needs_a_rehash() {
        let hasher = PasswordHasher::new(1);
        let decomposed = "cafe\u{301} au lait";
        let argon2id = hash(decomposed.as_bytes()).unwrap();
        let bcrypt = PasswordHash::from(bcrypt::hash(decomposed, 4).unwrap());

        for stored_hash in [argon2id, bcrypt] {
            let verify = |typed: &str| hasher.verify(typed.to_owned(), Some(stored_hash.clone()));
            let raw = verify(decomposed).await.unwrap();
            assert_eq!(raw, PasswordVerification::SuccessRehashNeeded);
            let other = verify("cafe\u{300} au lait").await.unwrap();
            assert_eq!(other, PasswordVerification::Failed);
        }
    }

    #[tokio::test]
    async fn an_unknown_account_costs_as_much_as_a_known_one() {
        let new_hash = hash(b"correct horse").unwrap();
        let parameters = |hash: &str| hash.rsplitn(3, '$').nth(2).map(str::to_owned);

        assert_eq!(parameters(DECOY), parameters(new_hash.as_str()));
        assert_eq!(DECOY.len(), new_hash.as_str().len());
        let verified = Argon2::default().verify_password(b"correct horse", DECOY);
        assert_eq!(verified, Err(argon2::password_hash::Error::PasswordInvalid));
        let verification = PasswordHasher::new(1).verify("correct horse".to_owned(), None).await;
        assert_eq!(verification.unwrap(), PasswordVerification::Failed);
    }

    #[tokio::test]
    async fn a_malformed_hash_matches_no_password() {
        let hasher = PasswordHasher::new(1);
        for stored_hash in ["", "$argon2id$", "$2b$", "plain"] {
            let verification =
                hasher.verify("plain".to_owned(), Some(stored_hash.to_owned().into())).await;
            assert_eq!(verification.unwrap(), PasswordVerification::Failed, "{stored_hash}");
        }
    }

    #[tokio::test]
    async fn a_full_queue_rejects_further_passwords() {
        let hasher = PasswordHasher::new(1);
        let _all_slots = hasher.admitted.try_acquire_many(65).unwrap();

        let rejected = hasher.hash(password("correct horse")).await.unwrap_err();

        assert!(matches!(rejected, Error::Unavailable(_)));
    }

    #[tokio::test]
    async fn a_dropped_future_keeps_its_permits_until_the_job_ends() {
        let hasher = PasswordHasher::new(1);
        let (release, released) = mpsc::channel::<()>();
        let (ended, end) = mpsc::channel::<()>();
        let work = move || {
            _ = released.recv();
            ended
        };
        let mut future = Box::pin(hasher.run(work));
        assert!(futures_util::poll!(&mut future).is_pending());

        drop(future);

        assert_eq!(hasher.running.available_permits(), 0);
        release.send(()).unwrap();
        // The output is dropped after the permits.
        assert!(end.recv().is_err());
        assert_eq!(hasher.running.available_permits(), 1);
    }

    #[tokio::test]
    async fn queued_running_and_rejected_hashes_are_measured() {
        let metrics = MetricsCapture::start();
        let assert_changed = |changes: &[(&str, i64)]| {
            let changes = changes.iter();
            let changes =
                changes.map(|(name, by)| (format!("grateful_password_hashes_{name}"), *by));
            assert_eq!(metrics.take(), changes.collect());
        };
        let hasher = PasswordHasher::new(1);
        let only_slot = hasher.running.try_acquire().unwrap();

        let mut first = Box::pin(hasher.hash(password("correct horse")));
        assert!(futures_util::poll!(&mut first).is_pending());
        assert_changed(&[("queued", 1)]);

        // A dropped future leaves the queue.
        let mut second = Box::pin(hasher.hash(password("correct horse")));
        assert!(futures_util::poll!(&mut second).is_pending());
        drop(second);
        assert_changed(&[]);

        drop(only_slot);
        assert!(futures_util::poll!(&mut first).is_pending());
        assert_changed(&[("queued", -1), ("running", 1)]);
        first.await.unwrap();
        assert_changed(&[("running", -1)]);

        let _all_slots = hasher.admitted.try_acquire_many(65).unwrap();
        hasher.hash(password("correct horse")).await.unwrap_err();
        assert_changed(&[("rejected_total", 1)]);
    }
}
