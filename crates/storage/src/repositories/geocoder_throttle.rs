//! The `geocoder_throttle` table: when the next request to the geocoder may be sent, by any node.
//!
//! It is unlogged: after a crash of the primary, the first reservation inserts its row.

use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::Double;
use diesel_async::RunQueryDsl;

use crate::query::statement;
use crate::{Connection, Result};

/// The repository of the throttle.
pub struct GeocoderThrottle<'c, C = Connection> {
    pub(super) conn: &'c mut C,
}

impl GeocoderThrottle<'_> {
    /// Reserves the next slot, at least `min_interval` after the one before it. Returns how long to wait for it, by the clock of
    /// the database, so that those of the nodes do not matter. `None` if it is more than `max_wait` away; then nothing is
    /// reserved. A caller that does not use its slot leaves it unused.
    pub async fn reserve(
        &mut self,
        min_interval: Duration,
        max_wait: Duration,
    ) -> Result<Option<Duration>> {
        let (min_interval, max_wait) = (min_interval.as_secs_f64(), max_wait.as_secs_f64());
        let reserve = ReserveGeocoderSlot { min_interval, max_wait };
        let wait: Option<f64> = reserve.get_result(self.conn).await.optional()?;
        // Negative if the slot is due and time has passed in the statement.
        Ok(wait.map(|seconds| Duration::try_from_secs_f64(seconds).unwrap_or_default()))
    }
}

statement! {
    /// `clock_timestamp`, since the statement may have waited for another one. A slot so far away that no caller can have
    /// reserved it is from a clock that was ahead, and counts as free.
    ReserveGeocoderSlot { min_interval: f64 as Double, max_wait: f64 as Double } -> Double,
    "INSERT INTO geocoder_throttle AS throttle (id, next_slot)
     VALUES (true, clock_timestamp() + make_interval(secs => :min_interval))
     ON CONFLICT (id) DO UPDATE SET next_slot = make_interval(secs => :min_interval) + CASE
         WHEN throttle.next_slot BETWEEN clock_timestamp() AND clock_timestamp() + make_interval(secs => :max_wait)
             THEN throttle.next_slot
         ELSE clock_timestamp()
     END
     WHERE NOT (
         clock_timestamp() + make_interval(secs => :max_wait) < throttle.next_slot
         AND throttle.next_slot <= clock_timestamp() + make_interval(secs => :max_wait + :min_interval)
     )
     RETURNING extract(epoch FROM next_slot - clock_timestamp())::double precision - :min_interval"
}
