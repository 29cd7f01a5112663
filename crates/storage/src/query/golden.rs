//! Golden files: every statement as PostgreSQL receives it, in a form that `psql` runs. `tests/golden_sql.rs` runs them.
//!
//! `UPDATE_GOLDEN=1 cargo test -p grateful-storage --lib golden` writes them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use chrono::DateTime;
use diesel::pg::Pg;
use diesel::query_builder::QueryFragment;
use grateful_domain::{Limit, PageRequest, UserId, Viewer};
use uuid::Uuid;

use super::paging::{CappedCount, paginate};
use super::posts::{newest_posts_of, newest_public_posts};
use super::statement::StatementText;
use super::{FollowQuery, NotificationQuery, UserQuery};
use crate::schema::posts;

/// A statement declared with `statement!`.
pub(crate) struct Statement {
    pub(crate) name: &'static str,
    /// The names of the parameters, each with its SQL type in Diesel's notation.
    pub(crate) params: &'static [(&'static str, &'static str)],
    pub(crate) text: fn() -> &'static StatementText,
}

inventory::collect!(Statement);

#[test]
fn every_statement_equals_its_golden_file() {
    let mut files = BTreeMap::new();
    for Statement { name, params, text } in inventory::iter::<Statement> {
        let text = text();
        let used: Vec<&str> = text.params().collect();
        for (param, _) in *params {
            assert!(used.contains(param), "{name} does not use :{param}");
        }
        let sql_type = |used: &&str| {
            let (_, sql_type) = params.iter().find(|(param, _)| param == used).unwrap();
            postgresql_type(sql_type)
        };
        let types: Vec<String> = used.iter().map(sql_type).collect();
        let file = prepare(&snake_case(name), &types, &text.numbered());
        assert_eq!(files.insert(snake_case(name), file), None, "{name} is declared twice");
    }
    compare("statements", &files);
}

/// Lists for a signed-in viewer, or with a total. All pages of a list are one statement.
#[test]
fn every_list_equals_its_golden_file() {
    let (ana, ben) = (UserId::from(1), UserId::from(2));
    let follows = FollowQuery::visible_to(ben);
    let inbox = NotificationQuery::of(ben);
    let first = PageRequest::first(Limit::DEFAULT);
    let lists = [
        ("posts", {
            let list = newest_public_posts(Some(2), DateTime::UNIX_EPOCH);
            sql_of(&paginate(list, first, posts::created_at, posts::id))
        }),
        ("posts_of_an_author", {
            let list = newest_posts_of(Some(2), DateTime::UNIX_EPOCH, 1);
            sql_of(&paginate(list, first, posts::created_at, posts::id))
        }),
        ("users", sql_of(&UserQuery::visible_to(Viewer::User(ben)).select())),
        ("followers", sql_of(&follows.followers_of(ana).select())),
        ("followed_users", sql_of(&follows.followed_by(ana).select())),
        ("received_requests", sql_of(&follows.received_requests().select())),
        ("sent_requests", sql_of(&follows.sent_requests().select())),
        ("blocks", sql_of(&follows.blocks().select())),
        ("notifications", sql_of(&inbox.select())),
        ("unread_notifications", sql_of(&inbox.clone().unread().select())),
        ("total_of_unread_notifications", {
            sql_of(&CappedCount { list: inbox.clone().unread().select_all(), max: 99 })
        }),
        ("children_of_a_batch", sql_of(&inbox.children_of(Uuid::nil().into()).select())),
    ];
    let file = |(name, sql): (&str, String)| (name.to_owned(), prepare(name, &[], &sql));
    compare("lists", &lists.into_iter().map(file).collect());
}

/// The text of a statement in Diesel's DSL, one clause per line.
fn sql_of(query: &impl QueryFragment<Pg>) -> String {
    let mut sql = diesel::debug_query::<Pg, _>(query).to_string();
    sql.truncate(sql.rfind(" -- binds").unwrap());
    for clause in ["FROM", "INNER JOIN", "LEFT OUTER JOIN", "WHERE", "AND", "ORDER BY", "LIMIT"] {
        sql = sql.replace(&format!(" {clause} "), &format!("\n{clause} "));
    }
    sql.replace("  ", " ")
}

/// Compares the files in the folder `tests/sql/{folder}` with these, given by name.
pub(crate) fn compare(folder: &str, files: &BTreeMap<String, String>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sql").join(folder);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        for (name, text) in files {
            fs::write(folder.join(name).with_extension("sql"), text).unwrap();
        }
    }
    let found = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let found: BTreeSet<String> =
        found.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect();
    assert_eq!(found, files.keys().cloned().collect());
    for (name, expected) in files {
        let path = folder.join(name).with_extension("sql");
        assert_eq!(&fs::read_to_string(&path).unwrap(), expected, "{}", path.display());
    }
}

/// A script that prepares a statement and explains it, with the plan for unknown values. PostgreSQL infers the types of
/// parameters after `types`.
pub(crate) fn prepare(name: &str, types: &[String], sql: &str) -> String {
    let count = (1..100).take_while(|number| sql.contains(&format!("${number}"))).count();
    let types = if types.is_empty() { String::new() } else { format!(" ({})", types.join(", ")) };
    let values = vec!["NULL"; count].join(", ");
    format!(
        "SET plan_cache_mode = force_generic_plan;\n\nPREPARE {name}{types} AS\n{};\n\n\
         EXPLAIN EXECUTE {name} ({values});\n",
        unindented(sql)
    )
}

/// The text without the indentation that it has in Rust.
fn unindented(text: &str) -> String {
    let lines: Vec<&str> = text.trim().lines().collect();
    let indentation = |line: &&str| line.len() - line.trim_start().len();
    let common = lines.iter().skip(1).filter(|line| !line.trim().is_empty()).map(indentation).min();
    let cut =
        |line: &&str| line.get(common.unwrap_or(0)..).unwrap_or_default().trim_end().to_owned();
    let rest = lines.iter().skip(1).map(cut).filter(|line| !line.is_empty());
    std::iter::once(lines[0].to_owned()).chain(rest).collect::<Vec<_>>().join("\n")
}

fn snake_case(name: &str) -> String {
    let with_underscore = |c: char| {
        let separator = if c.is_ascii_uppercase() { "_" } else { "" };
        format!("{separator}{}", c.to_ascii_lowercase())
    };
    name.chars().map(with_underscore).collect::<String>().trim_start_matches('_').to_owned()
}

/// The name that PostgreSQL gives a type that Diesel writes as `Array<Nullable<SqlUuid>>`.
fn postgresql_type(diesel: &str) -> String {
    let diesel = diesel.replace(' ', "");
    let inner = |prefix: &str| {
        diesel.strip_prefix(prefix).and_then(|rest| rest.strip_suffix('>')).map(postgresql_type)
    };
    if let Some(element) = inner("Array<") {
        return format!("{element}[]");
    }
    if let Some(inner) = inner("Nullable<") {
        return inner;
    }
    let name = match diesel.as_str() {
        "BigInt" => "bigint",
        "Binary" => "bytea",
        "Bool" => "boolean",
        "Double" => "double precision",
        "Integer" => "integer",
        "Jsonb" => "jsonb",
        "SqlUuid" => "uuid",
        "Text" => "text",
        "Timestamptz" => "timestamp with time zone",
        other => panic!("add the PostgreSQL name of {other}"),
    };
    name.to_owned()
}
