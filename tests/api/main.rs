//! A guided tour of the program as its users meet it: real processes, real sockets, real signals. What one crate can
//! show by itself is tested in that crate.

#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped has failed")]

/// What a person does, from joining to leaving. Long stories; one requirement alone does not belong here.
mod journeys;

/// What every answer owes to its client (`http-contract.md` §1), as far as only a real connection shows it.
mod contract;

/// Faults: kills, locks, slow and rude clients, too many of them, and stopping in the midst of it all.
mod resilience;

/// How often anything may be done, and what is asked of others.
mod limits;

/// What a server shows of itself.
mod metrics;

/// The command line: help, settings, commands, logs.
mod cli;
