//! The command line: help, settings, commands, logs.

/// The help texts, and errors for invalid settings.
mod settings;

/// Small commands: `migrate`, `openapi`, `password`, `verify`, `completions`, `man`.
mod commands;

/// `grateful backup` and `grateful restore`.
mod backups;

/// Archives that `grateful restore` refuses, and targets that both commands refuse.
mod bad_backups;

/// Installations that `grateful doctor` checks.
mod doctor;

/// `grateful user`.
mod users;

/// The generated data of `grateful seed`.
mod seed;

/// The import of a database of the older Grateful.
mod import;

/// The log of a running server, and what it must not contain.
mod logs;
