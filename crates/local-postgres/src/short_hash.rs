//! Short names derived from long ones.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;

use sha2::{Digest as _, Sha256};

/// The first 40 bits of the text's SHA-256 in hexadecimal, short enough for a socket path.
pub(crate) fn short_hash(text: impl AsRef<OsStr>) -> String {
    let mut hex = String::new();
    for byte in Sha256::digest(text.as_ref().as_bytes()).iter().take(5) {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}
