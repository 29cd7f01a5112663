//! The statements that a request runs, read from PostgreSQL's log.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;

use grateful_tests::SqlConnection;
use regex::Regex;

/// The settings of a connection whose statements are logged.
///
/// The log has the values of parameters, but not their types. Those are in the parse tree of the statement.
pub(crate) const LOGGING: &[&str] = &[
    "log_min_duration_statement=0",
    "log_parameter_max_length=-1",
    "debug_print_parse=on",
    "debug_pretty_print=off",
];

/// A statement that PostgreSQL executed.
pub(crate) struct LoggedStatement {
    pub(crate) sql: String,
    /// By the number of the parameter.
    pub(crate) parameters: BTreeMap<usize, LoggedParameter>,
}

/// A parameter of a statement.
pub(crate) struct LoggedParameter {
    /// The value as text; `None` for NULL.
    pub(crate) value: Option<String>,
    /// The OID of its type.
    pub(crate) type_oid: u32,
}

/// The OIDs of the types of a statement's parameters, by number.
type ParameterTypes = BTreeMap<usize, u32>;

/// Reads the log of a PostgreSQL.
pub(crate) struct StatementLog {
    file: File,
    patterns: Patterns,
    /// Of all statements that were parsed since the log was opened.
    types: HashMap<String, ParameterTypes>,
    /// Of the statement that each process parsed last.
    types_by_process: HashMap<String, ParameterTypes>,
}

struct Patterns {
    entry: Regex,
    statement: Regex,
    type_of_parameter: Regex,
    value_of_parameter: Regex,
}

struct Entry {
    process: String,
    message: String,
    /// The message below, if there is one.
    detail: String,
}

impl StatementLog {
    /// Opens the log of a PostgreSQL on this machine at its end. A private one has it beside its data.
    pub(crate) async fn open(sql: &SqlConnection) -> Self {
        let data_dir = PathBuf::from(sql.run("SHOW data_directory").await);
        let mut file = File::open(data_dir.with_file_name("postgres.log")).expect("a log");
        file.seek(SeekFrom::End(0)).expect("the end of the log");
        let pattern = |pattern| Regex::new(pattern).expect("a pattern");
        let patterns = Patterns {
            entry: pattern(r"(?m)^\d{4}-\d\d-\d\d [\d:.]+ \S+ \[(\d+)\] ([A-Z]+):  "),
            statement: pattern(
                r"(?s)^duration: [\d.]+ ms  (parse|execute|statement)(?: \S+)?: (.*)",
            ),
            type_of_parameter: pattern(r":paramkind\s+0\s+:paramid\s+(\d+)\s+:paramtype\s+(\d+)"),
            value_of_parameter: pattern(r"(?s)\$(\d+) = (?:'((?:[^']|'')*)'|NULL)"),
        };
        Self { file, patterns, types: HashMap::new(), types_by_process: HashMap::new() }
    }

    /// Reads the statements that were executed since the last call, in order.
    pub(crate) fn read(&mut self) -> Vec<LoggedStatement> {
        let mut statements = Vec::new();
        for Entry { process, message, detail } in self.read_entries() {
            if message.starts_with("parse tree") {
                self.types_by_process.insert(process, self.patterns.types(&detail));
                continue;
            }
            let Some(statement) = self.patterns.statement.captures(&message) else { continue };
            let sql = statement[2].to_owned();
            if &statement[1] == "parse" {
                self.types.insert(sql, self.types_by_process.remove(&process).unwrap_or_default());
            } else {
                let types = self.types.get(&sql);
                let parameters = self.patterns.parameters(&detail, types);
                statements.push(LoggedStatement { sql, parameters });
            }
        }
        statements
    }

    /// Reads the entries that were written since the last call. PostgreSQL writes each with a single system call, and a
    /// client receives the result of a statement after that, so the last one is complete.
    fn read_entries(&mut self) -> Vec<Entry> {
        let mut text = String::new();
        self.file.read_to_string(&mut text).expect("a log in UTF-8");
        let heads: Vec<_> = self.patterns.entry.captures_iter(&text).collect();
        let mut entries = Vec::<Entry>::new();
        for (index, head) in heads.iter().enumerate() {
            let end = heads.get(index + 1).map_or(text.len(), |next| next.get_match().start());
            // PostgreSQL indents all lines of an entry but the first.
            let body = text[head.get_match().end()..end].trim_end().replace("\n\t", "\n");
            match &head[2] {
                "LOG" => entries.push(Entry {
                    process: head[1].to_owned(),
                    message: body,
                    detail: String::new(),
                }),
                "DETAIL" => entries.last_mut().expect("an entry with details").detail = body,
                _ => {}
            }
        }
        entries
    }
}

impl Patterns {
    fn types(&self, parse_tree: &str) -> ParameterTypes {
        let parameters = self.type_of_parameter.captures_iter(parse_tree).map(|parameter| {
            let number = parameter[1].parse().expect("a number");
            (number, parameter[2].parse().expect("an OID"))
        });
        parameters.collect()
    }

    fn parameters(
        &self,
        detail: &str,
        types: Option<&ParameterTypes>,
    ) -> BTreeMap<usize, LoggedParameter> {
        let parameters = self.value_of_parameter.captures_iter(detail).map(|parameter| {
            let number = parameter[1].parse().expect("a number");
            let value = parameter.get(2).map(|value| value.as_str().replace("''", "'"));
            let type_oid = types.and_then(|types| types.get(&number));
            (number, LoggedParameter { value, type_oid: *type_oid.expect("a logged type") })
        });
        parameters.collect()
    }
}
