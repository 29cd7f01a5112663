//! The total number of items in a list.

/// The total number of items in a list, counted up to a maximum: counting millions of rows takes as long as reading them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Total {
    /// Exactly this many.
    Exactly(i64),
    /// More than this many; counting stopped there.
    MoreThan(i64),
}

impl Total {
    /// Interprets a count that stopped at `max + 1` items.
    pub fn from_capped_count(count: i64, max: u16) -> Self {
        let max = i64::from(max);
        if count <= max { Self::Exactly(count) } else { Self::MoreThan(max) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_above_the_cap_is_reported_as_more_than_the_cap() {
        assert_eq!(Total::from_capped_count(9, 10), Total::Exactly(9));
        assert_eq!(Total::from_capped_count(10, 10), Total::Exactly(10));
        assert_eq!(Total::from_capped_count(11, 10), Total::MoreThan(10));
    }
}
