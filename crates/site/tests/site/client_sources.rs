use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

/// What would make text of users into markup or script, or load something from elsewhere.
const FORBIDDEN: [&str; 15] = [
    "innerHTML",
    "outerHTML",
    "insertAdjacentHTML",
    "setHTMLUnsafe",
    "document.write",
    "createContextualFragment",
    "DOMParser",
    "eval(",
    "new Function",
    "import(",
    "importScripts",
    "srcdoc",
    "javascript:",
    "setAttribute('style'",
    "document.cookie",
];

fn sources(extension: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("client")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().unwrap() == extension {
                let source = fs::read_to_string(&path).unwrap();
                found.push((path, source));
            }
        }
    }
    found
}

/// A script without its comments.
fn code(source: &str) -> String {
    let comments = Regex::new(r"(?s)/\*.*?\*/|(?m)^\s*//.*$").unwrap();
    comments.replace_all(source, "").into_owned()
}

#[test]
fn scripts_write_text_and_never_markup() {
    let scripts = sources("js");
    assert!(20 < scripts.len(), "the scripts were found");

    for (path, source) in scripts {
        let code = code(&source);
        for word in FORBIDDEN {
            assert!(!code.contains(word), "{} uses {word}", path.display());
        }
    }
}

#[test]
fn scripts_load_nothing_from_other_hosts() {
    let address = Regex::new(r"https?://[\w.]").unwrap();
    for (path, source) in sources("js").into_iter().chain(sources("css")) {
        let found = address.find(&code(&source)).map(|found| found.as_str().to_owned());
        // The name of the SVG namespace is never loaded.
        let is_namespace = source.contains("'http://www.w3.org/2000/svg'");
        assert!(found.is_none() || is_namespace, "{}: {found:?}", path.display());
        assert!(!source.contains("@import") && !source.contains("url("), "{}", path.display());
    }
}

#[test]
fn scripts_import_only_files_that_exist() {
    let import = Regex::new(r"from '([^']+)'").unwrap();
    let mut imports = 0;
    for (path, source) in sources("js") {
        for found in import.captures_iter(&source) {
            let file = path.parent().unwrap().join(&found[1]);
            assert!(file.exists(), "{} imports {}", path.display(), &found[1]);
            imports += 1;
        }
    }
    assert!(100 < imports, "the imports were found: {imports}");
}

#[test]
fn files_of_the_client_are_short() {
    for (path, source) in sources("js").into_iter().chain(sources("css")) {
        let lines = source.lines().count();
        assert!(lines <= 350, "{} has {lines} lines", path.display());
    }
}

#[test]
fn the_token_is_kept_for_the_session_only() {
    let session = sources("js").into_iter().find(|(path, _)| path.ends_with("session.js")).unwrap();

    assert!(session.1.contains("sessionStorage.setItem"));
    assert!(!session.1.contains("localStorage"));
}
