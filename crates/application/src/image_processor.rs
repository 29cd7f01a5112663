//! Image processing outside the async threads, with bounded concurrency, memory and queue length.

mod incoming_upload;

use std::sync::Arc;

use grateful_domain::ValidationError;
use grateful_media::{
    DecodedImage, Focus, ImageError, ImageHeader, PostImage, ProfileSizes, Purpose,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub use self::incoming_upload::IncomingUpload;
use self::incoming_upload::IncomingUploads;
use crate::metrics::{GaugeGuard, IMAGES_PROCESSING, IMAGES_QUEUED, IMAGES_REJECTED};
use crate::{Error, Result};

/// Decodes, scales and encodes uploaded images.
///
/// One image can take a hundred megabytes and a core for a second. So only a few are processed at once, and only while
/// all of them together fit into [`ImageProcessor::MAX_MEMORY`]. The queue is bounded: an upload that finds it full is
/// rejected, before its body is read if possible.
pub struct ImageProcessor {
    incoming: IncomingUploads,
    admitted: Arc<Semaphore>,
    running: Arc<Semaphore>,
    /// In KiB.
    memory: Arc<Semaphore>,
}

/// A slot in the queue. An upload takes it when its body is received, so that slow clients do not fill the queue.
pub struct UploadPermit {
    slot: OwnedSemaphorePermit,
    queued: GaugeGuard,
    /// The memory of the file, which is freed after processing.
    memory: Option<OwnedSemaphorePermit>,
}

/// An uploaded image, not yet decoded.
pub struct Upload {
    /// The whole file.
    pub bytes: Vec<u8>,
    /// The form field it was sent in. Validation errors name this field.
    pub field: &'static str,
    /// Its slot in the queue.
    pub permit: UploadPermit,
}

impl Upload {
    /// The maximum size of a file, in bytes.
    pub const MAX_BYTES: usize = grateful_media::MAX_BYTES;
}

impl ImageProcessor {
    /// Memory that all running jobs may use together, in bytes (docs/rules.md#images). An image that needs more runs
    /// alone.
    pub const MAX_MEMORY: u64 = 256 << 20;

    /// How many uploads may wait per running job. At 80 ms per job, the last in the queue waits about a second. The bodies
    /// that are received or wait may take the memory of as many files of the maximum size, and of one more for each job.
    const QUEUED_PER_RUNNING: usize = 15;

    /// Creates a processor that runs `parallel` jobs at once. Half the number of cores is a good choice: it leaves the
    /// other half for all other requests.
    pub fn new(parallel: usize) -> Self {
        let parallel = parallel.clamp(1, Semaphore::MAX_PERMITS / (Self::QUEUED_PER_RUNNING + 1));
        let semaphore = |permits| Arc::new(Semaphore::new(permits));
        let slots = parallel * (Self::QUEUED_PER_RUNNING + 1);
        Self {
            incoming: IncomingUploads::new(slots),
            admitted: semaphore(slots),
            running: semaphore(parallel),
            memory: semaphore(usize::try_from(kibibytes(Self::MAX_MEMORY)).unwrap_or(usize::MAX)),
        }
    }

    /// Takes a slot in the queue, for a file that is in memory already. For one that is yet to be received, see
    /// [`ImageProcessor::begin_upload`].
    ///
    /// # Errors
    /// `Unavailable` if the queue is full.
    pub fn admit(&self) -> Result<UploadPermit> {
        let slot = Arc::clone(&self.admitted).try_acquire_owned().map_err(|_| queue_full())?;
        Ok(UploadPermit { slot, queued: GaugeGuard::new(IMAGES_QUEUED), memory: None })
    }

    /// Encodes all sizes of a profile photo.
    ///
    /// # Errors
    /// `UnsupportedMediaType` if the file is no image in a supported format, `Invalid` if the image is not accepted.
    pub(crate) async fn process_profile_photo(
        &self,
        upload: Upload,
        focus: Option<Focus>,
    ) -> Result<ProfileSizes> {
        let encode = move |image: DecodedImage| image.encode_profile_sizes(focus);
        self.process(upload, Purpose::Profile, encode).await
    }

    /// Encodes the image of a post.
    ///
    /// # Errors
    /// As [`ImageProcessor::process_profile_photo`].
    pub(crate) async fn process_post_image(&self, upload: Upload) -> Result<PostImage> {
        self.process(upload, Purpose::Post, |image| image.encode_post_image()).await
    }

    async fn process<T: Send + 'static>(
        &self,
        upload: Upload,
        purpose: Purpose,
        encode: impl FnOnce(DecodedImage) -> T + Send + 'static,
    ) -> Result<T> {
        let Upload { bytes, field, permit } = upload;
        let to_error = |error| error_for(field, &error);
        let header = ImageHeader::read(&bytes).map_err(to_error)?;
        let job = move || {
            let image = DecodedImage::decode(&bytes, purpose)?;
            drop(bytes);
            Ok(encode(image))
        };
        self.run(permit, header.memory_bytes(purpose), job).await?.map_err(to_error)
    }

    /// Runs a job that needs `bytes` of memory when its turn comes. Its permits are released when the job ends, not when
    /// the future is dropped: dropping does not stop the job.
    async fn run<T: Send + 'static>(
        &self,
        permit: UploadPermit,
        bytes: u64,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let needed = kibibytes(bytes.min(Self::MAX_MEMORY));
        let running = Arc::clone(&self.running).acquire_owned().await.map_err(|_| queue_full())?;
        let decoded = Arc::clone(&self.memory).acquire_many_owned(needed).await;
        let decoded = decoded.map_err(|_| queue_full())?;
        let UploadPermit { slot, queued, memory } = permit;
        drop(queued);
        let permits = (slot, running, memory, decoded, GaugeGuard::new(IMAGES_PROCESSING));
        let handle = tokio::task::spawn_blocking(move || {
            let output = job();
            drop(permits);
            output
        });
        handle.await.map_err(|panic| Error::Internal(panic.into()))
    }
}

