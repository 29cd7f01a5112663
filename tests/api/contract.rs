//! The conventions of the API (docs/http-api.md#conventions), where a test needs a real connection.

/// Bodies and headers of successful responses.
mod successes;

/// Error responses, for malformed HTTP, oversized requests and invalid input.
mod failures;

/// The lifetime and reuse of connections.
mod connections;
