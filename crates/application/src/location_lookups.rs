//! Concurrent searches for the same locations share one request to the geocoder.

use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::{Shared, WeakShared};
use grateful_domain::Location;

use crate::{Error, Result};

/// A lookup in progress. Its error is shared by all searches that wait for it.
type Lookup = Pin<Box<dyn Future<Output = Result<Vec<Location>, Arc<Error>>> + Send>>;

/// The lookups in progress of this node, by search text and limit.
#[derive(Default)]
pub struct LocationLookups(Mutex<HashMap<(String, u8), WeakShared<Lookup>>>);

impl LocationLookups {
    /// Waits for the lookup of this key that is in progress, or for `lookup` if there is none.
    pub(crate) async fn join(
        &self,
        key: (String, u8),
        lookup: impl Future<Output = Result<Vec<Location>>> + Send + 'static,
    ) -> Result<Vec<Location>> {
        let shared = self.find_or_insert(key, lookup);
        shared.await.map_err(|error| error_from_shared(&error))
    }

    fn find_or_insert(
        &self,
        key: (String, u8),
        lookup: impl Future<Output = Result<Vec<Location>>> + Send + 'static,
    ) -> Shared<Lookup> {
        let mut lookups = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = lookups.get(&key).and_then(WeakShared::upgrade) {
            return running;
        }
        lookups.retain(|_, lookup| lookup.upgrade().is_some());
        let lookup: Lookup = Box::pin(lookup.map(|result| result.map_err(Arc::new)));
        let lookup = lookup.shared();
        if let Some(weak) = lookup.downgrade() {
            lookups.insert(key, weak);
        }
        lookup
    }
}

impl fmt::Debug for LocationLookups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LocationLookups")
    }
}

/// The error of a lookup, for one of the searches that waited for it.
fn error_from_shared(error: &Arc<Error>) -> Error {
    match **error {
        Error::RuleViolation { constraint, reason } => Error::RuleViolation { constraint, reason },
        Error::Unavailable(_) | Error::Contended(_) => Error::Unavailable(Arc::clone(error).into()),
        _ => Error::Internal(Arc::clone(error).into()),
    }
}
