//! Chance that can be repeated, in whole numbers: floating point would round differently elsewhere.

use uuid::{Builder, Uuid};

/// What chance is asked for. Each has throws of its own, so that more of one thing does not change another.
#[derive(Debug, Clone, Copy)]
pub(crate) enum About {
    Activity,
    Popularity,
    People,
    Posts,
    Favour,
    Edges,
    Answers,
    Replies,
    PostText,
    CommentText,
    ShareText,
    PostId,
    EdgeId,
    HeartId,
    ReactionId,
    ShareId,
    CommentId,
    NotificationId,
    BatchId,
    Reading,
}

/// A small generator (`SplitMix64`): the same seed throws the same numbers.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

/// The step of `SplitMix64`, and a multiplier to tell streams apart.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
const STREAM: u64 = 0xd134_2543_de82_ef95;

impl Dice {
    /// Those for one subject in the world of this seed.
    pub(crate) fn about(subject: About, seed: u64) -> Self {
        Self(mixed(seed.wrapping_add((subject as u64 + 1).wrapping_mul(STREAM))))
    }

    /// Those for one of many things of a kind, whatever the others throw.
    pub(crate) fn of(subject: About, seed: u64, index: usize) -> Self {
        let Self(base) = Self::about(subject, seed);
        Self(mixed(base ^ (index as u64).wrapping_mul(STREAM)))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mixed(self.0)
    }

    /// One of the numbers below `most`, which is not 0.
    pub(crate) fn below(&mut self, most: u64) -> u64 {
        let wide = (u128::from(self.next()) * u128::from(most)) >> 64;
        u64::try_from(wide).expect("below a number of 64 bits")
    }

    /// One of so many places, of which there is at least one.
    pub(crate) fn place(&mut self, places: usize) -> usize {
        usize::try_from(self.below(places as u64)).expect("below a usize")
    }

    /// True this often in a thousand.
    pub(crate) fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1_000) < per_mille
    }

    /// One of these, of which there is at least one.
    pub(crate) fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.place(from.len())]
    }

    /// A part of `span` that is rather small: the square of an even chance.
    pub(crate) fn small_part(&mut self, span: u64) -> u64 {
        let part = self.fraction();
        scaled(scaled(span, part), part)
    }

    /// A part of `span` that is mostly very small: the cube of an even chance.
    pub(crate) fn tiny_part(&mut self, span: u64) -> u64 {
        let part = self.fraction();
        scaled(scaled(scaled(span, part), part), part)
    }

    /// In units of 2^-32.
    fn fraction(&mut self) -> u64 {
        self.next() >> 32
    }

    /// In another order.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            items.swap(end, self.place(end + 1));
        }
    }

    /// An id of version 7 for something that happened so many microseconds after 1970.
    pub(crate) fn id(&mut self, at: i64) -> Uuid {
        let mut random = [0; 10];
        random[..8].copy_from_slice(&self.next().to_be_bytes());
        random[8..].copy_from_slice(&self.next().to_be_bytes()[..2]);
        let millis = u64::try_from(at / 1_000).unwrap_or_default();
        Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }
}

fn mixed(mut state: u64) -> u64 {
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

fn scaled(span: u64, part: u64) -> u64 {
    let wide = (u128::from(span) * u128::from(part)) >> 32;
    u64::try_from(wide).expect("a part of a number of 64 bits")
}
