//! Bodies of uploads while they arrive.

use std::sync::Arc;

use chrono::TimeDelta;
use grateful_domain::UserId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{ImageProcessor, Upload, UploadPermit, queue_full};
use crate::concurrency_limiter::{ConcurrencyLimiter, ConcurrencyPermit};
use crate::metrics::{GaugeGuard, UPLOADS_RECEIVING};
use crate::{Error, Result};

/// Bounds the bodies that are being received: per user by number, and all together by size.
///
/// A slow client thus holds up only its own account. It takes memory as its bytes arrive, and no slot in the queue.
#[derive(Debug)]
pub(super) struct IncomingUploads {
    by_user: ConcurrencyLimiter<UserId>,
    /// In blocks of [`BLOCK_BYTES`].
    memory: Arc<Semaphore>,
}

/// The body of an upload while it is received. Dropping it frees its memory.
pub struct IncomingUpload {
    all_memory: Arc<Semaphore>,
    reserved: Option<OwnedSemaphorePermit>,
    received_bytes: usize,
    // Held until the body is received.
    _permit: ConcurrencyPermit<UserId>,
    _receiving: GaugeGuard,
}

/// The unit in which memory is reserved.
const BLOCK_BYTES: usize = 64 << 10;

impl IncomingUploads {
    /// Bounds the memory of all bodies together to that of `files` files of the maximum size.
    pub(super) fn new(files: usize) -> Self {
        let blocks = files.saturating_mul(Upload::MAX_BYTES.div_ceil(BLOCK_BYTES));
        Self {
            by_user: ConcurrencyLimiter::new(IncomingUpload::MAX_PER_USER),
            memory: Arc::new(Semaphore::new(blocks.min(Semaphore::MAX_PERMITS))),
        }
    }
}

impl ImageProcessor {
    /// Begins to receive the body of an upload of this user. Must come before any of the body is read.
    ///
    /// # Errors
    /// `RateLimited` if the user sends [`IncomingUpload::MAX_PER_USER`] bodies already, `Unavailable` if the queue is full.
    pub fn begin_upload(&self, user: UserId) -> Result<IncomingUpload> {
        if self.admitted.available_permits() == 0 {
            return Err(queue_full());
        }
        let permit = self.incoming.by_user.try_acquire(user).ok_or_else(too_many_at_once)?;
        Ok(IncomingUpload {
            all_memory: Arc::clone(&self.incoming.memory),
            reserved: None,
            received_bytes: 0,
            _permit: permit,
            _receiving: GaugeGuard::new(UPLOADS_RECEIVING),
        })
    }

    /// Takes a slot in the queue for a body that is received completely.
    ///
    /// # Errors
    /// `Unavailable` if the queue is full.
    pub fn admit_upload(&self, received: IncomingUpload) -> Result<UploadPermit> {
        Ok(UploadPermit { memory: received.reserved, ..self.admit()? })
    }
}

impl IncomingUpload {
    /// How many bodies a user may send at the same time (docs/rules.md#request-limits).
    pub const MAX_PER_USER: usize = 2;

    /// Reserves memory for received bytes.
    ///
    /// # Errors
    /// `Unavailable` if the bodies of all users together take all memory that they may.
    pub fn reserve(&mut self, bytes: usize) -> Result<()> {
        self.received_bytes = self.received_bytes.saturating_add(bytes);
        let reserved = self.reserved.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let missing = self.received_bytes.div_ceil(BLOCK_BYTES).saturating_sub(reserved);
        if missing == 0 {
            return Ok(());
        }
        let missing = u32::try_from(missing).map_err(|_| queue_full())?;
        let more = Arc::clone(&self.all_memory).try_acquire_many_owned(missing);
        let more = more.map_err(|_| queue_full())?;
        match &mut self.reserved {
            Some(reserved) => reserved.merge(more),
            None => self.reserved = Some(more),
        }
        Ok(())
    }
}

fn too_many_at_once() -> Error {
    Error::RateLimited {
        policy: "concurrent-uploads",
        limit: u32::try_from(IncomingUpload::MAX_PER_USER).unwrap_or(u32::MAX),
        window: RETRY_AFTER,
        retry_after: RETRY_AFTER,
        reason: "Too many uploads at the same time, please try again when one of them has finished",
    }
}

/// A body of the maximum size takes about this long over a fast connection.
const RETRY_AFTER: TimeDelta = TimeDelta::seconds(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_sends_at_most_two_bodies_at_a_time() {
        let processor = ImageProcessor::new(1);
        let first = processor.begin_upload(UserId::from(99)).unwrap();
        let second = processor.begin_upload(UserId::from(99)).unwrap();

        let third = processor.begin_upload(UserId::from(99)).err().unwrap();

        assert!(matches!(third, Error::RateLimited { limit: 2, .. }), "{third:?}");
        drop(first);
        let again = processor.begin_upload(UserId::from(99)).unwrap();
        // A received body leaves room for the next one while it is processed.
        let _waiting = processor.admit_upload(second).unwrap();
        assert!(processor.begin_upload(UserId::from(99)).is_ok());
        drop(again);
    }

    #[test]
    fn bodies_that_are_received_take_no_slot_in_the_queue() {
        let processor = ImageProcessor::new(1);
        let incoming: Vec<_> =
            (0..100).map(|user| processor.begin_upload(UserId::from(user)).unwrap()).collect();

        let permits: Vec<_> = (0..16).map(|_| processor.admit().unwrap()).collect();

        assert!(matches!(processor.begin_upload(UserId::from(-1)), Err(Error::Unavailable(_))));
        drop(permits);
        let _waiting =
            incoming.into_iter().next().map(|body| processor.admit_upload(body).unwrap());
        assert_eq!(processor.admitted.available_permits(), 15);
    }

    #[test]
    fn bodies_share_memory_and_return_it_after_processing() {
        let processor = ImageProcessor::new(1);
        let all_blocks = processor.incoming.memory.available_permits();
        assert_eq!(all_blocks * BLOCK_BYTES, 16 * Upload::MAX_BYTES);
        let mut bodies = Vec::new();
        for user in 0..16 {
            let mut body = processor.begin_upload(UserId::from(user)).unwrap();
            for _ in 0..Upload::MAX_BYTES / 1_024 {
                body.reserve(1_024).unwrap();
            }
            bodies.push(body);
        }

        let mut late = processor.begin_upload(UserId::from(99)).unwrap();
        assert!(matches!(late.reserve(1), Err(Error::Unavailable(_))));

        let waiting = processor.admit_upload(bodies.pop().unwrap()).unwrap();
        assert!(matches!(late.reserve(1), Err(Error::Unavailable(_))));
        drop(waiting);
        late.reserve(1).unwrap();
        drop((late, bodies));
        assert_eq!(processor.incoming.memory.available_permits(), all_blocks);
    }
}
