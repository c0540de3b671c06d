//! `weir test` beside `terraform test`: each folder of `tftests` is run by both, and runs, statuses
//! and documented messages are equal. Flags are in its file `args`. Terraform's answers are stored in `terraform.json` beside it;
//! `WEIR_REGENERATE=1 cargo test -p weir-cli --test tftest` asks it again.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test may panic as the test may"
)]

use serde_json::{Value as Json, json};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Messages that are of tests alone, so that both say them in the same words.
const DOCUMENTED: [&str; 4] = [
    "Test assertion failed",
    "Missing expected failure",
    "Expected failure while planning",
    "Unknown condition value",
];

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        match path.is_dir() {
            true => copy(&path, &target),
            false => drop(fs::copy(&path, &target).unwrap()),
        }
    }
}

fn command(program: &str, folder: &Path, args: &[&str]) -> std::process::Output {
    Command::new(program)
        .args(args)
        .current_dir(folder)
        .env("CHECKPOINT_DISABLE", "1")
        .env_remove("TF_CLI_CONFIG_FILE")
        .output()
        .unwrap()
}

/// What a program says of a folder: how each run ended, the documented messages, the summary.
fn answer(program: &str, folder: &Path) -> Json {
    let given = fs::read_to_string(folder.join("args")).unwrap_or_default();
    let mut args = vec!["test", "-json", "-junit-xml=report.xml"];
    args.extend(given.split_whitespace());
    let run = command(program, folder, &args);
    let text = String::from_utf8(run.stdout).unwrap();
    let (mut runs, mut messages, mut summary) = (Vec::new(), Vec::new(), Json::Null);
    for line in text.lines() {
        let line: Json = serde_json::from_str(line).unwrap();
        let run = &line["test_run"];
        if run["progress"] == "complete" {
            runs.push(json!([run["run"], run["status"]]));
        }
        let found = &line["diagnostic"];
        if DOCUMENTED.iter().any(|d| found["summary"] == **d) {
            messages.push(json!([line["@testrun"], found["summary"], found["detail"]]));
        }
        if line["type"] == "test_summary" {
            summary = line["test_summary"].clone();
        }
    }
    // Terraform says those of one run in an order of its own at each time.
    messages.sort_by_key(|m| m.to_string());
    json!({
        "runs": runs,
        "messages": messages,
        "summary": summary,
        "junit": junit(&folder.join("report.xml")),
        "ok": run.status.success(),
    })
}

/// The suites and cases of a report, without times and texts that differ.
fn junit(path: &Path) -> Json {
    let Ok(text) = fs::read_to_string(path) else {
        return Json::Null;
    };
    let document = roxmltree::Document::parse(&text).unwrap();
    let elements = |node: roxmltree::Node<'_, '_>| -> Json {
        let found = node.children().filter(|n| n.is_element());
        let found = found.filter(|n| !n.has_tag_name("system-err"));
        found
            .map(|n| json!([n.tag_name().name(), n.attribute("message")]))
            .collect()
    };
    let suites = document.root_element().children();
    let suites = suites.filter(|n| n.has_tag_name("testsuite")).map(|suite| {
        let counts = ["name", "tests", "skipped", "failures", "errors"];
        let cases = suite.children().filter(|n| n.has_tag_name("testcase"));
        let cases = cases.map(|case| {
            let timed = case.has_attribute("time") && case.has_attribute("timestamp");
            json!([
                case.attribute("name"),
                case.attribute("classname"),
                timed,
                elements(case)
            ])
        });
        json!([counts.map(|c| suite.attribute(c)), cases.collect::<Json>()])
    });
    suites.collect()
}

#[test]
fn equal_to_terraform() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tftests");
    let mut folders: Vec<PathBuf> = fs::read_dir(root)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    folders.sort();
    let mut failures = Vec::new();
    for folder in folders {
        let place = tempfile::tempdir().unwrap();
        copy(&folder, place.path());
        let stored = folder.join("terraform.json");
        if std::env::var_os("WEIR_REGENERATE").is_some() {
            let given = fs::read_to_string(folder.join("args")).unwrap_or_default();
            let mut args = vec!["init"];
            let directory = |a: &&str| a.starts_with("-test-directory");
            args.extend(given.split_whitespace().filter(directory));
            command("terraform", place.path(), &args);
            let text = serde_json::to_string_pretty(&answer("terraform", place.path())).unwrap();
            fs::write(&stored, text + "\n").unwrap();
        }
        let wanted: Json = serde_json::from_str(&fs::read_to_string(stored).unwrap()).unwrap();
        let found = answer(env!("CARGO_BIN_EXE_weir"), place.path());
        if found != wanted {
            let name = folder.file_name().unwrap().display();
            failures.push(format!("{name}\n  weir      {found}\n  terraform {wanted}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
