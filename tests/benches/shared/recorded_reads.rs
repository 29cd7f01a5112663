//! Reads, each with the statements that the server runs for it.
//!
//! The statements are read from PostgreSQL's log, so they are always those of today's server.

use std::collections::BTreeMap;
use std::process::Stdio;

use grateful_tests::{Client, Setup, SqlConnection, Token};
use regex::{Captures, Regex};

use crate::pgbench::Script;
use crate::statement_log::{LOGGING, LoggedStatement, StatementLog};
use crate::temporary_cluster::{TemporaryCluster, with_settings};

/// One kind of read.
pub(crate) struct Read {
    pub(crate) name: &'static str,
    pub(crate) path: String,
    /// The reader. `None` for a guest.
    pub(crate) token: Option<Token>,
}

/// A read, and its statements as a script for pgbench.
pub(crate) struct RecordedRead {
    pub(crate) read: Read,
    pub(crate) statement_count: usize,
    pub(crate) script: Script,
}

/// Sends each read to a server whose statements are logged.
///
/// # Panics
///
/// If a read has no statements.
pub(crate) async fn record(cluster: &TemporaryCluster, reads: Vec<Read>) -> Vec<RecordedRead> {
    let sql = SqlConnection::connect(&cluster.url()).await;
    let mut log = StatementLog::open(&sql).await;
    let setup = Setup::with_database_url(&with_settings(&cluster.url(), LOGGING));
    let server = setup.start_with_log(Stdio::null()).await;
    let client = server.client();
    let mut recorded = Vec::new();
    for read in reads {
        let statements = find_statements(&client, &read, &mut log).await;
        assert!(!statements.is_empty(), "{}: the log has no statement", read.name);
        let script = write_script(&statements, &sql).await;
        recorded.push(RecordedRead { read, statement_count: statements.len(), script });
    }
    recorded
}

/// Repeats a read until it runs the same statements twice in a row. The first requests also open connections, and jobs
/// of the server run their own statements.
async fn find_statements(
    client: &Client,
    read: &Read,
    log: &mut StatementLog,
) -> Vec<LoggedStatement> {
    let mut previous = Vec::new();
    for _ in 0..20 {
        log.read();
        let request = client.get(&read.path);
        let request = match &read.token {
            Some(token) => request.by(token),
            None => request,
        };
        request.send().await.expect(200);
        let statements = log.read();
        let is_same = |(one, other): (&LoggedStatement, &LoggedStatement)| one.sql == other.sql;
        if statements.len() == previous.len() && statements.iter().zip(&previous).all(is_same) {
            return statements;
        }
        previous = statements;
    }
    panic!("{}: each request runs other statements", read.name);
}

/// Writes a script that runs these statements with the same values and types of parameters.
async fn write_script(statements: &[LoggedStatement], sql: &SqlConnection) -> Script {
    let parameter_pattern = Regex::new(r"\$(\d+)").expect("a pattern");
    let mut script = Script::new("");
    for (index, statement) in statements.iter().enumerate() {
        let mut replacements = BTreeMap::new();
        for (number, parameter) in &statement.parameters {
            let type_name = format!("SELECT format_type({}, NULL)", parameter.type_oid);
            let type_name = sql.run(&type_name).await;
            let variable = format!("statement_{index}_parameter_{number}");
            let replacement = match &parameter.value {
                Some(_) => format!(":{variable}::{type_name}"),
                None => format!("NULL::{type_name}"),
            };
            script.variables.extend(parameter.value.clone().map(|value| (variable, value)));
            replacements.insert(number.to_string(), replacement);
        }
        let replace = |parameter: &Captures<'_>| replacements[&parameter[1]].clone();
        script.sql.push_str(&parameter_pattern.replace_all(&statement.sql, replace));
        script.sql.push_str(";\n");
    }
    script
}
