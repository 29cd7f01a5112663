//! Positions in the write-ahead log.

use std::fmt;

/// A position in PostgreSQL's write-ahead log (log sequence number), in bytes from its beginning. A server that has replayed
/// the log up to the position of a commit shows its rows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct Lsn(i64);

impl Lsn {
    /// The beginning of the log, which every server has replayed.
    pub(crate) const ZERO: Self = Self(0);

    /// From the number of bytes.
    pub(crate) fn from_bytes(bytes: i64) -> Self {
        Self(bytes)
    }

    /// The number of bytes.
    pub(crate) fn bytes(self) -> i64 {
        self.0
    }
}

/// As PostgreSQL writes it: `16/B374D848`.
impl fmt::Debug for Lsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:X}/{:X}", self.0 >> 32, self.0 & 0xFFFF_FFFF)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_shown_as_postgresql_shows_it() {
        assert_eq!(format!("{:?}", Lsn::from_bytes((0x16 << 32) + 0xB374_D848)), "16/B374D848");
    }
}
