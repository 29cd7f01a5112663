use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use grateful_tests::Value;

/// The workspace, from `cargo metadata`.
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) members: Vec<Member>,
}

impl Workspace {
    pub(crate) fn read() -> Self {
        let cargo = Command::new(env!("CARGO"))
            .args(["metadata", "--no-deps", "--format-version=1", "--offline"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output();
        let metadata: Value = serde_json::from_slice(&cargo.unwrap().stdout).unwrap();
        let members = metadata["packages"].as_array().unwrap().iter().map(Member::read).collect();
        Self { root: text(&metadata["workspace_root"]).into(), members }
    }

    pub(crate) fn member(&self, name: &str) -> &Member {
        self.find(name).unwrap_or_else(|| panic!("the workspace has no crate {name}"))
    }

    fn find(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.name == name)
    }

    /// All direct and transitive dependencies of a crate, on any platform.
    pub(crate) fn transitive_dependencies(&self, name: &str) -> BTreeSet<String> {
        let locked = locked(&self.root);
        let mut found = BTreeSet::new();
        let mut unvisited = vec![name.to_owned()];
        while let Some(name) = unvisited.pop() {
            // The lock file lists dev-dependencies of members too, so members are read from their manifests.
            let dependencies = self.find(&name).map(|member| member.dependencies("normal"));
            let dependencies = dependencies.unwrap_or_else(|| locked[&name].clone());
            unvisited.extend(dependencies.into_iter().filter(|name| found.insert(name.clone())));
        }
        found
    }

    /// The files of the repository with one of these extensions, relative to the root: without build output, hidden
    /// folders and what the server writes.
    pub(crate) fn files(&self, extensions: &[&str]) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let mut folders = vec![self.root.clone()];
        while let Some(folder) = folders.pop() {
            for path in entries(&folder) {
                let name = path.file_name().unwrap().to_str().unwrap();
                let is_skipped = name.starts_with('.') || ["target", "uploads"].contains(&name);
                if path.is_symlink() || is_skipped {
                    continue;
                }
                if path.is_dir() {
                    folders.push(path);
                } else if extensions.iter().any(|extension| has_extension(&path, extension)) {
                    files.push(path.strip_prefix(&self.root).unwrap().to_owned());
                }
            }
        }
        files.sort();
        files
    }

    pub(crate) fn read_file(&self, file: &Path) -> String {
        let path = self.root.join(file);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}

/// A crate of the workspace.
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    pub(crate) library: PathBuf,
    dependencies: Vec<(String, String)>,
}

impl Member {
    fn read(package: &Value) -> Self {
        let is_library = |target: &&Value| target["kind"][0] == "lib";
        let library = package["targets"].as_array().unwrap().iter().find(is_library).unwrap();
        let dependency = |dependency: &Value| {
            let kind = dependency["kind"].as_str().unwrap_or("normal").to_owned();
            (text(&dependency["name"]).to_owned(), kind)
        };
        let dependencies = package["dependencies"].as_array().unwrap();
        Self {
            name: text(&package["name"]).to_owned(),
            folder: Path::new(text(&package["manifest_path"])).parent().unwrap().to_owned(),
            library: text(&library["src_path"]).into(),
            dependencies: dependencies.iter().map(dependency).collect(),
        }
    }

    /// Direct dependencies of one kind: `normal`, `dev` or `build`.
    pub(crate) fn dependencies(&self, kind: &str) -> BTreeSet<String> {
        let dependencies = self.dependencies.iter().filter(|(_, of)| of == kind);
        dependencies.map(|(name, _)| name.clone()).collect()
    }

    pub(crate) fn manifest(&self) -> String {
        fs::read_to_string(self.folder.join("Cargo.toml")).unwrap()
    }

    /// The files of the library.
    pub(crate) fn sources(&self) -> Vec<PathBuf> {
        rust_files(self.library.parent().unwrap())
    }
}

/// The dependencies of each crate in the lock file; versions of the same crate are merged.
fn locked(root: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let lock = fs::read_to_string(root.join("Cargo.lock")).unwrap();
    let mut crates: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in lock.split("[[package]]\n").skip(1) {
        let name = package.split('"').nth(1).unwrap();
        let list = package.split_once("dependencies = [").map_or("", |(_, list)| list);
        let lines = list.lines().filter_map(|line| line.trim().strip_prefix('"'));
        let names = lines.map(|line| line.split([' ', '"']).next().unwrap().to_owned());
        crates.entry(name.to_owned()).or_default().extend(names);
    }
    crates
}

/// A source file without comments and unit tests.
pub(crate) fn product_code(source: &str) -> String {
    let source = source.split("#[cfg(test)]").next().unwrap_or_default();
    source
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n")
}

/// The `.rs` files below a folder.
pub(crate) fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let (folders, files): (Vec<_>, Vec<_>) =
        entries(folder).into_iter().partition(|path| path.is_dir());
    let files = files.into_iter().filter(|file| has_extension(file, "rs"));
    files.chain(folders.iter().flat_map(|folder| rust_files(folder))).collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries
}

fn has_extension(file: &Path, extension: &str) -> bool {
    file.extension().is_some_and(|found| found == extension)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("not a string: {value}"))
}
