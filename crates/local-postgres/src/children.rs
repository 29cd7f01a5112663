//! Child processes that outlive the value that started them, kept so that they can be reaped.

use std::process::Child;
use std::sync::{Mutex, PoisonError};

static ADOPTED: Mutex<Vec<Child>> = Mutex::new(Vec::new());

/// Keeps a child process until it exits, so that it does not stay a zombie.
pub(crate) fn adopt(child: Child) {
    ADOPTED.lock().unwrap_or_else(PoisonError::into_inner).push(child);
    reap();
}

/// Reaps the adopted processes that have exited.
pub(crate) fn reap() {
    let mut adopted = ADOPTED.lock().unwrap_or_else(PoisonError::into_inner);
    adopted.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
}
