//! How many entries a list has.

/// How somebody wants to know how many entries a list has. Nobody counts unless asked to: a list of millions is counted
/// no faster than it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CountMode {
    /// Count, but no further than so many.
    UpTo(u16),
    /// Tell what is kept beside the rows, or what PostgreSQL believes; it costs nothing, and is not known of every list.
    Estimated,
}

/// How many entries a list has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Total {
    /// So many.
    Exactly(i64),
    /// More than so many, which was as far as was counted.
    MoreThan(i64),
    /// About so many: PostgreSQL had another look at the table some while ago.
    About(i64),
}

impl Total {
    /// The number, whatever it means.
    pub const fn number(self) -> i64 {
        match self {
            Self::Exactly(number) | Self::MoreThan(number) | Self::About(number) => number,
        }
    }

    /// What a count means that went no further than one beyond `most`.
    pub fn from_capped_count(count: i64, most: u16) -> Self {
        let most = i64::from(most);
        if count <= most { Self::Exactly(count) } else { Self::MoreThan(most) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_that_reached_its_end_says_no_more_than_that_there_are_more() {
        assert_eq!(Total::from_capped_count(9, 10), Total::Exactly(9));
        assert_eq!(Total::from_capped_count(10, 10), Total::Exactly(10));
        assert_eq!(Total::from_capped_count(11, 10), Total::MoreThan(10));
    }
}
