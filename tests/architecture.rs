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

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}
