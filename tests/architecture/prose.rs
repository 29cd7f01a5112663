use std::fmt::Write as _;
use std::path::Path;

use crate::workspace::Workspace;

/// Words that neither names nor sentences use.
const BANNED_WORDS: [&str; 16] = [
    "anew",
    "anybody",
    "everybody",
    "hence",
    "nobody",
    "retell",
    "somebody",
    "thereof",
    "untell",
    "whatever",
    "wherefore",
    "whoever",
    "whom",
    "whomever",
    "whosever",
    "whosoever",
];

/// Phrases that comments and documents do not use.
const BANNED_PHRASES: [&str; 18] = [
    "are asked for",
    "are told",
    "as far as",
    "be told",
    "been told",
    "being told",
    "for which reason",
    "go away",
    "goes away",
    "in front of which",
    "is asked for",
    "is told",
    "of which",
    "so many",
    "told about",
    "told of",
    "was told",
    "were told",
];

/// What something can be behind: a proxy, a lock. Elsewhere `behind` stands for `after`.
const BEHIND: [&str; 12] = [
    "balancer",
    "feature",
    "features",
    "flag",
    "lock",
    "locks",
    "nat",
    "nginx",
    "port",
    "proxies",
    "proxy",
    "semaphore",
];

/// Where a banned word is a quotation: the name of a Unix account, and sentences of made-up posts.
const QUOTATIONS: [(&str, &str); 4] = [
    ("tests/architecture/prose.rs", ""),
    ("crates/local-postgres/", "nobody"),
    ("crates/seed/src/word_lists.rs", "nobody"),
    ("crates/seed/src/word_lists.rs", "somebody"),
];

#[test]
fn names_and_sentences_use_no_banned_word() {
    let workspace = Workspace::read();
    let mut findings = String::new();

    for file in workspace.files(&["rs", "md", "sql", "sh", "toml", "py"]) {
        for (number, line) in (1..).zip(workspace.read_file(&file).lines()) {
            for word in words(&without_code_spans(line)) {
                if BANNED_WORDS.contains(&word.as_str()) && !is_quotation(&file, &word) {
                    writeln!(findings, "{}:{number}: {word}: {line}", file.display()).unwrap();
                }
            }
        }
    }
    assert!(findings.is_empty(), "\n{findings}");
}

#[test]
fn comments_and_documents_use_no_banned_phrase() {
    let workspace = Workspace::read();
    let mut findings = String::new();

    for file in workspace.files(&["rs", "md", "sql", "sh", "toml"]) {
        for (number, passage) in passages(&file, &workspace.read_file(&file)) {
            if let Some(phrase) =
                banned_phrase(&passage).filter(|phrase| !is_quotation(&file, phrase))
            {
                writeln!(findings, "{}:{number}: {phrase}: {passage}", file.display()).unwrap();
            }
        }
    }
    assert!(findings.is_empty(), "\n{findings}");
}

#[test]
fn banned_phrases_are_found_as_whole_words() {
    assert_eq!(banned_phrase("The author is  told of it."), Some("is told"));
    assert_eq!(banned_phrase("Runs behind the commit."), Some("behind"));
    assert_eq!(banned_phrase("It runs behind a trusted proxy."), None);
    assert_eq!(banned_phrase("This toldo area."), None);
}

#[test]
fn passages_are_comments_joined_over_their_lines() {
    let source =
        "//! One\n//! sentence.\nlet url = \"https://example.org\"; // why\n\n    /// Doc.\n";

    let found = passages(Path::new("a.rs"), source);

    let expected = [(1, "One sentence."), (3, "why"), (5, "Doc.")];
    assert_eq!(found, expected.map(|(line, text)| (line, text.to_owned())));
}

fn is_quotation(file: &Path, word: &str) -> bool {
    QUOTATIONS.iter().any(|(prefix, quoted)| {
        file.to_str().unwrap().starts_with(prefix) && (quoted.is_empty() || *quoted == word)
    })
}

/// The words of a line in lower case; an underscore separates words.
fn words(line: &str) -> Vec<String> {
    let words = line.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

fn banned_phrase(passage: &str) -> Option<&'static str> {
    let words = words(passage);
    let text = format!(" {} ", words.join(" "));
    let is_place =
        |words: &[String]| words[1..].iter().take(4).any(|word| BEHIND.contains(&word.as_str()));
    let mut behind = (0..words.len()).filter(|at| words[*at] == "behind");
    let is_misused = behind.any(|at| !is_place(&words[at..]));
    let phrase = BANNED_PHRASES.into_iter().find(|phrase| text.contains(&format!(" {phrase} ")));
    phrase.or(is_misused.then_some("behind"))
}

/// The line with everything between backticks replaced by one word.
fn without_code_spans(line: &str) -> String {
    let pieces: Vec<&str> = line.split('`').collect();
    // An opening backtick without a closing one quotes nothing.
    let is_quoted = |index: usize| index % 2 == 1 && index + 1 < pieces.len();
    let pieces = pieces.iter().enumerate();
    pieces.map(|(index, piece)| if is_quoted(index) { "code" } else { *piece }).collect()
}

/// The comments of a source file, or all of a document but its fenced blocks, each with the number of its first line.
/// Lines that hold nothing else are joined with the line above, since phrases wrap.
fn passages(file: &Path, text: &str) -> Vec<(usize, String)> {
    let extension = file.extension().unwrap().to_str().unwrap();
    let mut passages: Vec<(usize, String)> = Vec::new();
    let (mut is_fenced, mut may_join) = (false, false);
    for (number, line) in (1..).zip(text.lines()) {
        let Some((before, comment)) = comment(extension, line) else {
            may_join = false;
            continue;
        };
        let comment = without_code_spans(comment.trim());
        is_fenced ^= comment.starts_with("```");
        if comment.is_empty() || is_fenced {
            may_join = false;
            continue;
        }
        let is_alone = before.trim().is_empty();
        match passages.last_mut() {
            Some((_, passage)) if may_join && is_alone => {
                passage.push(' ');
                passage.push_str(&comment);
            }
            _ => passages.push((number, comment)),
        }
        may_join = is_alone;
    }
    passages
}

/// What a line of a file holds before and after its comment marker; a document is all comment.
fn comment<'a>(extension: &str, line: &'a str) -> Option<(&'a str, &'a str)> {
    let marker = match extension {
        "md" => return Some(("", line)),
        "rs" => "//",
        "sql" => "--",
        _ => "#",
    };
    // The marker of an address in a string follows a colon.
    let at = line.match_indices(marker).map(|(at, _)| at).find(|at| !line[..*at].ends_with(':'))?;
    let (before, comment) = line.split_at(at);
    Some((before, comment.trim_start_matches(['/', '!', '-', '#'])))
}
