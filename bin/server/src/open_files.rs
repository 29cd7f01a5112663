//! The limit on open files, which every connection counts against.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What macOS accepts at most when the hard limit is unlimited.
const MACOS_LIMIT: u64 = 10_240;

/// Raises the soft limit on open files to the hard limit. Service managers and shells set a low soft limit (1,024 or 256)
/// for the sake of programs that use `select`, and leave it to other programs to raise it.
pub(crate) fn raise_limit() {
    let before = getrlimit(Resource::Nofile);
    let raised = [before.maximum, Some(MACOS_LIMIT)].into_iter().any(|current| {
        let is_higher = match (before.current, current) {
            (Some(before), Some(current)) => before < current,
            (Some(_), None) => true,
            (None, _) => false,
        };
        is_higher
            && setrlimit(Resource::Nofile, Rlimit { current, maximum: before.maximum }).is_ok()
    });
    let limit = getrlimit(Resource::Nofile).current;
    tracing::debug!(raised, limit, "Limit on open files");
}
