//! Who and what gets most of it.

use crate::dice::{About, Dice};

/// Places of which the first are picked far more often than the last: the chance of a place falls with its rank `r` as
/// `1 / (r + flat)` (Zipf's law with exponent 1 and Mandelbrot's correction, which keeps the very first from taking all).
#[derive(Debug)]
pub(crate) struct Zipf {
    /// The weights up to and including each rank.
    up_to: Vec<u64>,
    /// What stands at each rank.
    order: Vec<usize>,
}

impl Zipf {
    /// A ranking of the numbers below `many`, made up by chance.
    pub(crate) fn of(many: usize, subject: About, seed: u64) -> Self {
        Self::ranking((0..many).collect(), subject, seed)
    }

    /// A ranking of these.
    pub(crate) fn ranking(mut order: Vec<usize>, subject: About, seed: u64) -> Self {
        Dice::about(subject, seed).shuffle(&mut order);
        let flat = order.len().isqrt() as u64 / 3 + 1;
        let weights = (flat..).map(|rank| (1 << 40) / rank);
        let sums = weights.scan(0_u64, |sum, weight| {
            *sum += weight;
            Some(*sum)
        });
        Self { up_to: sums.take(order.len()).collect(), order }
    }

    /// One of them; there must be any.
    pub(crate) fn pick(&self, dice: &mut Dice) -> usize {
        let at = dice.below(self.up_to.last().copied().unwrap_or(1));
        self.order[self.up_to.partition_point(|sum| *sum <= at)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_hundredth_gets_a_share_far_beyond_its_own_and_nobody_is_left_out() {
        let zipf = Zipf::of(1_000, About::Activity, 7);
        let mut dice = Dice::about(About::Posts, 7);
        let mut picked = vec![0_u32; 1_000];

        (0..200_000).for_each(|_| picked[zipf.pick(&mut dice)] += 1);

        picked.sort_unstable_by(|a, b| b.cmp(a));
        let first: u32 = picked[..10].iter().sum();
        assert!((20_000..60_000).contains(&first), "{first} of 200,000");
        assert!(picked.iter().all(|times| *times > 0), "{picked:?}");
    }

    #[test]
    fn the_only_one_is_always_picked() {
        assert_eq!(Zipf::of(1, About::Favour, 1).pick(&mut Dice::about(About::Posts, 1)), 0);
    }
}
