//! Hashing passwords: off the async threads, a few at a time, and never without end.

use std::sync::Arc;

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use grateful_domain::{Password, PasswordHash};
use tokio::sync::Semaphore;

use crate::metrics::{
    GaugeGuard, PASSWORD_HASHES_QUEUED, PASSWORD_HASHES_REJECTED, PASSWORD_HASHES_RUNNING,
};
use crate::{Error, Result};

/// A bounded place where passwords are hashed with argon2id.
///
/// One hash fills 19 MiB and a core for some 16 ms, on purpose. So only a few run at once, a queue of bounded length
/// waits, and whoever finds it full is asked to come back.
pub struct PasswordHasher {
    running: Arc<Semaphore>,
    admitted: Arc<Semaphore>,
    /// What an unknown account is checked against, so that it takes as long as a known one.
    decoy: PasswordHash,
}

/// What came of checking a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verification {
    /// It is another one.
    Mismatch,
    /// It matches.
    Match,
    /// It matches a hash of an older kind, which should be replaced.
    MatchNeedsRehash,
}

impl PasswordHasher {
    /// How many may wait for each that runs: at 16 ms each, the last in the queue waits about a second.
    const WAITING_PER_RUNNING: usize = 64;

    /// A place where `parallel` hashes run at once; the number of cores is a good choice.
    ///
    /// # Errors
    /// The operating system has no randomness to give.
    pub fn new(parallel: usize) -> Result<Self> {
        let parallel = parallel.clamp(1, Semaphore::MAX_PERMITS / (Self::WAITING_PER_RUNNING + 1));
        Ok(Self {
            running: Arc::new(Semaphore::new(parallel)),
            admitted: Arc::new(Semaphore::new(parallel * (Self::WAITING_PER_RUNNING + 1))),
            decoy: hash(b"nobody's password")?,
        })
    }

    /// The hash to keep of a new password.
    ///
    /// # Errors
    /// `Unavailable` where too many wait already.
    pub async fn hash(&self, password: Password) -> Result<PasswordHash> {
        self.run(move || hash(password.as_bytes())).await?
    }

    /// Whether `candidate` is the password behind `kept`; without one it is wrong, but takes the same time.
    pub(crate) async fn check(
        &self,
        candidate: String,
        kept: Option<PasswordHash>,
    ) -> Result<Verification> {
        let known = kept.is_some();
        let kept = kept.unwrap_or_else(|| self.decoy.clone());
        let outcome = self.run(move || check(candidate.as_bytes(), &kept)).await?;
        Ok(if known { outcome } else { Verification::Mismatch })
    }

    /// What it holds is given back when the work ends, not when whoever waits for it goes away: that does not stop it.
    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let full = || {
            metrics::counter!(PASSWORD_HASHES_REJECTED).increment(1);
            Error::Unavailable("too many passwords are being hashed".into())
        };
        let admitted = Arc::clone(&self.admitted).try_acquire_owned().map_err(|_| full())?;
        let waiting = GaugeGuard::new(PASSWORD_HASHES_QUEUED);
        let running = Arc::clone(&self.running).acquire_owned().await.map_err(|_| full())?;
        drop(waiting);
        let held = (admitted, running, GaugeGuard::new(PASSWORD_HASHES_RUNNING));
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(held);
            done
        });
        done.await.map_err(|panic| Error::Internal(panic.into()))
    }
}

/// OWASP's first choice for argon2id: 19 MiB, two passes, one lane
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

