use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use crate::workspace::{Member, Workspace};

/// Which of the crates named in this table each member may depend on. Crates that the table does not name are not
/// restricted.
const MAY_USE: [(&str, &[&str]); 18] = [
    // With a feature.
    ("grateful-domain", &["serde"]),
    (
        "grateful-storage",
        &[
            "grateful-domain",
            "grateful-metrics",
            "diesel",
            "diesel-async",
            "diesel_migrations",
            "deadpool",
            "rustls",
            "serde",
            "socket2",
            "tokio-postgres",
        ],
    ),
    (
        "grateful-application",
        &[
            "grateful-domain",
            "grateful-storage",
            "grateful-media",
            "grateful-metrics",
            "grateful-passwords",
            "object_store",
        ],
    ),
    (
        "grateful-web",
        &[
            "grateful-domain",
            "grateful-application",
            "grateful-metrics",
            "actix-cors",
            "actix-http",
            "actix-multipart",
            "actix-router",
            "actix-server",
            "actix-service",
            "actix-web",
            "serde",
            "utoipa",
            "utoipa-swagger-ui-vendored",
        ],
    ),
    ("grateful-passwords", &["grateful-domain", "argon2", "bcrypt"]),
    ("grateful-media", &[]),
    ("grateful-metrics", &[]),
    ("grateful-seed", &["grateful-domain"]),
    ("grateful-import", &["grateful-domain", "grateful-storage", "tokio-postgres"]),
    ("grateful-site", &["actix-web"]),
    ("grateful-local-postgres", &["nix"]),
    ("grateful-nominatim", &["grateful-domain", "grateful-application", "reqwest", "rustls"]),
    (
        "grateful-server",
        &[
            "grateful-domain",
            "grateful-storage",
            "grateful-application",
            "grateful-web",
            "grateful-import",
            "grateful-local-postgres",
            "grateful-nominatim",
            "grateful-seed",
            "grateful-site",
            "actix-web",
            "clap",
            "indicatif",
            "metrics-exporter-prometheus",
            "mimalloc",
            "object_store",
            "rustls",
            "serde",
            "socket2",
            "tracing-subscriber",
        ],
    ),
    (
        "grateful-test-database",
        &[
            "grateful-domain",
            "grateful-storage",
            "grateful-local-postgres",
            "diesel",
            "diesel-async",
        ],
    ),
    (
        "grateful-testkit",
        &[
            "grateful-domain",
            "grateful-storage",
            "grateful-application",
            "grateful-web",
            "grateful-test-database",
            "actix-http",
            "actix-web",
            "object_store",
        ],
    ),
    (
        "grateful-service-axum",
        &[
            "grateful-domain",
            "grateful-storage",
            "grateful-passwords",
            "axum",
            "diesel",
            "diesel-async",
            "serde",
        ],
    ),
    ("grateful-service-digest", &["grateful-domain", "grateful-storage", "diesel", "diesel-async"]),
    (
        "grateful-tests",
        &[
            "grateful-server",
            "grateful-testkit",
            "nix",
            "reqwest",
            "rustls",
            "tempfile",
            "tokio-postgres",
        ],
    ),
];

/// The complete dependencies of the domain: no I/O, no async. `serde` and `url` are optional.
const DOMAIN_USES: [&str; 9] = [
    "chrono",
    "serde",
    "serde_json",
    "thiserror",
    "unicode-normalization",
    "unicode-properties",
    "unicode-segmentation",
    "url",
    "uuid",
];

/// The maximum number of lines of `cargo tree` for the domain without features: its crates, and some of them again.
const MAX_DOMAIN_TREE: usize = 25;

#[test]
fn dependencies_point_inward() {
    let workspace = Workspace::read();
    let guarded: BTreeSet<&str> =
        MAY_USE.iter().flat_map(|(name, uses)| [&[*name], *uses].concat()).collect();

    for (name, allowed) in MAY_USE {
        for used in workspace.member(name).dependencies("normal") {
            let is_allowed = allowed.contains(&used.as_str()) || !guarded.contains(used.as_str());
            assert!(is_allowed, "{name} must not depend on {used}; see docs/architecture.md");
        }
    }
}

#[test]
fn every_member_is_in_the_dependency_table() {
    let members: BTreeSet<String> =
        Workspace::read().members.into_iter().map(|member| member.name).collect();

    assert_eq!(members, MAY_USE.iter().map(|(name, _)| (*name).to_owned()).collect());
}

