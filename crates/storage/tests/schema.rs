//! The schema of a migrated database.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod support {
    pub(crate) mod catalogue;
    pub(crate) mod sql;
}

use std::collections::BTreeSet;
use std::path::Path;

use grateful_storage::{Connection, Users};
use grateful_test_database::TestDatabase;

use crate::support::catalogue::{catalogue, tables};
use crate::support::sql::lines;

/// The expected catalogue is `snapshots/schema__catalogue.snap`. A change of the schema updates it in the same commit.
#[tokio::test]
async fn the_catalogue_equals_the_snapshot() {
    let database = TestDatabase::create().await;

    let catalogue = catalogue(&mut database.connect().await).await;

    insta::assert_snapshot!("catalogue", catalogue);
}

/// Constraints enforce what concurrent requests could break, so the database needs no code that runs implicitly. The one
/// function is SQL that statements name, and that PostgreSQL replaces by its text.
#[tokio::test]
async fn there_are_no_triggers_rules_or_views_and_two_functions() {
    let database = TestDatabase::create().await;

    let found = lines(
        &mut database.connect().await,
        "SELECT 'trigger ' || tgname AS line FROM pg_trigger WHERE NOT tgisinternal
         UNION ALL
         SELECT 'function ' || proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
         UNION ALL
         SELECT 'view ' || relname FROM pg_class
         WHERE relnamespace = 'public'::regnamespace AND relkind IN ('v', 'm')
         UNION ALL
         SELECT 'rule ' || rulename FROM pg_rules WHERE schemaname = 'public'",
    )
    .await;

    assert_eq!(found, ["function hidden_users", "function notification_act"]);
}

#[tokio::test]
async fn every_table_follows_the_rules_for_all_tables() {
    let database = TestDatabase::create().await;

    let violations = find_violations(&mut database.connect().await).await;

    assert_eq!(violations, [""; 0]);
}

#[tokio::test]
async fn a_table_that_breaks_the_rules_is_reported() {
    let database = TestDatabase::create().await;
    database
        .execute(
            "CREATE TABLE careless (
             id bigint PRIMARY KEY,
             author_id bigint REFERENCES users (id),
             post_id uuid CONSTRAINT careless_post_id_fkey REFERENCES posts (id) ON DELETE CASCADE,
             size integer CHECK (size > 0) CHECK (size < 9)
         );
         CREATE INDEX idx_careless_post_id ON careless (post_id) WHERE size > 1;
         CREATE INDEX idx_careless_post_id_second ON careless (id, post_id);",
        )
        .await;

    let violations = find_violations(&mut database.connect().await).await;

    assert_eq!(
        violations,
        [
            "careless_author_id_fkey does not cascade",
            "careless_author_id_fkey has no index",
            "careless_author_id_fkey is named by no migration",
            "careless_pkey is named by no migration",
            "careless_post_id_fkey has no index",
            "careless_post_id_fkey is named by no migration",
            "careless_size_check is named by no migration",
            "careless_size_check1 is named by no migration",
            "idx_careless_post_id is named by no migration",
            "idx_careless_post_id_second is named by no migration",
        ]
    );
}

#[tokio::test]
async fn every_specified_index_exists_or_has_its_replacement() {
    let database = TestDatabase::create().await;

    let found: BTreeSet<String> = lines(
        &mut database.connect().await,
        "SELECT indexname::text AS line FROM pg_indexes WHERE schemaname = 'public'",
    )
    .await
    .into_iter()
    .collect();

    let missing: Vec<_> = NAMED_INDEXES.iter().filter(|name| !found.contains(**name)).collect();
    assert_eq!(missing, [&""; 0]);
    for (name, replacement) in REPLACED_INDEXES {
        assert!(!found.contains(name), "{name} exists beside its replacement");
        assert!(found.contains(replacement), "the replacement of {name} is missing");
    }
}

/// The index names that the specification of the database requires, except [`REPLACED_INDEXES`].
const NAMED_INDEXES: [&str; 17] = [
    "idx_users_display_name",
    "idx_users_city",
    "idx_users_profile_photo_filename",
    "idx_posts_created_at_desc",
    "idx_posts_author_created_desc",
    "idx_posts_engagement",
    "idx_follows_follower_id",
    "idx_follows_followed_id",
    "idx_follows_follower_followed",
    "idx_follows_status",
    "idx_follows_created_at",
    "idx_notifications_user_id",
    "idx_notifications_parent_id",
    "idx_notifications_last_updated_at",
    "idx_notifications_user_parent_read",
    "idx_notifications_timeline",
    "idx_notifications_batch_children",
];

