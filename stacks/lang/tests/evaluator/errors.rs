//! The text of every error, file by file: `errors/*.txt` holds a configuration (`=== PATH` before
//! each file; after `=== -var`, values of variables) and, after `=== errors`, what a run says of it.
//!
//! `UPDATE_GOLDEN=1 cargo test -p weir-lang --test evaluator errors` writes the texts anew.

use crate::kit::errors_of;
use std::{fmt::Write, fs, path::Path};
use weir_lang::Inputs;

#[test]
fn errors_say_what_where_why_and_what_next() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/evaluator/errors");
    let mut paths: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    paths.sort();
    assert!(paths.len() > 20, "the golden files are missing");
    let mut different = String::new();
    for path in paths {
        let text = fs::read_to_string(&path).unwrap();
        let mut files: Vec<(&str, &str)> = Vec::new();
        let mut wanted = "";
        let mut inputs = Inputs::default();
        for section in text.split("=== ").skip(1) {
            let (name, body) = section.split_once('\n').unwrap();
            match name {
                "errors" => wanted = body.trim_end(),
                "-var" => {
                    let flags = body.lines().filter_map(|l| l.split_once('='));
                    inputs = flags.fold(inputs, |i, (name, text)| i.var(name, text));
                }
                _ => files.push((name, body)),
            }
        }
        let found = errors_of(&files, &inputs);
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            let head = text.split("=== errors").next().unwrap().trim_end();
            fs::write(&path, format!("{head}\n=== errors\n{found}\n")).unwrap();
        } else if found != wanted {
            let _ = writeln!(
                different,
                "--- {}\nwanted:\n{wanted}\nfound:\n{found}\n",
                path.display()
            );
        }
    }
    assert!(different.is_empty(), "{different}");
}