/// Words of the outer rings, which neither code nor comments of the domain use.
const OUTER_WORDS: [&str; 8] =
    ["/uploads", "HTTP", "PostgreSQL", "SQL", "base64", "http-api.md", "jsonb", "timestamptz"];

#[test]
fn the_domain_speaks_neither_http_nor_sql() {
    for file in Workspace::read().member("grateful-domain").sources() {
        let source = fs::read_to_string(&file).unwrap();
        let product = source.split("#[cfg(test)]").next().unwrap();
        for word in OUTER_WORDS {
            assert!(!product.contains(word), "{} has the word {word}", file.display());
        }
    }
}

#[test]
fn the_domain_depends_on_exactly_the_listed_crates() {
    let used = Workspace::read().member("grateful-domain").dependencies("normal");

    assert_eq!(used, DOMAIN_USES.map(str::to_owned).into());
}

#[test]
fn embedding_the_domain_builds_few_crates() {
    let cargo = Command::new(env!("CARGO"))
        .args(["tree", "-p", "grateful-domain", "-e", "normal", "--prefix", "none", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output();
    let tree = String::from_utf8(cargo.unwrap().stdout).unwrap();
    let lines: BTreeSet<&str> = tree.lines().collect();

    assert!(lines.iter().any(|line| line.starts_with("chrono ")), "the tree was read: {tree}");
    assert!(lines.len() <= MAX_DOMAIN_TREE, "{}: {lines:#?}", lines.len());
}

#[test]
fn only_tests_depend_on_the_test_kit() {
    let is_shipped =
        |member: &Member| !["grateful-tests", "grateful-testkit"].contains(&member.name.as_str());
    for member in Workspace::read().members.into_iter().filter(is_shipped) {
        let used = member.dependencies("normal");
        for kit in ["grateful-testkit", "grateful-test-database"] {
            assert!(!used.contains(kit), "{} depends on {kit}", member.name);
        }
    }
}

/// A contributor to one crate compiles no outer ring to run its tests.
#[test]
fn the_tests_of_storage_know_no_outer_ring() {
    let workspace = Workspace::read();
    let storage = workspace.member("grateful-storage");
    let mut compiled = storage.dependencies("dev");
    for used in compiled.clone() {
        compiled.extend(workspace.transitive_dependencies(&used));
    }

    assert!(compiled.contains("grateful-test-database"), "the graph was read: {compiled:?}");
    for outer in ["grateful-application", "grateful-web", "actix-web", "argon2", "utoipa"] {
        assert!(!compiled.contains(outer), "the tests of grateful-storage compile {outer}");
    }
}

/// Prefixes of names that the sources of a crate may not contain, whether from a dependency or from a re-export.
const MAY_NOT_NAME: [(&str, &[&str]); 7] = [
    ("grateful-domain", &["actix", "async", "diesel", "postgres", "tokio", "Utc::now"]),
    ("grateful-storage", &["actix", "Http", "StatusCode"]),
    (
        "grateful-application",
        &[
            "actix",
            "deadpool",
            "diesel",
            "postgres",
            "Http",
            "Idempotency-Key",
            "Last-Event-ID",
            "Retry-After",
            "StatusCode",
            "User-Agent",
            "sql_query",
        ],
    ),
    ("grateful-web", &["deadpool", "diesel", "grateful_storage", "postgres", "sql_query"]),
    ("grateful-seed", &["actix", "diesel", "postgres", "tokio", "Utc::now"]),
    ("grateful-media", &["actix", "diesel", "postgres", "tokio", "async"]),
    ("grateful-nominatim", &["actix", "diesel", "postgres"]),
];

#[test]
fn sources_do_not_name_what_belongs_to_another_ring() {
    let workspace = Workspace::read();

    for (name, forbidden) in MAY_NOT_NAME {
        for file in workspace.member(name).sources() {
            let source = fs::read_to_string(&file).unwrap();
            for (number, line) in (1..).zip(code_lines(&source)) {
                for prefix in forbidden {
                    let is_named = has_name_with_prefix(line, prefix);
                    assert!(!is_named, "{}:{number} names {prefix}: {line}", file.display());
                }
            }
        }
    }
}

/// The lines of a source file without their comments, unit tests included.
fn code_lines(source: &str) -> impl Iterator<Item = &str> {
    source.lines().map(|line| line.split("//").next().unwrap_or_default())
}

fn has_name_with_prefix(line: &str, prefix: &str) -> bool {
    let is_name_character = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(prefix).any(|(at, _)| !line[..at].ends_with(is_name_character))
}
