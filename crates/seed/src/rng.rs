//! Deterministic random numbers. Integer arithmetic only, since floating-point functions round differently across
//! platforms.

use uuid::{Builder, Uuid};

/// Independent random streams, so that a change in one part of the dataset leaves the other parts as they are.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stream {
    Activity,
    UserPopularity,
    Users,
    Posts,
    PostPopularity,
    Follows,
    Engagements,
    Replies,
    PostText,
    CommentText,
    ShareText,
    PostId,
    FollowId,
    HeartId,
    ReactionId,
    ShareId,
    CommentId,
    NotificationId,
    BatchId,
    Reading,
    LiveActs,
}

/// A `SplitMix64` generator: the same seed produces the same sequence.
#[derive(Debug, Clone)]
pub(crate) struct Rng(u64);

/// The increment of `SplitMix64`.
const INCREMENT: u64 = 0x9e37_79b9_7f4a_7c15;
/// Multiplier that separates the streams.
const STREAM_MULTIPLIER: u64 = 0xd134_2543_de82_ef95;

impl Rng {
    /// The generator of a stream.
    pub(crate) fn for_stream(stream: Stream, seed: u64) -> Self {
        Self(mix(seed.wrapping_add((stream as u64 + 1).wrapping_mul(STREAM_MULTIPLIER))))
    }

    /// The generator of one item of a stream, independent of the stream's other items.
    pub(crate) fn for_item(stream: Stream, seed: u64, index: usize) -> Self {
        let Self(base) = Self::for_stream(stream, seed);
        Self(mix(base ^ (index as u64).wrapping_mul(STREAM_MULTIPLIER)))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(INCREMENT);
        mix(self.0)
    }

    /// A number in `0..bound`; `bound` must not be 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        let wide = (u128::from(self.next()) * u128::from(bound)) >> 64;
        u64::try_from(wide).expect("below a number of 64 bits")
    }

    /// An index in `0..len`; `len` must not be 0.
    pub(crate) fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).expect("below a usize")
    }

    /// `true` with a probability of `per_mille` / 1000.
    pub(crate) fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1_000) < per_mille
    }

    /// One of `items`, which must not be empty.
    pub(crate) fn choose<'a, T: ?Sized>(&mut self, items: &[&'a T]) -> &'a T {
        items[self.index(items.len())]
    }

    /// `span` times the square of a uniform fraction: skewed to small values.
    pub(crate) fn squared_fraction_of(&mut self, span: u64) -> u64 {
        let fraction = self.fraction();
        scale(scale(span, fraction), fraction)
    }

    /// `span` times the cube of a uniform fraction: strongly skewed to small values.
    pub(crate) fn cubed_fraction_of(&mut self, span: u64) -> u64 {
        let fraction = self.fraction();
        scale(scale(scale(span, fraction), fraction), fraction)
    }

    /// A uniform fraction in units of 2^-32.
    fn fraction(&mut self) -> u64 {
        self.next() >> 32
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            items.swap(end, self.index(end + 1));
        }
    }

    /// A `UUIDv7` with the timestamp `at`, in microseconds since the Unix epoch.
    pub(crate) fn uuid_v7(&mut self, at: i64) -> Uuid {
        let mut random = [0; 10];
        random[..8].copy_from_slice(&self.next().to_be_bytes());
        random[8..].copy_from_slice(&self.next().to_be_bytes()[..2]);
        let millis = u64::try_from(at / 1_000).unwrap_or_default();
        Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }
}

fn mix(mut state: u64) -> u64 {
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

/// `span` times `fraction`, in units of 2^-32.
fn scale(span: u64, fraction: u64) -> u64 {
    let wide = (u128::from(span) * u128::from(fraction)) >> 32;
    u64::try_from(wide).expect("a fraction of a number of 64 bits")
}
