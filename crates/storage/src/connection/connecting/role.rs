//! The role of a server.

use tokio_postgres::config::TargetSessionAttrs;

/// What a server must be: `target_session_attrs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Any,
    ReadWrite,
    ReadOnly,
    Primary,
    Standby,
}

impl Role {
    pub(super) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "any" => Self::Any,
            "read-write" => Self::ReadWrite,
            "read-only" => Self::ReadOnly,
            "primary" => Self::Primary,
            "standby" => Self::Standby,
            _ => return None,
        })
    }

    /// Among several hosts, the one that accepts writes.
    pub(super) fn by_default(attrs: TargetSessionAttrs, hosts: usize) -> Self {
        match attrs {
            TargetSessionAttrs::ReadWrite => Self::ReadWrite,
            TargetSessionAttrs::ReadOnly => Self::ReadOnly,
            _ if 1 < hosts => Self::ReadWrite,
            _ => Self::Any,
        }
    }

    /// The statement that asks a server for its role, and the answer of a server that has it. A session that only reads is
    /// read-only on any server.
    pub(super) fn question(self, reads_only: bool) -> Option<(&'static str, &'static str)> {
        let question =
            if reads_only { "SHOW in_hot_standby" } else { "SHOW transaction_read_only" };
        match self {
            Self::Any => None,
            Self::ReadWrite => Some((question, "off")),
            Self::ReadOnly => Some((question, "on")),
            Self::Primary => Some(("SELECT pg_is_in_recovery()", "f")),
            Self::Standby => Some(("SELECT pg_is_in_recovery()", "t")),
        }
    }

    /// Why a server without the role is not used.
    pub(super) fn refusal(self) -> &'static str {
        match self {
            Self::Any => "is not used",
            Self::ReadWrite => "accepts only reads",
            Self::ReadOnly => "accepts writes",
            Self::Primary => "is a standby",
            Self::Standby => "is a primary",
        }
    }
}
