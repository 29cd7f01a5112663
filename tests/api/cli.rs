//! The command line: help, settings, commands, logs.

/// The help texts, and errors for invalid settings.
mod settings;

/// All commands except `serve` and `seed`.
mod commands;

/// The generated data of `grateful seed`.
mod seed;

/// The log of a running server, and what it must not contain.
mod logs;
