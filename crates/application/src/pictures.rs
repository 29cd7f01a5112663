//! Making pictures: off the async threads, as many at a time as memory allows, and never without end.

use std::sync::Arc;

use grateful_domain::Invalid;
use grateful_media::{Focus, Header, Picture, PostImage, ProfileSizes, Purpose, Refusal};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::metric::{IMAGES_IN_WORK, IMAGES_REFUSED, IMAGES_WAITING, Present};
use crate::{Error, Result};

/// A bounded place where pictures are received, checked and made.
///
/// One picture can fill a hundred megabytes and a core for a second. So as many run at once as there are cores, and only
/// while all of them together fit [`Pictures::MEMORY`]; a queue of bounded length waits, and whoever finds it full is asked
/// to come back before their picture is read.
pub struct Pictures {
    admitted: Arc<Semaphore>,
    running: Semaphore,
    /// In KiB.
    memory: Semaphore,
}

/// A place in the queue. It is taken before a picture is received, which fills memory too.
pub struct Place {
    _permit: OwnedSemaphorePermit,
    waiting: Present,
}

/// A picture as it was sent.
pub struct Upload {
    /// The whole file.
    pub bytes: Vec<u8>,
    /// By which name it was sent: what is wrong with it is said under this name.
    pub field: &'static str,
    /// Its place in the queue.
    pub place: Place,
}

impl Upload {
    /// The most bytes of a file.
    pub const MAX_BYTES: usize = grateful_media::MAX_BYTES;
}

impl Pictures {
    /// How much memory all that run may fill together, in bytes (rules §8). A picture that needs more runs alone.
    pub const MEMORY: u64 = 256 << 20;

    /// How many may be received or wait for each that runs: at 80 ms each, the last in the queue waits about a second.
    const WAITING_PER_RUNNING: usize = 15;

    /// A place where `parallel` pictures are made at once; the number of cores is a good choice.
    pub fn new(parallel: usize) -> Self {
        let parallel = parallel.clamp(1, Semaphore::MAX_PERMITS / (Self::WAITING_PER_RUNNING + 1));
        Self {
            admitted: Arc::new(Semaphore::new(parallel * (Self::WAITING_PER_RUNNING + 1))),
            running: Semaphore::new(parallel),
            memory: Semaphore::new(usize::try_from(kibibytes(Self::MEMORY)).unwrap_or(usize::MAX)),
        }
    }

    /// A place in the queue.
    ///
    /// # Errors
    /// `Unavailable` where there is none.
    pub fn admit(&self) -> Result<Place> {
        let permit = Arc::clone(&self.admitted).try_acquire_owned().map_err(|_| full())?;
        Ok(Place { _permit: permit, waiting: Present::in_(IMAGES_WAITING) })
    }

    /// The sizes of a profile photo.
    ///
    /// # Errors
    /// `Unsupported` where it is no picture, `Invalid` where it is one that is not taken.
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
    /// As [`Pictures::profile`].
    pub(crate) async fn post(&self, upload: Upload) -> Result<PostImage> {
        self.make(upload, Purpose::Post, |picture| picture.post()).await
    }

    async fn make<T: Send + 'static>(
        &self,
        upload: Upload,
        purpose: Purpose,
        make: impl FnOnce(Picture) -> T + Send + 'static,
    ) -> Result<T> {
        let Upload { bytes, field, place } = upload;
        let refused = |refusal| refused(field, &refusal);
        let header = Header::read(&bytes).map_err(refused)?;
        let needed = kibibytes(header.decode_bytes(purpose).min(Self::MEMORY));
        let _running = self.running.acquire().await.map_err(|_| full())?;
        let _memory = self.memory.acquire_many(needed).await.map_err(|_| full())?;
        let Place { _permit, waiting } = place;
        drop(waiting);
        let _in_work = Present::in_(IMAGES_IN_WORK);
        let made = tokio::task::spawn_blocking(move || {
            let picture = Picture::decode(&bytes, purpose)?;
            drop(bytes);
            Ok(make(picture))
        });
        made.await.map_err(|panic| Error::Internal(panic.into()))?.map_err(refused)
    }
}

fn kibibytes(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX)
}

fn full() -> Error {
    metrics::counter!(IMAGES_REFUSED).increment(1);
    Error::Unavailable("too many pictures are being made".into())
}

fn refused(field: &'static str, refusal: &Refusal) -> Error {
    match refusal {
        Refusal::UnknownFormat => Error::Unsupported { supported: &SUPPORTED },
        refusal => Invalid::field(field, refusal).into(),
    }
}

const SUPPORTED: [&str; 3] = ["image/jpeg", "image/png", "image/webp"];
