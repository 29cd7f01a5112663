//! The command line: help, settings, commands, logs.

/// What it explains, and what it says of wrong settings.
mod settings;

/// What it does besides serving.
mod commands;

/// The made-up worlds that it fills a database with.
mod seed;

/// What it writes while it serves, and what it must not.
mod logs;
