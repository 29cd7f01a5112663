use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use regex::Regex;

use crate::workspace::Workspace;

#[test]
fn every_relative_link_leads_to_a_file_and_a_heading() {
    let link = Regex::new(r"\]\(([^)\s]+)\)|^\[[^\]]+\]:\s*(\S+)").unwrap();
    let workspace = Workspace::read();
    let mut findings = String::new();

    for file in workspace.files(&["md"]) {
        let text = workspace.read_file(&file);
        for (number, line) in unfenced_lines(&text) {
            if !line.contains("](") && !line.contains("]:") {
                continue;
            }
            for found in link.captures_iter(line) {
                let target = found.get(1).or(found.get(2)).unwrap().as_str();
                // Links with a scheme lead elsewhere, and paths of Rust items are checked by rustdoc.
                if target.contains("://") || target.starts_with("mailto:") || is_item(target) {
                    continue;
                }
                let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
                let path = if path.is_empty() { file.clone() } else { beside(&file, path) };
                check(
                    &workspace,
                    &path,
                    anchor,
                    &mut findings,
                    &format!("{}:{number}", file.display()),
                );
            }
        }
    }
    assert!(findings.is_empty(), "\n{findings}");
}

#[test]
fn every_cited_document_and_section_exists() {
    let citation = Regex::new(r"(?:^|[^\w/])docs/([\w./-]+\.md)(?:#([\w-]+))?").unwrap();
    let workspace = Workspace::read();
    let (mut findings, mut citations) = (String::new(), 0);

    for file in workspace.files(&["rs", "sql", "sh", "toml", "md"]) {
        for (number, line) in (1..).zip(workspace.read_file(&file).lines()) {
            if !line.contains("docs/") {
                continue;
            }
            for found in citation.captures_iter(line) {
                let path = Path::new("docs").join(&found[1]);
                let anchor = found.get(2).map_or("", |anchor| anchor.as_str());
                check(
                    &workspace,
                    &path,
                    anchor,
                    &mut findings,
                    &format!("{}:{number}", file.display()),
                );
                citations += 1;
            }
        }
    }
    assert!(findings.is_empty(), "\n{findings}");
    assert!(50 < citations, "the citations were found: {citations}");
}

#[test]
fn no_citation_refers_to_a_document_outside_the_repository() {
    let outside = ["contract §", "rules §", "database-structure.md", "http-contract.md"];
    let workspace = Workspace::read();
    let mut findings = String::new();

    for file in workspace.files(&["rs", "sql", "sh", "toml", "md"]) {
        if file.ends_with("architecture/links.rs") {
            continue;
        }
        for (number, line) in (1..).zip(workspace.read_file(&file).lines()) {
            if outside.iter().any(|citation| line.contains(citation)) {
                writeln!(findings, "{}:{number}: {line}", file.display()).unwrap();
            }
        }
    }
    assert!(findings.is_empty(), "\n{findings}");
}

/// `docs/adding-a-feature.md` names each place that a new feature touches. A file that the feature creates has the name of
/// the example.
#[test]
fn the_checklist_of_a_feature_names_at_most_25_places_and_each_exists() {
    let path = Regex::new(r"`((?:bin|crates|docs|migrations|tests)/[\w./-]+)`").unwrap();
    let workspace = Workspace::read();
    let page = workspace.read_file(Path::new("docs/adding-a-feature.md"));
    let mut findings = String::new();

    for (number, line) in (1..).zip(page.lines()) {
        for found in path.captures_iter(line) {
            let named = Path::new(&found[1]);
            let mut folders = named.ancestors().skip_while(|part| has_example_name(part));
            let existing = folders.next().unwrap();
            if !workspace.root.join(existing).exists() {
                writeln!(findings, "{number}: {} does not exist", existing.display()).unwrap();
            }
        }
    }
    assert!(findings.is_empty(), "\n{findings}");
    let row = Regex::new(r"(?m)^\| (\d+) \| ").unwrap();
    let rows: Vec<usize> = row.captures_iter(&page).map(|row| row[1].parse().unwrap()).collect();
    assert!(rows.len() <= 25, "a feature touches {} places", rows.len());
    assert_eq!(rows, (1..=rows.len()).collect::<Vec<_>>(), "rows are numbered in order");
}

fn has_example_name(path: &Path) -> bool {
    path.to_string_lossy().contains("bookmark")
}

#[test]
fn anchors_are_made_as_code_hosts_make_them() {
    let page = "# The API\n\n```sh\n# no heading\n```\n\n## `ETag`s, and *what* they cost\n";

    assert_eq!(anchors(page), ["the-api", "etags-and-what-they-cost"].map(str::to_owned).into());
}

fn check(workspace: &Workspace, path: &Path, anchor: &str, findings: &mut String, at: &str) {
    if !workspace.root.join(path).exists() {
        writeln!(findings, "{at}: {} does not exist", path.display()).unwrap();
    } else if !anchor.is_empty() && !anchors(&workspace.read_file(path)).contains(anchor) {
        writeln!(findings, "{at}: {} has no heading #{anchor}", path.display()).unwrap();
    }
}

/// Whether a link target is a path of Rust, such as `crate::Database` or `Database::transaction`.
fn is_item(target: &str) -> bool {
    target.contains("::") || !target.contains(['.', '/', '#'])
}

fn beside(file: &Path, relative: &str) -> PathBuf {
    let mut path = file.parent().unwrap().to_owned();
    for part in Path::new(relative).components() {
        match part {
            std::path::Component::ParentDir => {
                path.pop();
            }
            std::path::Component::CurDir => (),
            part => path.push(part),
        }
    }
    path
}

/// The anchors of the headings of a page: lower case, punctuation dropped, spaces as hyphens.
fn anchors(page: &str) -> BTreeSet<String> {
    let headings = unfenced_lines(page).filter_map(|(_, line)| {
        let title = line.trim_start_matches('#');
        (title.len() < line.len()).then(|| title.strip_prefix(' ')).flatten()
    });
    let slug = |title: &str| -> String {
        let kept = title.trim().chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(slug).collect()
}

/// The lines outside fenced blocks, with their numbers.
fn unfenced_lines(page: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut is_fenced = false;
    (1..).zip(page.lines()).filter(move |(_, line)| {
        let is_fence = line.trim_start().starts_with("```");
        is_fenced ^= is_fence;
        !is_fence && !is_fenced
    })
}
