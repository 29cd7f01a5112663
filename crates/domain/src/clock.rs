//! Times written by clocks that were ahead (docs/rules.md#clocks).

use chrono::{DateTime, TimeDelta, Utc};

/// How far the clock of one node may be ahead of another's.
///
/// Synchronized clocks differ by milliseconds, and Kerberos tolerates the same 5 minutes (RFC 4120, 1.6). This is shorter
/// than every window that a rule compares with, and long enough that a user sees their new post on any node.
pub const MAX_CLOCK_SKEW: TimeDelta = TimeDelta::minutes(5);

/// Returns how long ago something was written. Zero if the clock that wrote it is ahead by less than [`MAX_CLOCK_SKEW`].
/// `None` if it was ahead by more: the time is wrong, and counts as outside every window.
pub(crate) fn elapsed_since(written_at: DateTime<Utc>, now: DateTime<Utc>) -> Option<TimeDelta> {
    let is_plausible = written_at - now < MAX_CLOCK_SKEW;
    is_plausible.then(|| (now - written_at).max(TimeDelta::zero()))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(3, Some(3))]
    #[case(0, Some(0))]
    #[case(-4, Some(0))]
    #[case(-5, None)]
    #[case(-30 * 24 * 60, None)]
    fn times_far_in_the_future_are_no_time_ago(
        #[case] age_minutes: i64,
        #[case] elapsed_minutes: Option<i64>,
    ) {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        let elapsed = elapsed_since(now - TimeDelta::minutes(age_minutes), now);
        assert_eq!(elapsed, elapsed_minutes.map(TimeDelta::minutes));
    }
}