/// Specified indexes, each with the index that serves the same queries at lower write costs.
const REPLACED_INDEXES: [(&str, &str); 7] = [
    ("idx_notifications_created_at", "idx_notifications_timeline"),
    ("idx_notifications_read", "idx_notifications_user_parent_read"),
    ("idx_notifications_is_batch", "idx_notifications_timeline"),
    ("idx_notifications_batch_key", "notifications_one_open"),
    ("idx_notifications_batch_key_user", "notifications_one_open"),
    ("idx_notifications_batch_lookup", "notifications_one_open"),
    ("idx_notifications_batch_key_recent", "notifications_one_open"),
];

/// An inbox can move to a partition, or to a server, only if no key of its tables spans the rows of several users.
#[tokio::test]
async fn every_key_of_an_inbox_has_its_user() {
    const TABLES: &str = "inboxes notifications notification_removals withdrawn_notifications suppressed_notifications
        notification_quotas";
    let database = TestDatabase::create().await;
    database
        .execute(
            "CREATE TABLE notification_marks (id uuid PRIMARY KEY, user_id bigint, notification_id uuid,
                 FOREIGN KEY (user_id, notification_id) REFERENCES notifications (user_id, id))",
        )
        .await;
    let mut conn = database.connect().await;
    let tables = format!("string_to_array('{TABLES} notification_marks', ' ')::text[]");
    // Line breaks of the list are no names.
    let tables = tables.replace('\n', " ");
    let is_own = "attname = 'user_id' AND attnum = ANY";

    let unique = lines(
        &mut conn,
        &format!(
            "SELECT indexrelid::regclass::text AS line FROM pg_index
             WHERE indisunique AND indrelid::regclass::text = ANY ({tables}) AND NOT EXISTS (
                 SELECT FROM pg_attribute WHERE attrelid = indrelid AND {is_own} (indkey)
             ) ORDER BY line"
        ),
    )
    .await;
    let foreign = lines(
        &mut conn,
        &format!(
            "SELECT conname::text AS line FROM pg_constraint
             WHERE contype = 'f' AND conrelid::regclass::text = ANY ({tables})
                 AND confrelid::regclass::text = ANY ({tables}) AND NOT EXISTS (
                     SELECT FROM pg_attribute WHERE attrelid = conrelid AND {is_own} (conkey)
                 ) ORDER BY line"
        ),
    )
    .await;

    assert_eq!(unique, ["notification_marks_pkey"]);
    assert_eq!(foreign, [""; 0]);
    let known =
        "SELECT conname::text AS line FROM pg_constraint WHERE conname = 'fk_notifications_parent'";
    assert_eq!(lines(&mut conn, known).await, ["fk_notifications_parent"]);
}

/// Runs the statements of docs/operations.md on a database with rows in every column.
#[tokio::test]
async fn the_table_of_notifications_can_be_partitioned_as_documented() {
    let database = TestDatabase::create().await;
    database.execute(include_str!("support/every_column.sql")).await;
    let mut conn = database.connect().await;
    let rows = "SELECT to_jsonb(notifications)::text AS line FROM notifications ORDER BY id";
    let columns =
        "SELECT concat_ws(' ', conname, pg_get_constraintdef(oid)) AS line FROM pg_constraint
                   WHERE conrelid = 'notifications'::regclass AND conparentid = 0 AND contype <> 't'
                   ORDER BY conname";
    let indexes = "SELECT replace(indexdef, ' ON ONLY ', ' ON ') AS line FROM pg_indexes
                   WHERE tablename = 'notifications' ORDER BY indexname";
    let before = [lines(&mut conn, rows).await, lines(&mut conn, columns).await];
    let indexes_before = lines(&mut conn, indexes).await;
    let manual = include_str!("../../../docs/operations.md");
    let section = manual.split("## Partitions of notifications").nth(1).unwrap();
    let script = section.split("```sql").nth(1).unwrap().split("```").next().unwrap();

    database.execute(script).await;

    assert_eq!([lines(&mut conn, rows).await, lines(&mut conn, columns).await], before);
    assert_eq!(lines(&mut conn, indexes).await, indexes_before);
    let parts = "SELECT count(*)::text AS line FROM pg_inherits WHERE inhparent = 'notifications'::regclass";
    assert_eq!(lines(&mut conn, parts).await, ["16"]);
    database.execute("DELETE FROM notifications WHERE parent_id IS NULL").await;
    assert_eq!(database.count("notifications").await, 0, "the key of children cascades");
}