fn kibibytes(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX)
}

fn queue_full() -> Error {
    metrics::counter!(IMAGES_REJECTED).increment(1);
    Error::Unavailable("too many images are being processed".into())
}

fn error_for(field: &'static str, error: &ImageError) -> Error {
    match error {
        ImageError::UnknownFormat => Error::UnsupportedMediaType { supported: &SUPPORTED },
        error => ValidationError::field(field, error).into(),
    }
}

const SUPPORTED: [&str; 3] = ["image/jpeg", "image/png", "image/webp"];

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::sync::atomic::Ordering::SeqCst;
    use std::sync::mpsc;

    use futures_util::future::join_all;
    use futures_util::poll;

    use super::*;

    const LARGE: u64 = 200 << 20;
    const SMALL: u64 = 20 << 20;

    /// In KiB.
    fn free_memory(processor: &ImageProcessor) -> u64 {
        u64::try_from(processor.memory.available_permits()).unwrap()
    }

    #[tokio::test]
    async fn large_images_run_one_at_a_time() {
        let processor = ImageProcessor::new(8);
        let (running, peak) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let jobs = (0..8).map(|_| {
            let (running, peak) = (Arc::clone(&running), Arc::clone(&peak));
            processor.run(processor.admit().unwrap(), LARGE, move || {
                peak.fetch_max(1 + running.fetch_add(1, SeqCst), SeqCst);
                // Long enough to overlap with another job.
                (0..1_000).for_each(|_| std::thread::yield_now());
                running.fetch_sub(1, SeqCst);
            })
        });

        join_all(jobs).await.into_iter().for_each(Result::unwrap);

        assert_eq!(peak.load(SeqCst), 1);
        assert_eq!(free_memory(&processor), ImageProcessor::MAX_MEMORY >> 10);
    }

    #[tokio::test]
    async fn small_images_run_in_parallel_up_to_the_limit() {
        let processor = ImageProcessor::new(3);
        let (mut releases, mut jobs) = (vec![], vec![]);
        for _ in 0..5 {
            let (release, released) = mpsc::channel::<()>();
            let work = move || released.recv();
            jobs.push(Box::pin(processor.run(processor.admit().unwrap(), SMALL, work)));
            releases.push(release);
        }

        for job in &mut jobs {
            assert!(poll!(job).is_pending());
        }

        assert_eq!(free_memory(&processor), (ImageProcessor::MAX_MEMORY - 3 * SMALL) >> 10);
        assert_eq!(processor.running.available_permits(), 0);
        for (job, release) in jobs.into_iter().zip(releases) {
            release.send(()).unwrap();
            job.await.unwrap().unwrap();
        }
        assert_eq!(processor.running.available_permits(), 3);
    }

    #[tokio::test]
    async fn an_image_that_needs_more_than_all_memory_runs_alone() {
        let processor = ImageProcessor::new(2);
        let (release, released) = mpsc::channel::<()>();
        let mut oversized =
            Box::pin(processor.run(processor.admit().unwrap(), u64::MAX, move || released.recv()));

        assert!(poll!(&mut oversized).is_pending());

        assert_eq!(free_memory(&processor), 0);
        release.send(()).unwrap();
        oversized.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_dropped_future_keeps_its_permits_until_the_job_ends() {
        let processor = ImageProcessor::new(1);
        let (release, released) = mpsc::channel::<()>();
        let (ended, end) = mpsc::channel::<()>();
        let work = move || {
            _ = released.recv();
            ended
        };
        let mut future = Box::pin(processor.run(processor.admit().unwrap(), LARGE, work));
        assert!(poll!(&mut future).is_pending());

        drop(future);

        assert_eq!(free_memory(&processor), (ImageProcessor::MAX_MEMORY - LARGE) >> 10);
        assert_eq!(processor.running.available_permits(), 0);
        release.send(()).unwrap();
        // The output is dropped after the permits.
        assert!(end.recv().is_err());
        assert_eq!(free_memory(&processor), ImageProcessor::MAX_MEMORY >> 10);
    }

    #[tokio::test]
    async fn a_panicking_job_releases_its_permits() {
        let processor = ImageProcessor::new(1);

        let failed =
            processor.run(processor.admit().unwrap(), LARGE, || panic!("as a decoder might")).await;

        assert!(matches!(failed, Err::<(), _>(Error::Internal(_))));
        assert_eq!(free_memory(&processor), ImageProcessor::MAX_MEMORY >> 10);
        assert_eq!(processor.running.available_permits(), 1);
    }

    #[test]
    fn at_most_sixteen_uploads_are_admitted_per_parallel_job() {
        for parallel in [1, 4] {
            let processor = ImageProcessor::new(parallel);
            let mut permits: Vec<UploadPermit> =
                (0..16 * parallel).map(|_| processor.admit().unwrap()).collect();

            assert!(matches!(processor.admit(), Err(Error::Unavailable(_))));

            permits.pop();
            assert!(processor.admit().is_ok());
        }
    }
}
