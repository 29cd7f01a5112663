//! The `location_cache` table: the locations that the geocoder found, for all nodes.
//!
//! It is unlogged: a crash of the primary empties it, and a replica cannot read it.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Timestamptz};
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl;
use grateful_domain::{Location, LocationQuery};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::expired_rows::delete_part;
use crate::query::statement;
use crate::schema::location_cache;
use crate::{Connection, ReadConnection, Result, StorageError};

/// The repository of cached locations. All methods must run on the primary.
pub struct LocationCache<'c, C = Connection> {
    pub(super) conn: &'c mut C,
}

impl<C: ReadConnection> LocationCache<'_, C> {
    /// Finds the result of a search for at most `max_results` locations that was stored after `since`.
    pub async fn find(
        &mut self,
        query: &LocationQuery,
        max_results: u8,
        since: DateTime<Utc>,
    ) -> Result<Option<Vec<Location>>> {
        let found: Option<Value> = location_cache::table
            .find((hash(query), i16::from(max_results)))
            .filter(location_cache::stored_at.gt(since))
            .select(location_cache::locations)
            .first(self.conn)
            .await
            .optional()?;
        found.map(to_locations).transpose()
    }
}

impl LocationCache<'_> {
    /// Stores the result of a search for at most `max_results` locations, instead of an earlier one.
    pub async fn put(
        &mut self,
        query: &LocationQuery,
        max_results: u8,
        locations: &[Location],
        now: DateTime<Utc>,
    ) -> Result<()> {
        let locations = locations.iter().map(|location| Value::Object(location.as_map().clone()));
        diesel::insert_into(location_cache::table)
            .values((
                location_cache::query_hash.eq(hash(query)),
                location_cache::max_results.eq(i16::from(max_results)),
                location_cache::locations.eq(Value::Array(locations.collect())),
                location_cache::stored_at.eq(now),
            ))
            .on_conflict((location_cache::query_hash, location_cache::max_results))
            .do_update()
            .set((
                location_cache::locations.eq(excluded(location_cache::locations)),
                location_cache::stored_at.eq(excluded(location_cache::stored_at)),
            ))
            .execute(self.conn)
            .await?;
        Ok(())
    }

    /// Deletes up to `limit` results that were stored at `before` or earlier, or that are not among the newest `max_rows`.
    /// Returns their number.
    pub async fn sweep(&mut self, before: DateTime<Utc>, max_rows: i64, limit: i64) -> Result<i64> {
        Ok(SweepLocationCache { before, max_rows, limit }.get_result(self.conn).await?)
    }
}

/// The key of a query, which does not reveal the text of a user.
fn hash(query: &LocationQuery) -> Vec<u8> {
    Sha256::digest(query.to_key()).to_vec()
}

fn to_locations(stored: Value) -> Result<Vec<Location>> {
    let location = |value| match value {
        Value::Object(location) => Some(Location::from_stored(location)),
        _ => None,
    };
    let locations = match stored {
        Value::Array(values) => values.into_iter().map(location).collect(),
        _ => None,
    };
    locations.ok_or(StorageError::Corrupt { column: "location_cache.locations" })
}

statement! {
    SweepLocationCache {
        before: DateTime<Utc> as Timestamptz, max_rows: i64 as BigInt, limit: i64 as BigInt,
    } -> BigInt,
    delete_part(
        "location_cache",
        "stored_at",
        "stored_at <= greatest(
            :before, (SELECT stored_at FROM location_cache ORDER BY stored_at DESC OFFSET :max_rows LIMIT 1)
        )",
    )
}
