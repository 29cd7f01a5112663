//! The settings of a session.

use std::fmt::Write;

/// Settings of PostgreSQL for one session, by name.
#[derive(Debug, Clone, Default)]
pub(super) struct SessionSettings(Vec<(&'static str, String)>);

impl SessionSettings {
    /// Only the isolation level of transactions, in place of the default of the database, the role or the server. The
    /// statements of this crate are written for `read committed`: at a higher level, concurrent writes that wait for the same
    /// row would fail instead of continuing with the new version of it.
    pub(super) fn isolation() -> Self {
        Self(vec![("default_transaction_isolation", "read committed".to_owned())])
    }

    /// Those of a session whose statements may take as long as they need, regardless of the limits of its role.
    pub(super) fn unlimited() -> Self {
        Self::isolation().with("statement_timeout", "0").with("lock_timeout", "0")
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.0.push((name, value.into()));
        self
    }

    /// As the parameter `options` of the packet that starts a session. It takes no round trip, and a connection pooler that
    /// lends a session to many clients sees it and can leave it out: a statement would set the session for all of them.
    pub(super) fn to_options(&self) -> String {
        self.0.iter().fold(String::new(), |mut options, (name, value)| {
            // A backslash protects a space.
            _ = write!(options, " -c {name}={}", value.replace(' ', "\\ "));
            options
        })
    }

    /// As statements, for a session that has started.
    pub(super) fn to_statements(&self) -> String {
        let set = |(name, value): &(&str, String)| format!("SET {name} = '{value}'");
        self.0.iter().map(set).collect::<Vec<_>>().join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_space_in_a_value_does_not_end_it() {
        let settings = SessionSettings::isolation().with("jit", "off");

        assert_eq!(
            settings.to_options(),
            r" -c default_transaction_isolation=read\ committed -c jit=off"
        );
        assert_eq!(
            settings.to_statements(),
            "SET default_transaction_isolation = 'read committed'; SET jit = 'off'"
        );
    }
}
