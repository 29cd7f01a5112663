//! The web client in Chromium, with the real server. `tests/browser/run` installs what is needed and runs these tests;
//! `cargo test` lists them as ignored.

#![expect(clippy::unwrap_used, reason = "a test whose value cannot be unwrapped has failed")]

mod browser;
mod page;
mod visitor;

/// No violation that axe-core finds, and everything by keyboard.
mod accessibility;

/// Offline and back, and sessions that end elsewhere.
mod connection;

/// Texts and names that are meant to run scripts or to break the layout.
mod hostile_texts;

/// What people do with each other, in two browsers at once.
mod journey;

/// Notifications as they arrive.
mod notifications;

/// The page for operators.
mod operators;

/// All pages at several widths, light and dark.
mod screens;
