use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::workspace::{Workspace, rust_files};

/// Crates that other services embed.
const EMBEDDABLE: [&str; 2] = ["grateful-domain", "grateful-storage"];

/// What an embedder of the storage crate must not have to build.
const NOT_FOR_EMBEDDERS: [&str; 5] =
    ["actix-http", "actix-web", "argon2", "grateful-application", "object_store"];

#[test]
fn embedding_storage_brings_no_http_and_no_use_cases() {
    let dependencies = Workspace::read().transitive_dependencies("grateful-storage");

    assert!(dependencies.contains("tokio-postgres"), "the graph was read: {dependencies:?}");
    for name in NOT_FOR_EMBEDDERS {
        assert!(!dependencies.contains(name), "grateful-storage depends on {name}");
    }
}

/// Fields and variants may speak for themselves; every other public item has a doc comment.
#[test]
fn public_items_of_embeddable_crates_are_documented() {
    let workspace = Workspace::read();
    let mut items = 0;

    for name in EMBEDDABLE {
        for file in workspace.member(name).sources() {
            let source = fs::read_to_string(&file).unwrap();
            let lines: Vec<&str> = without_tests(&source).lines().collect();
            for (index, line) in lines.iter().enumerate().filter(|(_, line)| is_public_item(line)) {
                let mut above = lines[..index].iter().rev().take_while(|line| !ends_an_item(line));
                let is_documented = above.any(|line| line.trim_start().starts_with("///"));
                assert!(is_documented, "{}:{} has no doc: {line}", file.display(), index + 1);
                items += 1;
            }
        }
    }
    assert!(200 < items, "the sources were read: {items}");
}

#[test]
fn examples_of_embeddable_crates_are_run_by_a_test_and_named_on_the_front_page() {
    let workspace = Workspace::read();

    for member in EMBEDDABLE.map(|name| workspace.member(name)) {
        let examples = rust_files(&member.folder.join("examples"));
        let page = fs::read_to_string(member.folder.join("README.md")).unwrap();
        let tests = fs::read_to_string(member.folder.join("tests/examples.rs")).unwrap();
        assert!(!examples.is_empty(), "{} has no examples", member.name);

        for example in examples {
            let name = example.file_stem().unwrap().to_str().unwrap();
            let command = format!("`cargo run -p {} --example {name}`", member.name);
            assert!(page.contains(&command), "{command} is not on the front page");
            assert!(tests.contains(&format!("../examples/{name}.rs")), "{name} is not run");
        }
    }
}

#[test]
fn packages_contain_what_embedders_need() {
    let workspace = Workspace::read();
    let migrations = fs::read_dir(workspace.root.join("migrations")).unwrap();
    let migrations: Vec<PathBuf> = migrations.map(|entry| entry.unwrap().path()).collect();
    let (domain, storage) = (packaged("grateful-domain"), packaged("grateful-storage"));

    for files in [&domain, &storage] {
        for file in ["Cargo.toml", "README.md", "src/lib.rs"] {
            assert!(files.contains(file), "{file} is missing from {files:?}");
        }
    }
    assert!(storage.contains("build.rs"), "{storage:?}");
    // The crate's `migrations` is a symbolic link to the folder at the top.
    for migration in migrations.iter().filter(|path| path.is_dir()) {
        let up = format!("migrations/{}/up.sql", migration.file_name().unwrap().display());
        assert!(storage.contains(&up), "{up} is missing from {storage:?}");
    }
}

/// The files that Cargo packages for a crate.
fn packaged(name: &str) -> BTreeSet<String> {
    let cargo = Command::new(env!("CARGO"))
        .args(["package", "--list", "--allow-dirty", "--offline", "-p", name])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output();
    let files = String::from_utf8(cargo.unwrap().stdout).unwrap();
    files.lines().map(str::to_owned).collect()
}

/// A source file up to its unit tests, which come last.
fn without_tests(source: &str) -> &str {
    source.split("#[cfg(test)]").next().unwrap_or_default()
}

fn is_public_item(line: &str) -> bool {
    let kinds = ["fn ", "const ", "async fn ", "struct ", "enum ", "trait ", "type ", "static "];
    // Items of a macro are documented by the macro's caller.
    let item = line.trim_start().strip_prefix("pub ").filter(|item| !item.contains('$'));
    item.is_some_and(|item| kinds.iter().any(|kind| item.starts_with(kind)))
}

fn ends_an_item(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || (line.ends_with(['{', '}', ';']) && !line.starts_with("///"))
}
