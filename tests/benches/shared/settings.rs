//! Environment variables that set the form and duration of a bench.

use std::env;
use std::str::FromStr;

/// Returns the value of an environment variable, or the default of this form: `full`, or `short` if
/// `GRATEFUL_BENCH=short` is set.
///
/// The short form takes seconds. It checks that a bench still measures something; its figures mean little.
pub(crate) fn setting<T: FromStr>(name: &str, full: T, short: T) -> T {
    match env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a valid value")),
        Err(_) if is_short() => short,
        Err(_) => full,
    }
}

fn is_short() -> bool {
    match env::var("GRATEFUL_BENCH").as_deref() {
        Ok("short") => true,
        Ok(other) => panic!("GRATEFUL_BENCH={other}: the only form with a name is `short`"),
        Err(_) => false,
    }
}
