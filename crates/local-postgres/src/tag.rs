//! Short names for long ones.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;

use sha2::{Digest as _, Sha256};

/// A name of its own for what a path or a word stands for, short enough for a socket.
pub(crate) fn tag(text: impl AsRef<OsStr>) -> String {
    let mut hex = String::new();
    for byte in Sha256::digest(text.as_ref().as_bytes()).iter().take(5) {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}
