//! Chance that can be repeated.

/// A small generator (`SplitMix64`): the same seed throws the same numbers.
pub(crate) struct Dice(u64);

impl Dice {
    /// Those of one player: two of them share no throws.
    pub(crate) fn of(player: usize, seed: u64) -> Self {
        let player = u64::try_from(player).unwrap();
        Self(seed ^ player.wrapping_mul(0xd134_2543_de82_ef95))
    }

    /// One of the numbers below `sides`.
    pub(crate) fn below(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % u64::try_from(sides).unwrap()).unwrap()
    }

    /// One of these.
    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}
