//! Making pictures: off the async threads, as many at a time as memory allows, and never without end.

use std::sync::Arc;

use grateful_domain::ValidationError;
use grateful_media::{Focus, Header, Picture, PostImage, ProfileSizes, Purpose, Refusal};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::metrics::{GaugeGuard, IMAGES_PROCESSING, IMAGES_QUEUED, IMAGES_REJECTED};
use crate::{Error, Result};

/// A bounded place where pictures are received, checked and made.
///
/// One picture can fill a hundred megabytes and a core for a second. So few run at once, and only while all of them
/// together fit [`ImageProcessor::MEMORY`]; a queue of bounded length waits, and whoever finds it full is asked to come back before
/// their picture is read.
pub struct ImageProcessor {
    admitted: Arc<Semaphore>,
    running: Arc<Semaphore>,
    /// In KiB.
    memory: Arc<Semaphore>,
}

/// A place in the queue. It is taken before a picture is received, which fills memory too.
pub struct UploadPermit {
    slot: OwnedSemaphorePermit,
    waiting: GaugeGuard,
}

/// A picture as it was sent.
pub struct Upload {
    /// The whole file.
    pub bytes: Vec<u8>,
    /// By which name it was sent: what is wrong with it is said under this name.
    pub field: &'static str,
    /// Its place in the queue.
    pub permit: UploadPermit,
}

impl Upload {
    /// The most bytes of a file.
    pub const MAX_BYTES: usize = grateful_media::MAX_BYTES;
}

impl ImageProcessor {
    /// How much memory all that run may fill together, in bytes (rules §8). A picture that needs more runs alone.
    pub const MEMORY: u64 = 256 << 20;

    /// How many may be received or wait for each that runs: at 80 ms each, the last in the queue waits about a second.
    const WAITING_PER_RUNNING: usize = 15;

    /// A place where `parallel` pictures are made at once; half the number of cores is a good choice, which leaves the other
    /// half to whatever else is asked.
    pub fn new(parallel: usize) -> Self {
        let parallel = parallel.clamp(1, Semaphore::MAX_PERMITS / (Self::WAITING_PER_RUNNING + 1));
        let semaphore = |permits| Arc::new(Semaphore::new(permits));
        Self {
            admitted: semaphore(parallel * (Self::WAITING_PER_RUNNING + 1)),
            running: semaphore(parallel),
            memory: semaphore(usize::try_from(kibibytes(Self::MEMORY)).unwrap_or(usize::MAX)),
        }
    }

    /// A place in the queue.
    ///
    /// # Errors
    /// `Unavailable` where there is none.
    pub fn admit(&self) -> Result<UploadPermit> {
        let slot = Arc::clone(&self.admitted).try_acquire_owned().map_err(|_| full())?;
        Ok(UploadPermit { slot, waiting: GaugeGuard::new(IMAGES_QUEUED) })
    }

    /// The sizes of a profile photo.
    ///
    /// # Errors
    /// `UnsupportedMediaType` where it is no picture, `Invalid` where it is one that is not taken.
    pub(crate) async fn profile(
        &self,
        upload: Upload,
        focus: Option<Focus>,
    ) -> Result<ProfileSizes> {
        self.make(upload, Purpose::Profile, move |picture| picture.profile(focus)).await
    }

    /// The image of a post.
    ///
    /// # Errors
    /// As [`ImageProcessor::profile`].
    pub(crate) async fn post(&self, upload: Upload) -> Result<PostImage> {
        self.make(upload, Purpose::Post, |picture| picture.post()).await
    }

    async fn make<T: Send + 'static>(
        &self,
        upload: Upload,
        purpose: Purpose,
        make: impl FnOnce(Picture) -> T + Send + 'static,
    ) -> Result<T> {
        let Upload { bytes, field, permit } = upload;
        let refused = |refusal| refused(field, &refusal);
        let header = Header::read(&bytes).map_err(refused)?;
        let work = move || {
            let picture = Picture::decode(&bytes, purpose)?;
            drop(bytes);
            Ok(make(picture))
        };
        self.run(permit, header.decode_bytes(purpose), work).await?.map_err(refused)
    }

    /// Does work that fills so many bytes when its turn comes. What it holds is given back when it ends, not when whoever
    /// waits for it goes away: that does not stop it.
    async fn run<T: Send + 'static>(
        &self,
        permit: UploadPermit,
        bytes: u64,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let needed = kibibytes(bytes.min(Self::MEMORY));
        let running = Arc::clone(&self.running).acquire_owned().await.map_err(|_| full())?;
        let memory = Arc::clone(&self.memory).acquire_many_owned(needed).await;
        let memory = memory.map_err(|_| full())?;
        let UploadPermit { slot, waiting } = permit;
        drop(waiting);
        let held = (slot, running, memory, GaugeGuard::new(IMAGES_PROCESSING));
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(held);
            done
        });
        done.await.map_err(|panic| Error::Internal(panic.into()))
    }
}

