use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use regex::Regex;

use crate::workspace::{Workspace, product_code, rust_files};

/// The crates whose public functions must have callers, and the crates that can call them. Examples can, too: the programs
/// and the front page of any crate.
const CHECKED: [(&str, &[&str]); 2] = [
    (
        "grateful-domain",
        &[
            "grateful-storage",
            "grateful-application",
            "grateful-web",
            "grateful-nominatim",
            "grateful-import",
            "grateful-seed",
            "grateful-server",
        ],
    ),
    (
        "grateful-storage",
        &[
            "grateful-application",
            "grateful-import",
            "grateful-seed",
            "grateful-server",
            "grateful-service-axum",
            "grateful-service-digest",
        ],
    ),
];

/// Public functions without a caller: the crate, the function, and why it is public all the same.
const EXCEPTIONS: [(&str, &str, &str); 0] = [];

static PUBLIC_FUNCTION: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?m)^\s*pub (?:const |async )*fn (\w+)").unwrap());

#[test]
fn every_public_function_has_a_caller_in_another_crate_or_in_an_example() {
    let workspace = Workspace::read();
    let folders = workspace.members.iter().map(|member| member.folder.join("examples"));
    let programs = folders.filter(|folder| folder.exists()).flat_map(|folder| rust_files(&folder));
    let pages = workspace.members.iter().map(|member| member.folder.join("README.md"));
    let examples: Vec<PathBuf> = programs.chain(pages.filter(|page| page.exists())).collect();

    let words = Regex::new(r"\w+").unwrap();
    for (name, callers) in CHECKED {
        let sources = callers.iter().flat_map(|caller| workspace.member(caller).sources());
        let calling: String = sources.chain(examples.clone()).map(|file| code(&file)).collect();
        let called: HashSet<&str> = words.find_iter(&calling).map(|word| word.as_str()).collect();
        let mut functions = 0;

        for file in workspace.member(name).sources() {
            for found in PUBLIC_FUNCTION.captures_iter(&code(&file)) {
                let function = &found[1];
                let is_exempt =
                    EXCEPTIONS.iter().any(|(of, exempt, _)| (*of, *exempt) == (name, function));
                assert!(
                    called.contains(function) != is_exempt,
                    "{}: {function} has no caller outside {name}, or is exempt without need",
                    file.display()
                );
                functions += 1;
            }
        }
        assert!(100 < functions, "the sources were read: {functions}");
    }
}

fn code(file: &PathBuf) -> String {
    product_code(&fs::read_to_string(file).unwrap())
}
