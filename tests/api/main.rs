//! Tests of the binary from outside: real processes, sockets and signals. A test that needs only one crate belongs in that
//! crate.

#![expect(clippy::unwrap_used, reason = "a test whose value cannot be unwrapped has failed")]

/// Journeys of users through many endpoints. Tests of a single requirement do not belong here.
mod journeys;

/// The conventions of the API (docs/http-api.md#conventions), where a test needs a real connection.
mod contract;

/// Faults: kills, locks, slow and misbehaving clients, overload, and shutdown during requests.
mod resilience;

/// Rate limits, which all threads of a server share.
mod rate_limits;

/// The metrics page and the `Server-Timing` header.
mod metrics;

/// The command line: help, settings, commands, logs.
mod cli;

/// The web client, and previews of links to posts.
mod site;

/// TLS to PostgreSQL. The tests of storage alone compile no TLS.
mod database_tls;

/// What a service manager learns of the server.
mod service_manager;