/// The specification also lists indexed columns, such as `users.email`. Each must be the first column of an index.
#[tokio::test]
async fn every_specified_column_leads_an_index() {
    let database = TestDatabase::create().await;
    let mut conn = database.connect().await;

    for (index, first_column) in [
        (Users::EMAIL_KEY, "(lower(email))"),
        (Users::USERNAME_KEY, "(lower(username))"),
        ("idx_posts_author_created_desc", "(author_id, "),
        ("idx_posts_created_at_desc", "(created_at DESC, "),
        ("idx_likes_post_id", "(post_id, "),
        ("idx_comments_post_id", "(post_id, "),
        ("idx_follows_follower_id", "(follower_id, "),
        ("idx_follows_followed_id", "(followed_id, "),
        ("idx_follows_status", "(status)"),
        ("idx_notifications_user_id", "(user_id, "),
    ] {
        let sql = format!("SELECT pg_get_indexdef('{index}'::regclass) AS line");
        let definition = lines(&mut conn, &sql).await.remove(0);

        assert!(definition.contains(&format!("btree {first_column}")), "{definition}");
    }
}

/// A locale that folds more letters than ASCII must neither admit a second `ADMIN` nor reject a valid name.
#[tokio::test]
async fn usernames_and_email_addresses_use_the_c_collation() {
    let database = TestDatabase::create().await;

    let collations = lines(
        &mut database.connect().await,
        "SELECT attname || ' ' || attcollation::regcollation AS line FROM pg_attribute
         WHERE attrelid IN ('users_email_key'::regclass, 'users_username_key'::regclass)
         UNION ALL
         SELECT attname || ' ' || attcollation::regcollation FROM pg_attribute
         WHERE attrelid = 'users'::regclass AND attname IN ('email', 'username')
         ORDER BY line",
    )
    .await;

    assert_eq!(collations, [r#"email "C""#, r#"lower "C""#, r#"lower "C""#, r#"username "C""#]);
}

#[tokio::test]
async fn the_diesel_schema_equals_the_database() {
    let database = TestDatabase::create().await;

    let actual = tables_for_diesel(&mut database.connect().await).await;

    let declared = tables_in(include_str!("../src/schema.rs"));
    assert_eq!(declared, actual);
}

/// Lists violations of the rules for all tables: foreign keys cascade (except that the username of a deleted account stays
/// reserved) and are indexed, and every constraint and index is
/// named by a migration.
async fn find_violations(conn: &mut Connection) -> Vec<String> {
    let mut violations = lines(
        conn,
        "SELECT conname || ' does not cascade' AS line FROM pg_constraint
         WHERE connamespace = 'public'::regnamespace AND contype = 'f' AND confdeltype <> 'c'
             AND conname <> 'released_usernames_user_id_fkey'",
    )
    .await;
    violations.extend(foreign_keys_without_index(conn).await);
    violations.extend(names_in_no_migration(conn).await);
    violations.sort();
    violations
}

/// Foreign keys without an index, for which each deletion of a referenced row scans the whole table. An index counts if it
/// covers all referencing rows and starts with the columns of the key, in any order. The user need not be one of them in a
/// key to a row of the same user: the id alone finds it.
async fn foreign_keys_without_index(conn: &mut Connection) -> Vec<String> {
    lines(
        conn,
        "SELECT conname || ' has no index' AS line
         FROM pg_constraint AS keys, LATERAL (
             SELECT array_agg(attnum) AS searched FROM pg_attribute
             WHERE attrelid = conrelid AND attnum = ANY (conkey)
                 AND (attname <> 'user_id' OR cardinality(conkey) = 1)
         ) AS key
         WHERE connamespace = 'public'::regnamespace AND contype = 'f' AND NOT EXISTS (
             SELECT FROM pg_index,
                 LATERAL (SELECT (string_to_array(indkey::text, ' ')::int2[])[:cardinality(searched)] AS columns) front
             WHERE indrelid = conrelid AND indisvalid AND columns @> searched AND columns <@ searched
                 AND (indpred IS NULL OR pg_get_expr(indpred, indrelid) = (
                     SELECT '(' || attname || ' IS NOT NULL)' FROM pg_attribute
                     WHERE attrelid = conrelid AND searched = ARRAY[attnum]
                 ))
         )",
    )
    .await
}

/// Constraints and indexes whose name is in no migration. PostgreSQL generated it, and may generate another one in another
/// database.
async fn names_in_no_migration(conn: &mut Connection) -> Vec<String> {
    let names = lines(
        conn,
        "SELECT conname::text AS line FROM pg_constraint
         WHERE connamespace = 'public'::regnamespace AND contype IN ('p', 'u', 'f', 'c', 'x')
             AND conrelid <> 'grateful_migrations'::regclass
         UNION
         SELECT indexname FROM pg_indexes
         WHERE schemaname = 'public' AND tablename <> 'grateful_migrations'",
    )
    .await;
    let migrations = sql_of_migrations();
    let identifiers: BTreeSet<&str> =
        migrations.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let unnamed = names.into_iter().filter(|name| !identifiers.contains(name.as_str()));
    unnamed.map(|name| format!("{name} is named by no migration")).collect()
}

fn sql_of_migrations() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let steps = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    steps
        .filter(|step| step.is_dir())
        .map(|step| std::fs::read_to_string(step.join("up.sql")).unwrap())
        .collect()
}

/// The tables of the database in the form of `diesel::table!`, one line per table and per column.
async fn tables_for_diesel(conn: &mut Connection) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for table in tables(conn).await {
        let key = format!(
            "SELECT string_agg(attname, ', ' ORDER BY array_position(conkey, attnum)) AS line
             FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND attnum = ANY (conkey)
             WHERE conrelid = '{table}'::regclass AND contype = 'p'"
        );
        let key = lines(conn, &key).await.remove(0);
        found.insert(format!("{table} ({key})"));

        let columns = format!(
            "SELECT row_number() OVER (ORDER BY attnum) || ' ' || attname || ' -> '
                 || CASE WHEN attnotnull THEN kind.name ELSE 'Nullable<' || kind.name || '>' END
                 AS line
             FROM pg_attribute JOIN pg_type ON pg_type.oid = atttypid CROSS JOIN LATERAL (
                 SELECT CASE WHEN typcategory = 'A' THEN 'Array<' || initcap(ltrim(typname, '_')) || '>'
                     ELSE initcap(typname)
                 END AS name
             ) AS kind
             WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped"
        );
        found.extend(lines(conn, &columns).await.iter().map(|column| format!("{table} {column}")));
    }
    found
}

/// The tables declared in this source, in the same form.
fn tables_in(source: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for declaration in source.split("diesel::table! {").skip(1) {
        let mut lines = declaration.lines().map(str::trim).filter(|line| !line.is_empty());
        let head = lines.next().unwrap().trim_end_matches(" {").to_owned();
        let table = head.split(' ').next().unwrap().to_owned();
        let columns = lines.take_while(|line| *line != "}").collect::<Vec<_>>();
        let columns = columns.join(" ");
        // `kind` is the only key column whose Rust name differs from its SQL name.
        found.insert(head.replace(", kind)", ", type)"));
        for (number, column) in columns.trim_end_matches(',').split(", ").enumerate() {
            found.insert(format!("{table} {} {}", number + 1, as_in_sql(column)));
        }
    }
    found
}

/// `#[sql_name = "type"] kind -> Varchar` is a column named `type`.
fn as_in_sql(column: &str) -> String {
    match column.strip_prefix(r#"#[sql_name = ""#).and_then(|rest| rest.split_once(r#""] "#)) {
        Some((name, rest)) => format!("{name} -> {}", rest.split_once(" -> ").unwrap().1),
        None => column.to_owned(),
    }
}
