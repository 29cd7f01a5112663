//! Processes that this one started and that may outlive its interest in them.

use std::process::Child;
use std::sync::{Mutex, PoisonError};

static LEFT: Mutex<Vec<Child>> = Mutex::new(Vec::new());

/// Keeps a process in mind until it ends, so that it does not stay a zombie.
pub(crate) fn leave(child: Child) {
    LEFT.lock().unwrap_or_else(PoisonError::into_inner).push(child);
    bury();
}

/// Waits for those that have ended.
pub(crate) fn bury() {
    let mut left = LEFT.lock().unwrap_or_else(PoisonError::into_inner);
    left.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
}
