//! The choice between the full and the short form of a test.

/// Returns `full` if `GRATEFUL_FULL=1` is set, and otherwise `short`.
pub fn full_or_short<T>(full: T, short: T) -> T {
    if std::env::var_os("GRATEFUL_FULL").is_some_and(|value| value == "1") { full } else { short }
}
