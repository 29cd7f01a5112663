//! What SQLSTATEs mean, and which of them recent errors had.
//!
//! Errors of Diesel have the message of PostgreSQL, which is in the language of the server, but not the SQLSTATE. So the
//! connections of this crate note both when an error arrives, and the conversion of Diesel's error looks the message up.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// What an SQLSTATE means for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The transaction lost against another one. A retry may succeed.
    Conflict,
    /// The server is starting, stopping, read-only or overloaded, or a timeout has expired.
    Unavailable,
}

/// The meaning of an SQLSTATE, if it is not a mistake in the statement.
pub(crate) fn meaning_of(state: &str) -> Option<Meaning> {
    match state {
        // Serialization failure, deadlock.
        "40001" | "40P01" => Some(Meaning::Conflict),
        // Read-only transaction, timeouts of transactions, lock timeout, input or output error.
        "25006" | "25P03" | "25P04" | "55P03" | "58030" => Some(Meaning::Unavailable),
        // Connection exception, insufficient resources, operator intervention.
        _ if ["08", "53", "57"].iter().any(|class| state.starts_with(class)) => {
            Some(Meaning::Unavailable)
        }
        _ => None,
    }
}

/// Whether a connection is of no use after this SQLSTATE: the server ends the session, or does not accept writes.
pub(crate) fn ends_session(state: &str) -> bool {
    ["25006", "25P03", "25P04"].contains(&state)
        || ["08", "57P"].iter().any(|class| state.starts_with(class))
}

/// Whether the server itself has changed, so that other connections to it are probably of no use either.
pub(crate) fn concerns_server(state: &str) -> bool {
    ["25006", "57P01", "57P02", "57P03"].contains(&state)
}

/// The maximum number of remembered errors. Each is looked up within microseconds.
const CAPACITY: usize = 64;

/// Messages of recent errors with a meaning, the newest last.
static RECENT: Mutex<VecDeque<(String, Meaning)>> = Mutex::new(VecDeque::new());

/// Notes an error that has arrived, unless it is a mistake in a statement.
pub(crate) fn remember(state: &str, message: &str) {
    let Some(meaning) = meaning_of(state) else { return };
    let mut recent = RECENT.lock().unwrap_or_else(PoisonError::into_inner);
    recent.retain(|(known, _)| known != message);
    if recent.len() == CAPACITY {
        recent.pop_front();
    }
    recent.push_back((message.to_owned(), meaning));
}

/// The message of a deadlock on a server with English messages. Errors of connections that were opened elsewhere are not
/// remembered.
const DEADLOCK: &str = "deadlock detected";

/// The meaning of a recent error with this message.
pub(crate) fn find(message: &str) -> Option<Meaning> {
    let recent = RECENT.lock().unwrap_or_else(PoisonError::into_inner);
    let remembered = recent.iter().rev().find(|(known, _)| known == message);
    let remembered = remembered.map(|(_, meaning)| *meaning);
    remembered.or_else(|| (message == DEADLOCK).then_some(Meaning::Conflict))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_errors_are_remembered() {
        for number in 0..=CAPACITY {
            remember("53100", &format!("could not extend file {number}"));
        }

        assert_eq!(find("could not extend file 0"), None);
        assert_eq!(find("could not extend file 64"), Some(Meaning::Unavailable));
    }

    #[test]
    fn a_cancelled_statement_leaves_the_session_usable() {
        assert_eq!(meaning_of("57014"), Some(Meaning::Unavailable));
        assert!(!ends_session("57014"));
    }

    #[test]
    fn a_mistake_in_a_statement_says_nothing_about_the_server() {
        for state in ["23505", "42703", "22P02", "0A000", "XX000"] {
            assert_eq!(meaning_of(state), None, "{state}");
            assert!(!ends_session(state), "{state}");
        }
    }

    #[test]
    fn a_server_that_stops_or_is_read_only_ends_its_sessions() {
        for state in ["25006", "57P01", "57P02", "57P03", "57P04", "57P05"] {
            assert_eq!(meaning_of(state), Some(Meaning::Unavailable), "{state}");
            assert!(ends_session(state), "{state}");
        }
    }
}
