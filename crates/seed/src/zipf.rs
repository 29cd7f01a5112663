//! Samples with a skewed (Zipfian) distribution.

use crate::rng::{Rng, Stream};

/// Samples items by rank: the probability of rank `r` is proportional to `1 / (r + flat)`. This is Zipf's law with
/// exponent 1 and Mandelbrot's correction, which keeps the first ranks from dominating.
#[derive(Debug)]
pub(crate) struct ZipfSampler {
    /// Sum of the weights up to and including each rank.
    cumulative_weights: Vec<u64>,
    /// The item at each rank.
    items: Vec<usize>,
}

impl ZipfSampler {
    /// Samples the numbers in `0..count`, ranked at random.
    pub(crate) fn below(count: usize, stream: Stream, seed: u64) -> Self {
        Self::over((0..count).collect(), stream, seed)
    }

    /// Samples `items`, ranked at random.
    pub(crate) fn over(mut items: Vec<usize>, stream: Stream, seed: u64) -> Self {
        Rng::for_stream(stream, seed).shuffle(&mut items);
        let flat = items.len().isqrt() as u64 / 3 + 1;
        let weights = (flat..).map(|rank| (1 << 40) / rank);
        let sums = weights.scan(0_u64, |sum, weight| {
            *sum += weight;
            Some(*sum)
        });
        Self { cumulative_weights: sums.take(items.len()).collect(), items }
    }

    /// Draws an item. The sampler must not be empty.
    pub(crate) fn sample(&self, rng: &mut Rng) -> usize {
        let drawn = rng.below(self.cumulative_weights.last().copied().unwrap_or(1));
        self.items[self.cumulative_weights.partition_point(|sum| *sum <= drawn)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_percent_is_drawn_most_often_and_every_item_is_drawn() {
        let sampler = ZipfSampler::below(1_000, Stream::Activity, 7);
        let mut rng = Rng::for_stream(Stream::Posts, 7);
        let mut draws = vec![0_u32; 1_000];

        (0..200_000).for_each(|_| draws[sampler.sample(&mut rng)] += 1);

        draws.sort_unstable_by(|a, b| b.cmp(a));
        let first: u32 = draws[..10].iter().sum();
        assert!((20_000..60_000).contains(&first), "{first} of 200,000");
        assert!(draws.iter().all(|count| *count > 0), "{draws:?}");
    }

    #[test]
    fn a_single_item_is_always_drawn() {
        let sampler = ZipfSampler::below(1, Stream::PostPopularity, 1);

        assert_eq!(sampler.sample(&mut Rng::for_stream(Stream::Posts, 1)), 0);
    }
}
