//! What every answer owes to its client (`http-contract.md` §1), as far as only a real connection shows it.

/// Answers to good requests: their form, their headers.
mod successes;

/// Answers to bad requests, from the first byte that is no HTTP to the last that is too many.
mod failures;

/// Connections: kept, shared, ended.
mod connections;
