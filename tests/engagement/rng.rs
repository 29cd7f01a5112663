//! Reproducible random numbers.

/// A random number generator (`SplitMix64`). The same seed yields the same numbers.
pub(crate) struct Rng(u64);

impl Rng {
    /// Creates the generator of one user. Different users get different sequences.
    pub(crate) fn for_user(index: usize, seed: u64) -> Self {
        let index = u64::try_from(index).unwrap();
        Self(seed ^ index.wrapping_mul(0xd134_2543_de82_ef95))
    }

    /// A number from 0 up to, but not including, `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % u64::try_from(bound).unwrap()).unwrap()
    }

    /// One of these items.
    pub(crate) fn choose<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }
}
