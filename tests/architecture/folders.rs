use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;

use crate::workspace::{Member, Workspace, product_code};

/// The top-level modules of the layered crates, innermost first: a module imports only from modules before it.
const LAYERS: [(&str, &[&str]); 3] = [
    (
        "grateful-storage",
        &[
            "error",
            "schema",
            "monitor",
            "connection",
            "rows",
            "query",
            "repositories",
            "verify",
            "bulk",
        ],
    ),
    (
        "grateful-application",
        &[
            "error",
            "ports",
            "metrics",
            "rate_limiter",
            "concurrency_limiter",
            "stream_limiter",
            "auth",
            "image_processor",
            "inbox_watcher",
            "location_lookups",
            "upload_probe",
            "combiner",
            "app",
            "caller_reads",
            "query_log",
            "image_files",
            "file_store",
            "idempotency",
            "mentions",
            "notify",
            "post_access",
            "background_jobs",
            "use_cases",
        ],
    ),
    (
        "grateful-web",
        &[
            "config",
            "access",
            "rate_limit_policy",
            "cursors",
            "error",
            "request",
            "response",
            "openapi",
            "metrics",
            "middleware",
            "routes",
            "dispatch",
            "app",
            "server",
        ],
    ),
];

static INLINE_PATH: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\b(?:crate|super)(?:::\w+)+").unwrap());

static USE_DECLARATION: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?m)^\s*(pub(?:\([^)]*\))?\s+)?use\s+([^;]+);").unwrap());

#[test]
fn modules_import_only_from_the_layers_below() {
    let workspace = Workspace::read();

    for (name, layers) in LAYERS {
        let graph = Modules::read(workspace.member(name)).imports_between_siblings();
        let layer = |module: &str| {
            let found = layers.iter().position(|layer| *layer == module);
            found.unwrap_or_else(|| panic!("{name}: the module {module} has no layer"))
        };
        for ((parent, importer, imported), file) in graph {
            if parent.is_empty() {
                let is_below = layer(&imported) < layer(&importer);
                assert!(is_below, "{name}: {importer} imports {imported} in {file}");
            }
        }
    }
}

#[test]
fn no_two_modules_import_each_other() {
    for member in Workspace::read().members {
        let graph = Modules::read(&member).imports_between_siblings();
        let mut edges: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
        for (parent, importer, imported) in graph.keys() {
            edges.entry((parent, importer)).or_default().insert(imported);
        }
        for (parent, importer) in edges.keys() {
            let mut reached = BTreeSet::new();
            let mut unvisited = vec![*importer];
            while let Some(module) = unvisited.pop() {
                let imported = edges.get(&(*parent, module)).into_iter().flatten();
                unvisited.extend(imported.filter(|imported| reached.insert(**imported)));
            }
            let (name, reaches) = (&member.name, &reached);
            assert!(
                !reached.contains(importer),
                "{name}: {parent}::{importer} reaches itself through {reaches:?}"
            );
        }
    }
}

/// The modules of a crate and their code, by path such as `query::posts`; the root is the empty path.
struct Modules {
    sources: BTreeMap<String, String>,
}

/// An import between two modules of the same parent: parent, importer, imported; and a file that has it.
type Imports = BTreeMap<(String, String, String), String>;

impl Modules {
    fn read(member: &Member) -> Self {
        let root = member.library.parent().unwrap();
        let sources = member.sources().into_iter().map(|file| {
            let path = module_path(file.strip_prefix(root).unwrap());
            (path, product_code(&fs::read_to_string(&file).unwrap()))
        });
        Self { sources: sources.collect() }
    }

    fn imports_between_siblings(&self) -> Imports {
        let mut imports = Imports::new();
        for (importer, source) in &self.sources {
            for path in paths(source) {
                let Some(imported) = self.resolve(importer, &path) else { continue };
                let (from, to) = (segments(importer), segments(&imported));
                let shared = from.iter().zip(&to).take_while(|(one, other)| one == other).count();
                if let (Some(one), Some(other)) = (from.get(shared), to.get(shared)) {
                    let edge = (from[..shared].join("::"), (*one).to_owned(), (*other).to_owned());
                    imports.insert(edge, importer.clone());
                }
            }
        }
        imports
    }

    /// The module that defines what a path names, as seen from `importer`: re-exports are followed.
    fn resolve(&self, importer: &str, path: &[String]) -> Option<String> {
        let mut module =
            segments(importer).iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let mut rest = path.iter();
        match rest.next()?.as_str() {
            "crate" => module.clear(),
            "super" => drop(module.pop()),
            "self" => (),
            _ => return None,
        }
        for name in rest {
            if name == "super" {
                module.pop();
                continue;
            }
            match self.child(&module, name, 0) {
                Some(child) => module = child,
                None => break,
            }
        }
        Some(module.join("::"))
    }

    /// The child module of this name, or the module that an item of this name is re-exported from.
    fn child(&self, module: &[String], name: &str, depth: usize) -> Option<Vec<String>> {
        let child = [module, &[name.to_owned()]].concat();
        if self.sources.contains_key(&child.join("::")) {
            return Some(child);
        }
        let source = self.sources.get(&module.join("::"))?;
        let reexport = uses(source, true).into_iter().find(|path| {
            path.last().is_some_and(|last| last == name)
                && path.first().is_some_and(|first| first == "self")
        })?;
        let mut found = module.to_vec();
        for name in &reexport[1..] {
            match self.child(&found, name, depth + 1) {
                Some(child) if depth < 8 => found = child,
                _ => break,
            }
        }
        Some(found)
    }
}

fn module_path(file: &Path) -> String {
    let path = file.with_extension("");
    let names: Vec<&str> = path.iter().map(|name| name.to_str().unwrap()).collect();
    if names == ["lib"] || names == ["main"] { String::new() } else { names.join("::") }
}

fn segments(path: &str) -> Vec<&str> {
    path.split("::").filter(|name| !name.is_empty()).collect()
}

/// Every path into this crate that the code names, in a `use` or elsewhere.
fn paths(source: &str) -> Vec<Vec<String>> {
    let inline = INLINE_PATH
        .find_iter(source)
        .map(|path| path.as_str().split("::").map(str::to_owned).collect());
    uses(source, false).into_iter().chain(inline).collect()
}

/// The paths of `use` declarations, groups expanded; only public ones where `is_public`.
fn uses(source: &str, is_public: bool) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    for found in USE_DECLARATION.captures_iter(source) {
        if !is_public || found.get(1).is_some() {
            expand(&found[2], &[], &mut paths);
        }
    }
    paths
}

/// Adds the paths of one `use` tree, such as `crate::{a, b::{c, d as e}}`.
fn expand(tree: &str, prefix: &[String], paths: &mut Vec<Vec<String>>) {
    let tree = tree.trim();
    if let Some((head, group)) = tree.split_once('{') {
        let names =
            head.split("::").map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned);
        let prefix: Vec<String> = prefix.iter().cloned().chain(names).collect();
        let group = group.trim_end().strip_suffix('}').unwrap_or(group);
        let (mut depth, mut start) = (0, 0);
        for (at, c) in group.char_indices().chain([(group.len(), ',')]) {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    expand(&group[start..at], &prefix, paths);
                    start = at + 1;
                }
                _ => (),
            }
        }
    } else if !tree.is_empty() {
        let tree = tree.split(" as ").next().unwrap();
        let names = tree.split("::").map(|name| name.trim().to_owned());
        paths.push(prefix.iter().cloned().chain(names).collect());
    }
}
