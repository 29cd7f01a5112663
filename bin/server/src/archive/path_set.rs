//! A set of paths that takes little memory.

use std::collections::HashSet;

use sha2::{Digest as _, Sha256};

/// A set of paths, as the first 16 bytes of their hashes: a million paths take about 30 MB.
#[derive(Debug, Default)]
pub(crate) struct PathSet(HashSet<u128>);

impl PathSet {
    /// Adds a path. Returns whether it was new.
    pub(crate) fn insert(&mut self, path: &str) -> bool {
        self.0.insert(path_hash(path))
    }

    pub(crate) fn contains(&self, path: &str) -> bool {
        self.0.contains(&path_hash(path))
    }
}

/// The first 16 bytes of the hash of a path.
pub(super) fn path_hash(path: &str) -> u128 {
    let hash: [u8; 32] = Sha256::digest(path.as_bytes()).into();
    hash.into_iter().take(16).fold(0, |number, byte| number << 8 | u128::from(byte))
}
