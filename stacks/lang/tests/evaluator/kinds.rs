//! Every kind of diagnostic has a golden text: the summaries in the source are looked for in
//! `errors/*.txt`. What is tested elsewhere stands in `errors-elsewhere.txt`, with the file that does.

#![allow(clippy::unwrap_used)] // helpers of tests

use regex::Regex;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, ending: &str, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, ending, out);
        } else if path.to_string_lossy().ends_with(ending) {
            out.push(path);
        }
    }
    out.sort();
}

/// Each summary as it is written in the source, with the pattern of what it becomes.
fn kinds() -> BTreeMap<String, Regex> {
    let made = r#"(?s)(Diagnostic::(?:error|warning)|\.error|\.expected)\(\s*(?:&?format!\(\s*)?"((?:[^"\\]|\\.)*)""#;
    let (made, hole) = (
        Regex::new(made).unwrap(),
        Regex::new(r"\{[^{}]*\}").unwrap(),
    );
    let broken = Regex::new(r"\\\n\s*").unwrap();
    let mut sources = Vec::new();
    files(&root().join("src"), ".rs", &mut sources);
    let mut kinds = BTreeMap::new();
    for source in sources {
        let text = fs::read_to_string(source).unwrap();
        for found in made.captures_iter(&text) {
            let summary = broken.replace_all(&found[2], "");
            let summary = summary.replace("\\\"", "\"").replace("\\\\", "\\");
            // `{{` is a brace, `{x}` a hole.
            let guarded = summary.replace("{{", "\u{1}").replace("}}", "\u{2}");
            let pattern: Vec<String> = hole
                .split(&guarded)
                .map(|part| regex::escape(&part.replace('\u{1}', "{").replace('\u{2}', "}")))
                .collect();
            let lead = match &found[1] {
                ".expected" => "expected ",
                _ => "",
            };
            let pattern = Regex::new(&format!("{lead}{}", pattern.join(".*"))).unwrap();
            kinds.insert(summary, pattern);
        }
    }
    kinds
}

#[test]
fn every_kind_of_diagnostic_has_a_golden_text() {
    let mut goldens = Vec::new();
    files(&root().join("tests/evaluator/errors"), ".txt", &mut goldens);
    let mut shown = String::new();
    for golden in goldens {
        let text = fs::read_to_string(golden).unwrap();
        shown += text
            .split_once("=== errors")
            .map_or("", |(_, errors)| errors);
    }
    let elsewhere =
        fs::read_to_string(root().join("tests/evaluator/errors-elsewhere.txt")).unwrap();
    let kinds = kinds();
    let elsewhere: BTreeSet<&str> = elsewhere
        .lines()
        .filter(|l| !l.is_empty() && !l.starts_with('#'))
        .map(|line| {
            let (summary, place) = line.split_once(" <- ").expect(line);
            let test = fs::read_to_string(root().join(place)).expect(place);
            let pattern = kinds
                .get(summary)
                .unwrap_or_else(|| panic!("no kind: {summary}"));
            assert!(pattern.is_match(&test), "{place} does not show: {summary}");
            summary
        })
        .collect();
    assert!(kinds.len() > 250, "{} kinds are found", kinds.len());
    let without: BTreeSet<&str> = kinds
        .iter()
        .filter(|(_, pattern)| !pattern.is_match(&shown))
        .map(|(summary, _)| summary.as_str())
        .collect();
    let missing: Vec<_> = without.difference(&elsewhere).collect();
    assert!(missing.is_empty(), "no golden text shows: {missing:#?}");
    let stale: Vec<_> = elsewhere.difference(&without).collect();
    assert!(stale.is_empty(), "these have one now: {stale:#?}");
}

/// What is said of a condition that does not hold is in the words of who wrote the condition.
const IN_THE_WORDS_OF_THE_AUTHOR: [&str; 2] = [" is refused: ", " has a value that is refused: "];

/// The next step of every error: a diagnostic without a line `help:` is named here.
#[test]
fn every_error_says_what_to_do_next() {
    let mut goldens = Vec::new();
    files(&root().join("tests/evaluator/errors"), ".txt", &mut goldens);
    let mut without = Vec::new();
    for golden in &goldens {
        let text = fs::read_to_string(golden).unwrap();
        let (_, shown) = text.split_once("=== errors\n").unwrap_or_default();
        for error in shown.split("\n\n").filter(|e| !e.trim().is_empty()) {
            let first = error.lines().next().unwrap_or_default();
            let exempt = IN_THE_WORDS_OF_THE_AUTHOR.iter().any(|w| first.contains(w));
            if !exempt && !error.contains("\n  help: ") {
                let name = golden.file_name().unwrap_or_default().display();
                without.push(format!("{name}: {first}"));
            }
        }
    }
    assert!(without.is_empty(), "without a next step: {without:#?}");
}
