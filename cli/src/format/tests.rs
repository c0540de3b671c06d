//! The formatter by itself, and beside `terraform fmt`: `testdata/given` holds files as somebody
//! (or [`generate`]) wrote them, `testdata/formatted` what Terraform makes of them.
//!
//! `WEIR_REGENERATE=1 cargo test -p weir-cli format::` writes the generated files and all results
//! anew, with the `terraform` on the PATH.

mod generate;

use super::{FormatError, format, tokens};
use proptest::prelude::*;
use std::{collections::BTreeMap, fs, path::PathBuf, process::Command, sync::Arc};
use weir_lang::parse;

/// How many files are generated.
const GENERATED: u64 = 180;

fn formatted(text: &str) -> Result<String, FormatError> {
    let (body, errors) = parse::parse_body("x".into(), &Arc::from(text));
    assert!(!errors.has_errors(), "{errors}\n{text}");
    format(text, &body)
}

fn folder(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "src/format/testdata", name]
        .iter()
        .collect()
}

fn files(name: &str) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder(name)).expect("the test's data");
    let read = |e: std::io::Result<fs::DirEntry>| {
        let e = e.expect("an entry");
        let name = e.file_name().to_string_lossy().into_owned();
        (name, fs::read_to_string(e.path()).expect("a text"))
    };
    entries.map(read).collect()
}

fn regenerate() {
    for seed in 0..GENERATED {
        let file = folder("given").join(format!("generated_{seed:03}.tf"));
        fs::write(file, generate::text(seed)).expect("the file is written");
    }
    let _ = fs::remove_dir_all(folder("formatted"));
    fs::create_dir(folder("formatted")).expect("the folder is made");
    for (name, text) in files("given") {
        fs::write(folder("formatted").join(name), text).expect("the file is written");
    }
    let status = Command::new("terraform")
        .args(["fmt", "-list=false"])
        .current_dir(folder("formatted"))
        .env("TF_CLI_CONFIG_FILE", "/dev/null")
        .env("CHECKPOINT_DISABLE", "1")
        .status()
        .expect("terraform is installed");
    assert!(status.success(), "terraform refuses a file");
}

#[test]
fn as_terraform_has_it() {
    if std::env::var_os("WEIR_REGENERATE").is_some() {
        regenerate();
    }
    let (given, wanted) = (files("given"), files("formatted"));
    assert!(given.len() >= 200, "{} files", given.len());
    let mut different = String::new();
    for (name, text) in &given {
        let found = formatted(text).expect("it can be formatted");
        if Some(&found) != wanted.get(name) {
            let wanted = wanted.get(name).map_or("", |w| w);
            let diff = similar::TextDiff::from_lines(wanted, &found);
            different += &diff.unified_diff().header(name, "found").to_string();
        }
        assert_eq!(formatted(&found), Ok(found.clone()), "{name}: twice");
    }
    assert!(different.is_empty(), "{different}");
}

#[test]
fn what_terraform_breaks_is_left_alone() {
    let table = [
        // A label is dropped.
        ("x \"a$b\" {}\n", "x \"a$b\" {}\n"),
        // The attribute ends in its middle.
        ("a = \"${ # why\n x }\"\n", "a = ( # why\nx)\n"),
        // A second run changes the file again.
        ("a = \"${\"${x}\"}\"\n", "a = x\n"),
        // A byte order mark becomes three spaces.
        ("\u{feff}", ""),
    ];
    for (given, expected) in table {
        assert_eq!(formatted(given).as_deref(), Ok(expected), "{given:?}");
    }
}

#[test]
fn what_does_not_end_is_refused_with_its_line() {
    let table = [
        ("a = 1\nb = \"x\n", "line 2: the string does not end"),
        ("a = 1\nb = \"${x\n", "line 3: the template does not end"),
        ("/* a\n", "line 1: the comment does not end"),
        ("a = <<EOT\nx\n", "line 3: the heredoc does not end"),
    ];
    for (given, expected) in table {
        let (body, _) = parse::parse_body("x".into(), &Arc::from(given));
        let found = format(given, &body).map_err(|e| e.to_string());
        assert_eq!(found, Err(expected.into()));
    }
}

/// The tokens as they are, but for line ends and what formatting rewrites.
fn meaning(text: &str) -> Vec<String> {
    let plain = |t: &tokens::Token<'_>| t.text.trim().to_owned();
    let tokens = tokens::tokens(text).expect("tokens");
    tokens.iter().map(plain).collect()
}

proptest! {
    #[test]
    fn twice_is_the_same_as_once(seed in any::<u64>()) {
        let once = formatted(&generate::text(seed)).expect("it can be formatted");
        prop_assert_eq!(formatted(&once).expect("it can be formatted"), once);
    }

    #[test]
    fn nothing_but_space_changes(seed in any::<u64>()) {
        let text = generate::text(seed);
        // Old forms are rewritten; a text that was formatted has none.
        let once = formatted(&text).expect("it can be formatted");
        let mut other = once.replace("  ", " ");
        if other.contains("EOT") || other.contains("/*") {
            other = once.clone();
        }
        let twice = formatted(&other).expect("it can be formatted");
        prop_assert_eq!(meaning(&twice), meaning(&once));
    }
}