fn kibibytes(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX)
}

fn full() -> Error {
    metrics::counter!(IMAGES_REJECTED).increment(1);
    Error::Unavailable("too many pictures are being made".into())
}

fn refused(field: &'static str, refusal: &Refusal) -> Error {
    match refusal {
        Refusal::UnknownFormat => Error::UnsupportedMediaType { supported: &SUPPORTED },
        refusal => ValidationError::field(field, refusal).into(),
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
    fn free(image_processor: &ImageProcessor) -> u64 {
        u64::try_from(image_processor.memory.available_permits()).unwrap()
    }

    #[tokio::test]
    async fn large_ones_run_one_after_the_other() {
        let image_processor = ImageProcessor::new(8);
        let (running, peak) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let all = (0..8).map(|_| {
            let (running, peak) = (Arc::clone(&running), Arc::clone(&peak));
            image_processor.run(image_processor.admit().unwrap(), LARGE, move || {
                peak.fetch_max(1 + running.fetch_add(1, SeqCst), SeqCst);
                // Time enough to meet another.
                (0..1_000).for_each(|_| std::thread::yield_now());
                running.fetch_sub(1, SeqCst);
            })
        });

        join_all(all).await.into_iter().for_each(Result::unwrap);

        assert_eq!(peak.load(SeqCst), 1);
        assert_eq!(free(&image_processor), ImageProcessor::MEMORY >> 10);
    }

    #[tokio::test]
    async fn small_ones_run_side_by_side_as_many_as_may() {
        let image_processor = ImageProcessor::new(3);
        let (mut keys, mut all) = (vec![], vec![]);
        for _ in 0..5 {
            let (release, released) = mpsc::channel::<()>();
            let work = move || released.recv();
            all.push(Box::pin(image_processor.run(image_processor.admit().unwrap(), SMALL, work)));
            keys.push(release);
        }

        for one in &mut all {
            assert!(poll!(one).is_pending());
        }

        assert_eq!(free(&image_processor), (ImageProcessor::MEMORY - 3 * SMALL) >> 10);
        assert_eq!(image_processor.running.available_permits(), 0);
        for (one, release) in all.into_iter().zip(keys) {
            release.send(()).unwrap();
            one.await.unwrap().unwrap();
        }
        assert_eq!(image_processor.running.available_permits(), 3);
    }

    #[tokio::test]
    async fn one_that_needs_more_than_there_is_runs_alone() {
        let image_processor = ImageProcessor::new(2);
        let (release, released) = mpsc::channel::<()>();
        let mut giant = Box::pin(image_processor.run(
            image_processor.admit().unwrap(),
            u64::MAX,
            move || released.recv(),
        ));

        assert!(poll!(&mut giant).is_pending());

        assert_eq!(free(&image_processor), 0);
        release.send(()).unwrap();
        giant.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn whoever_does_not_wait_for_the_end_gives_nothing_back_before_it() {
        let image_processor = ImageProcessor::new(1);
        let (release, released) = mpsc::channel::<()>();
        let (ended, end) = mpsc::channel::<()>();
        let work = move || {
            _ = released.recv();
            ended
        };
        let mut left = Box::pin(image_processor.run(image_processor.admit().unwrap(), LARGE, work));
        assert!(poll!(&mut left).is_pending());

        drop(left);

        assert_eq!(free(&image_processor), (ImageProcessor::MEMORY - LARGE) >> 10);
        assert_eq!(image_processor.running.available_permits(), 0);
        release.send(()).unwrap();
        // What it returned is dropped behind what it held.
        assert!(end.recv().is_err());
        assert_eq!(free(&image_processor), ImageProcessor::MEMORY >> 10);
    }

    #[tokio::test]
    async fn what_panics_gives_back_what_it_held() {
        let image_processor = ImageProcessor::new(1);

        let broken = image_processor
            .run(image_processor.admit().unwrap(), LARGE, || panic!("as a decoder might"))
            .await;

        assert!(matches!(broken, Err::<(), _>(Error::Internal(_))));
        assert_eq!(free(&image_processor), ImageProcessor::MEMORY >> 10);
        assert_eq!(image_processor.running.available_permits(), 1);
    }

    #[test]
    fn sixteen_places_for_each_that_runs_are_all_there_are() {
        for parallel in [1, 4] {
            let image_processor = ImageProcessor::new(parallel);
            let mut permits: Vec<UploadPermit> =
                (0..16 * parallel).map(|_| image_processor.admit().unwrap()).collect();

            assert!(matches!(image_processor.admit(), Err(Error::Unavailable(_))));

            permits.pop();
            assert!(image_processor.admit().is_ok());
        }
    }
}
