//! The shape of the workspace, asked of Cargo and of the files.

#![expect(clippy::unwrap_used, reason = "what cannot be read has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use grateful_tests::Value;

/// Of everything named in this table, what each crate may depend on. What is named nowhere in it is free for all.
const MAY_USE: [(&str, &[&str]); 11] = [
    ("grateful-domain", &[]),
    (
        "grateful-storage",
        &[
            "grateful-domain",
            "diesel",
            "diesel-async",
            "diesel_migrations",
            "deadpool",
            "serde",
            "tokio-postgres",
        ],
    ),
    (
        "grateful-application",
        &[
            "grateful-domain",
            "grateful-storage",
            "grateful-media",
            "argon2",
            "bcrypt",
            "object_store",
        ],
    ),
    (
        "grateful-web",
        &[
            "grateful-domain",
            "grateful-application",
            "actix-cors",
            "actix-http",
            "actix-multipart",
            "actix-router",
            "actix-server",
            "actix-service",
            "actix-web",
            "serde",
            "utoipa",
            "utoipa-actix-web",
            "utoipa-swagger-ui",
        ],
    ),
    ("grateful-media", &[]),
    ("grateful-seed", &["grateful-domain"]),
    ("grateful-local-postgres", &["nix"]),
    (
        "grateful-nominatim",
        &["grateful-domain", "grateful-application", "moka", "reqwest", "rustls"],
    ),
    (
        "grateful-server",
        &[
            "grateful-domain",
            "grateful-storage",
            "grateful-application",
            "grateful-web",
            "grateful-local-postgres",
            "grateful-nominatim",
            "grateful-seed",
            "actix-web",
            "clap",
            "indicatif",
            "metrics-exporter-prometheus",
            "mimalloc",
            "object_store",
            "rustls",
            "socket2",
            "tracing-subscriber",
        ],
    ),
    (
        "grateful-testkit",
        &[
            "grateful-domain",
            "grateful-storage",
            "grateful-application",
            "grateful-web",
            "grateful-local-postgres",
            "actix-http",
            "actix-web",
            "diesel",
            "diesel-async",
            "object_store",
        ],
    ),
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

/// All that the domain needs: nothing that waits, nothing that reads or writes.
const DOMAIN_USES: [&str; 8] = [
    "base64",
    "chrono",
    "regex",
    "serde_json",
    "thiserror",
    "unicode-normalization",
    "url",
    "uuid",
];

/// What an embedder of the storage crate must not be made to build.
const NOT_FOR_EMBEDDERS: [&str; 5] =
    ["actix-http", "actix-web", "argon2", "grateful-application", "object_store"];

#[test]
fn dependencies_point_inward() {
    let workspace = Workspace::read();
    let guarded: BTreeSet<&str> =
        MAY_USE.iter().flat_map(|(name, uses)| [&[*name], *uses].concat()).collect();

    for (name, allowed) in MAY_USE {
        for used in workspace.member(name).uses("normal") {
            let fine = allowed.contains(&used.as_str()) || !guarded.contains(used.as_str());
            assert!(fine, "{name} must not depend on {used}; see docs/architecture.md");
        }
    }
}

#[test]
fn every_member_has_its_arrows_written_down() {
    let members: BTreeSet<String> =
        Workspace::read().members.into_iter().map(|member| member.name).collect();

    assert_eq!(members, MAY_USE.iter().map(|(name, _)| (*name).to_owned()).collect());
}

#[test]
fn the_domain_needs_exactly_what_is_listed() {
    let used = Workspace::read().member("grateful-domain").uses("normal");

    assert_eq!(used, DOMAIN_USES.map(str::to_owned).into());
}

#[test]
fn nothing_that_is_shipped_has_the_test_kit_in_it() {
    let all_but_tests = |member: &Member| member.name != "grateful-tests";
    for member in Workspace::read().members.into_iter().filter(all_but_tests) {
        let used = member.uses("normal");
        assert!(!used.contains("grateful-testkit"), "{} ships the test kit", member.name);
    }
}

#[test]
fn whoever_embeds_storage_gets_no_http_and_no_use_cases() {
    let needed = Workspace::read().all_that_needs("grateful-storage");

    assert!(needed.contains("tokio-postgres"), "the graph is read: {needed:?}");
    for name in NOT_FOR_EMBEDDERS {
        assert!(!needed.contains(name), "grateful-storage brings {name} along");
    }
}

/// What the sources of each crate may not name, be it by a dependency or by what another crate passes on: beginnings of
/// names.
const MAY_NOT_NAME: [(&str, &[&str]); 7] = [
    (
        "grateful-domain",
        &["actix", "async", "diesel", "postgres", "tokio", "Deserialize", "Serialize", "Utc::now"],
    ),
    ("grateful-storage", &["actix", "Http", "StatusCode"]),
    (
        "grateful-application",
        &["actix", "deadpool", "diesel", "postgres", "Http", "StatusCode", "sql_query"],
    ),
    ("grateful-web", &["deadpool", "diesel", "grateful_storage", "postgres", "sql_query"]),
    ("grateful-seed", &["actix", "diesel", "postgres", "tokio", "Utc::now"]),
    ("grateful-media", &["actix", "diesel", "postgres", "tokio", "async"]),
    ("grateful-nominatim", &["actix", "diesel", "postgres"]),
];

#[test]
fn no_ring_names_what_belongs_to_another() {
    let workspace = Workspace::read();

    for (name, unknown) in MAY_NOT_NAME {
        for file in rust_files(&workspace.member(name).folder.join("src")) {
            let source = fs::read_to_string(&file).unwrap();
            for (number, line) in (1..).zip(code(&source)) {
                for word in unknown {
                    let known = begins_a_name(line, word);
                    assert!(!known, "{}:{number} names {word}: {line}", file.display());
                }
            }
        }
    }
}

/// Crates that others are to find and embed.
const FOR_EMBEDDERS: [&str; 2] = ["grateful-domain", "grateful-storage"];

/// Fields and variants may speak for themselves; whatever one calls or names has a sentence of its own.
#[test]
fn whatever_embedders_call_says_what_it_means() {
    let workspace = Workspace::read();
    let mut items = 0;

    for name in FOR_EMBEDDERS {
        for file in rust_files(&workspace.member(name).folder.join("src")) {
            let source = fs::read_to_string(&file).unwrap();
            let lines: Vec<&str> = code_of_library(&source).lines().collect();
            for (index, line) in lines.iter().enumerate().filter(|(_, line)| is_public_item(line)) {
                let above = lines[..index].iter().rev().take_while(|line| !ends_an_item(line));
                let is_told = above.into_iter().any(|line| line.trim_start().starts_with("///"));
                assert!(is_told, "{}:{} says nothing: {line}", file.display(), index + 1);
                items += 1;
            }
        }
    }
    assert!(200 < items, "the sources are read: {items}");
}

#[test]
fn examples_for_embedders_are_run_by_a_test_and_named_on_the_front_page() {
    let workspace = Workspace::read();

    for member in FOR_EMBEDDERS.map(|name| workspace.member(name)) {
        let examples = rust_files(&member.folder.join("examples"));
        let page = fs::read_to_string(member.folder.join("README.md")).unwrap();
        let tests = fs::read_to_string(member.folder.join("tests/examples.rs")).unwrap();
        assert!(!examples.is_empty(), "{} shows nothing", member.name);

        for example in examples {
            let name = example.file_stem().unwrap().to_str().unwrap();
            let command = format!("`cargo run -p {} --example {name}`", member.name);
            assert!(page.contains(&command), "{command} is not on the front page");
            assert!(tests.contains(&format!("../examples/{name}.rs")), "{name} is not run");
        }
    }
}

#[test]
fn what_embedders_need_is_in_the_packages() {
    let workspace = Workspace::read();
    let migrations = fs::read_dir(workspace.root.join("migrations")).unwrap();
    let migrations: Vec<PathBuf> = migrations.map(|entry| entry.unwrap().path()).collect();
    let (domain, storage) = (packaged("grateful-domain"), packaged("grateful-storage"));

    for files in [&domain, &storage] {
        for file in ["Cargo.toml", "README.md", "src/lib.rs"] {
            assert!(files.contains(file), "{file} is not among {files:?}");
        }
    }
    assert!(storage.contains("build.rs"), "{storage:?}");
    // They are elsewhere, behind a link.
    for step in migrations.iter().filter(|path| path.is_dir()) {
        let up = format!("migrations/{}/up.sql", step.file_name().unwrap().display());
        assert!(storage.contains(&up), "{up} is not among {storage:?}");
    }
}

#[test]
fn the_lints_of_the_workspace_hold_everywhere() {
    let workspace = Workspace::read();

    for member in &workspace.members {
        let lints = section(&member.manifest(), "[lints]");
        assert_eq!(lints, ["workspace = true"], "{}", member.name);
    }
    // Forbidden cannot be allowed again further down: so there is no unsafe code in any member.
    let root = fs::read_to_string(workspace.root.join("Cargo.toml")).unwrap();
    let lints = section(&root, "[workspace.lints.rust]");
    assert!(lints.contains(&"unsafe_code = \"forbid\"".to_owned()), "{lints:?}");
}

#[test]
fn versions_are_written_once() {
    for member in Workspace::read().members {
        let manifest = member.manifest();
        assert!(!manifest.contains("dependencies."), "{}: one line a dependency", member.name);
        for kind in ["[dependencies]", "[dev-dependencies]", "[build-dependencies]"] {
            for line in section(&manifest, kind) {
                let inherits =
                    line.ends_with(".workspace = true") || line.contains("= { workspace = true,");
                assert!(inherits, "{}: {line}", member.name);
            }
        }
    }
}

#[test]
fn every_crate_has_a_front_page_that_is_its_documentation() {
    for member in Workspace::read().members {
        let page = fs::read_to_string(member.folder.join("README.md"));
        let page = page.unwrap_or_else(|error| panic!("{}: {error}", member.name));
        let documentation = fs::read_to_string(&member.library).unwrap();

        assert!(page.starts_with(&format!("# {}\n\n", member.name)), "{}", member.name);
        let included = "#![doc = include_str!(\"../README.md\")]\n";
        assert!(documentation.starts_with(included), "{}", member.name);
    }
}

#[test]
fn the_front_page_leads_to_every_crate() {
    let workspace = Workspace::read();
    let page = fs::read_to_string(workspace.root.join("README.md")).unwrap();

    for member in &workspace.members {
        let folder = member.folder.strip_prefix(&workspace.root).unwrap().display().to_string();
        assert!(page.contains(&format!("({folder}/README.md)")), "{folder} is not on the map");
    }
}

#[test]
fn a_module_with_children_is_a_file_beside_its_folder() {
    let workspace = Workspace::read();

    let files = workspace.members.iter().flat_map(|member| rust_files(&member.folder));
    // Of a folder in `tests`, Cargo would make a test of its own were it a file.
    let in_its_folder = files.filter(|file| file.ends_with("mod.rs"));
    let beyond_tests: Vec<_> =
        in_its_folder.filter(|file| !file.ends_with("tests/support/mod.rs")).collect();
    assert_eq!(beyond_tests, [] as [PathBuf; 0]);
}

/// What Cargo says of this workspace.
struct Workspace {
    root: PathBuf,
    members: Vec<Member>,
}

impl Workspace {
    fn read() -> Self {
        let cargo = Command::new(env!("CARGO"))
            .args(["metadata", "--no-deps", "--format-version=1", "--offline"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output();
        let metadata: Value = serde_json::from_slice(&cargo.unwrap().stdout).unwrap();
        let members = metadata["packages"].as_array().unwrap().iter().map(Member::read).collect();
        Self { root: text(&metadata["workspace_root"]).into(), members }
    }

    fn member(&self, name: &str) -> &Member {
        self.find(name).unwrap_or_else(|| panic!("there is no {name}"))
    }

    fn find(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.name == name)
    }

    /// Every crate that `name` needs, by however many others, on any platform.
    fn all_that_needs(&self, name: &str) -> BTreeSet<String> {
        let locked = locked(&self.root);
        let mut needed = BTreeSet::new();
        let mut unseen = vec![name.to_owned()];
        while let Some(name) = unseen.pop() {
            // The lock file knows no difference between what members need and what their tests need.
            let uses = self.find(&name).map(|member| member.uses("normal"));
            let uses = uses.unwrap_or_else(|| locked[&name].clone());
            unseen.extend(uses.into_iter().filter(|used| needed.insert(used.clone())));
        }
        needed
    }
}

/// A crate of the workspace.
struct Member {
    name: String,
    folder: PathBuf,
    library: PathBuf,
    dependencies: Vec<(String, String)>,
}

impl Member {
    fn read(package: &Value) -> Self {
        let is_library = |target: &&Value| target["kind"][0] == "lib";
        let library = package["targets"].as_array().unwrap().iter().find(is_library).unwrap();
        let dependency = |it: &Value| {
            (text(&it["name"]).to_owned(), it["kind"].as_str().unwrap_or("normal").to_owned())
        };
        Self {
            name: text(&package["name"]).to_owned(),
            folder: Path::new(text(&package["manifest_path"])).parent().unwrap().to_owned(),
            library: text(&library["src_path"]).into(),
            dependencies: package["dependencies"]
                .as_array()
                .unwrap()
                .iter()
                .map(dependency)
                .collect(),
        }
    }

    fn uses(&self, wanted: &str) -> BTreeSet<String> {
        let wanted = self.dependencies.iter().filter(|(_, kind)| kind == wanted);
        wanted.map(|(name, _)| name.clone()).collect()
    }

    fn manifest(&self) -> String {
        fs::read_to_string(self.folder.join("Cargo.toml")).unwrap()
    }
}

/// What each crate of the lock file needs. Of several versions, all together.
fn locked(root: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let lock = fs::read_to_string(root.join("Cargo.lock")).unwrap();
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in lock.split("[[package]]\n").skip(1) {
        let name = package.split('"').nth(1).unwrap();
        let needed = package.split_once("dependencies = [").map_or("", |(_, list)| list);
        let needed = needed.lines().filter_map(|line| line.trim().strip_prefix('"'));
        let needed = needed.map(|line| line.split([' ', '"']).next().unwrap().to_owned());
        all.entry(name.to_owned()).or_default().extend(needed);
    }
    all
}

/// The lines of one section of a manifest, without comments.
fn section(manifest: &str, header: &str) -> Vec<String> {
    let below = manifest.lines().skip_while(|line| *line != header).skip(1);
    let lines = below.take_while(|line| !line.starts_with('[')).map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let files = files.into_iter().filter(|file| file.extension().is_some_and(|it| it == "rs"));
    files.chain(folders.iter().flat_map(|folder| rust_files(folder))).collect()
}

/// The files that Cargo packages of a crate.
fn packaged(name: &str) -> BTreeSet<String> {
    let cargo = Command::new(env!("CARGO"))
        .args(["package", "--list", "--allow-dirty", "--offline", "-p", name])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output();
    let files = String::from_utf8(cargo.unwrap().stdout).unwrap();
    files.lines().map(str::to_owned).collect()
}

/// The lines of a source without its comments, tests among them.
fn code(source: &str) -> impl Iterator<Item = &str> {
    source.lines().map(|line| line.split("//").next().unwrap_or_default())
}

/// A source up to its tests, which stand last.
fn code_of_library(source: &str) -> &str {
    source.split("#[cfg(test)]").next().unwrap_or_default()
}

/// Whether a line names something that begins with `word`.
fn begins_a_name(line: &str, word: &str) -> bool {
    let is_of_name = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| !line[..at].ends_with(is_of_name))
}

fn is_public_item(line: &str) -> bool {
    let kinds = ["fn ", "const ", "async fn ", "struct ", "enum ", "trait ", "type ", "static "];
    // What a macro makes has the words that the macro was given.
    let item = line.trim_start().strip_prefix("pub ").filter(|item| !item.contains('$'));
    item.is_some_and(|item| kinds.iter().any(|kind| item.starts_with(kind)))
}

fn ends_an_item(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || (line.ends_with(['{', '}', ';']) && !line.starts_with("///"))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}
