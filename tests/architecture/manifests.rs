use std::fs;
use std::path::PathBuf;

use crate::workspace::{Workspace, rust_files};

#[test]
fn every_member_uses_the_lints_of_the_workspace() {
    let workspace = Workspace::read();

    for member in &workspace.members {
        let lints = section(&member.manifest(), "[lints]");
        assert_eq!(lints, ["workspace = true"], "{}", member.name);
    }
    // `forbid` cannot be overridden further down, so no member has unsafe code.
    let root = fs::read_to_string(workspace.root.join("Cargo.toml")).unwrap();
    let lints = section(&root, "[workspace.lints.rust]");
    assert!(lints.contains(&"unsafe_code = \"forbid\"".to_owned()), "{lints:?}");
}

/// So checking a feature in CI checks it with the minimum version.
#[test]
fn the_toolchain_is_the_minimum_rust_version() {
    let workspace = Workspace::read();
    let [manifest, toolchain] = ["Cargo.toml", "rust-toolchain.toml"]
        .map(|file| fs::read_to_string(workspace.root.join(file)).unwrap());

    let package = section(&manifest, "[workspace.package]");
    let version = package.iter().find_map(|line| line.strip_prefix("rust-version = \""));
    let version = version.unwrap().trim_end_matches('"');
    let channel = section(&toolchain, "[toolchain]");
    assert!(channel.contains(&format!("channel = \"{version}.0\"")), "{channel:?}");
}

#[test]
fn members_take_dependency_versions_from_the_workspace() {
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
fn the_front_page_links_to_every_crate() {
    let workspace = Workspace::read();
    let page = fs::read_to_string(workspace.root.join("README.md")).unwrap();

    for member in &workspace.members {
        let folder = member.folder.strip_prefix(&workspace.root).unwrap().display().to_string();
        assert!(page.contains(&format!("({folder}/README.md)")), "{folder} is not linked");
    }
}

#[test]
fn a_module_with_children_is_a_file_beside_its_folder() {
    let workspace = Workspace::read();

    let files = workspace.members.iter().flat_map(|member| rust_files(&member.folder));
    // Cargo would build a file in `tests` as a test of its own, so shared support there is a `mod.rs`.
    let mod_files = files.filter(|file| file.ends_with("mod.rs"));
    let unexpected: Vec<_> =
        mod_files.filter(|file| !file.ends_with("tests/support/mod.rs")).collect();
    assert_eq!(unexpected, [] as [PathBuf; 0]);
}

/// The lines of one section of a manifest, without comments.
fn section(manifest: &str, header: &str) -> Vec<String> {
    let below = manifest.lines().skip_while(|line| *line != header).skip(1);
    let lines = below.take_while(|line| !line.starts_with('[')).map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}
