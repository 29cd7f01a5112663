//! Clusters as their users meet them: real processes, real signals.

/// Processes and folders to try things on. Nothing that is tested belongs here.
mod support;

/// Creating, stopping, opening again.
mod life;

/// Several users of one cluster.
mod sharing;

/// What is killed, and what comes back.
mod death;

/// Root, ordinary accounts, folders of others.
mod accounts;

/// Finding PostgreSQL's programs, or fetching them.
mod programs;
