//! Password hashing outside the async threads, with bounded concurrency and queue length.

use std::sync::Arc;

use grateful_domain::{Password, PasswordHash};
use grateful_passwords::{PasswordVerification, hash, verify};
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
        let hashed = self.run(move || hash(&password)).await?;
        hashed.map_err(|error| Error::Internal(error.into()))
    }

    /// Verifies a password against a stored hash. Without one, it does not match, but takes the same time. A hash of the
    /// password as it was typed, which older versions stored, matches too.
    pub(crate) async fn verify(
        &self,
        candidate: String,
        stored_hash: Option<PasswordHash>,
    ) -> Result<PasswordVerification> {
        self.run(move || verify(&candidate, stored_hash.as_ref())).await
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