/// An unreadable hash matches nothing.
fn check(candidate: &[u8], kept: &PasswordHash) -> Verification {
    if kept.as_str().starts_with("$2") {
        return match bcrypt::verify(candidate, kept.as_str()) {
            Ok(true) => Verification::MatchNeedsRehash,
            Ok(false) | Err(_) => Verification::Mismatch,
        };
    }
    // The parameters are those of the hash, so that older ones stay readable when ours grow.
    match Argon2::default().verify_password(candidate, kept.as_str()) {
        Ok(()) => Verification::Match,
        Err(_) => Verification::Mismatch,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use grateful_testkit::MetricsCapture;

    use super::*;

    fn password(text: &str) -> Password {
        Password::parse(text.to_owned()).unwrap()
    }

    #[tokio::test]
    async fn a_password_matches_its_own_hash_alone() {
        let hasher = PasswordHasher::new(1).unwrap();
        let kept = hasher.hash(password("correct horse")).await.unwrap();

        assert!(kept.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", kept.as_str());
        let check = |candidate: &str| hasher.check(candidate.to_owned(), Some(kept.clone()));
        assert_eq!(check("correct horse").await.unwrap(), Verification::Match);
        assert_eq!(check("battery staple").await.unwrap(), Verification::Mismatch);
    }

    #[tokio::test]
    async fn a_hash_of_an_older_installation_matches_but_is_outdated() {
        let hasher = PasswordHasher::new(1).unwrap();
        let kept = PasswordHash::from(bcrypt::hash("correct horse", 4).unwrap());
        assert!(kept.as_str().starts_with("$2b$"));

        let check = |candidate: &str| hasher.check(candidate.to_owned(), Some(kept.clone()));
        assert_eq!(check("correct horse").await.unwrap(), Verification::MatchNeedsRehash);
        assert_eq!(check("battery staple").await.unwrap(), Verification::Mismatch);
        assert_eq!(check(&"\0".repeat(100)).await.unwrap(), Verification::Mismatch);
    }

    #[tokio::test]
    async fn nobody_is_right_about_an_unknown_account() {
        let hasher = PasswordHasher::new(1).unwrap();
        let outcome = hasher.check("nobody's password".to_owned(), None).await.unwrap();
        assert_eq!(outcome, Verification::Mismatch);
    }

    #[tokio::test]
    async fn an_unreadable_hash_matches_nothing() {
        let hasher = PasswordHasher::new(1).unwrap();
        for kept in ["", "$argon2id$", "$2b$", "plain"] {
            let outcome = hasher.check("plain".to_owned(), Some(kept.to_owned().into())).await;
            assert_eq!(outcome.unwrap(), Verification::Mismatch, "{kept}");
        }
    }

    #[tokio::test]
    async fn whoever_finds_the_queue_full_is_asked_to_come_back() {
        let hasher = PasswordHasher::new(1).unwrap();
        let _everyone = hasher.admitted.try_acquire_many(65).unwrap();

        let refused = hasher.hash(password("correct horse")).await.unwrap_err();

        assert!(matches!(refused, Error::Unavailable(_)));
    }

    #[tokio::test]
    async fn whoever_does_not_wait_for_the_end_gives_nothing_back_before_it() {
        let hasher = PasswordHasher::new(1).unwrap();
        let (release, released) = mpsc::channel::<()>();
        let (ended, end) = mpsc::channel::<()>();
        let work = move || {
            _ = released.recv();
            ended
        };
        let mut left = Box::pin(hasher.run(work));
        assert!(futures_util::poll!(&mut left).is_pending());

        drop(left);

        assert_eq!(hasher.running.available_permits(), 0);
        release.send(()).unwrap();
        // What it returned is dropped behind what it held.
        assert!(end.recv().is_err());
        assert_eq!(hasher.running.available_permits(), 1);
    }

    #[tokio::test]
    async fn how_many_wait_are_in_work_or_are_refused_is_measured() {
        let measured = MetricsCapture::start();
        let changed = |changes: &[(&str, i64)]| {
            let changes = changes.iter();
            let changes = changes.map(|(name, by)| (format!("grateful_passwords_{name}"), *by));
            assert_eq!(measured.take(), changes.collect());
        };
        let hasher = PasswordHasher::new(1).unwrap();
        let only_one = hasher.running.try_acquire().unwrap();

        let mut first = Box::pin(hasher.hash(password("correct horse")));
        assert!(futures_util::poll!(&mut first).is_pending());
        changed(&[("waiting", 1)]);

        // Whoever gives up waits no more.
        let mut second = Box::pin(hasher.hash(password("correct horse")));
        assert!(futures_util::poll!(&mut second).is_pending());
        drop(second);
        changed(&[]);

        drop(only_one);
        assert!(futures_util::poll!(&mut first).is_pending());
        changed(&[("in_work", 1), ("waiting", -1)]);
        first.await.unwrap();
        changed(&[("in_work", -1)]);

        let _everyone = hasher.admitted.try_acquire_many(65).unwrap();
        hasher.hash(password("correct horse")).await.unwrap_err();
        changed(&[("refused_total", 1)]);
    }
}
