//! Files that can't be read, or hold no text.

use crate::kit::{Mode, drive, evaluator, shown};
use std::{collections::BTreeSet, io, path::Path, sync::Arc};
use weir_core::Diagnostics;
use weir_lang::{
    Files, Inputs, MemoryFiles, NoCatalog,
    files::{Entry, EntryKind},
    load,
};

/// A folder that no one may look into.
struct Denied;

impl Files for Denied {
    fn read_bytes(&self, _: &Path) -> io::Result<Arc<[u8]>> {
        Err(io::ErrorKind::PermissionDenied.into())
    }
    fn list(&self, _: &Path) -> io::Result<Arc<[Entry]>> {
        Err(io::ErrorKind::PermissionDenied.into())
    }
    fn kind(&self, _: &Path) -> io::Result<EntryKind> {
        Err(io::ErrorKind::PermissionDenied.into())
    }
}

fn texts(problems: &Diagnostics) -> Vec<String> {
    problems.0.iter().map(shown).collect()
}

fn refused(files: Arc<dyn Files>, inputs: &Inputs) -> Vec<String> {
    match load(files, &NoCatalog, inputs) {
        Ok(_) => panic!("it loads"),
        Err(problems) => texts(&problems),
    }
}

#[test]
fn a_folder_that_may_not_be_read() {
    let found = refused(Arc::new(Denied), &Inputs::default());
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("The stack's folder can't be read: permission denied."));
}

#[test]
fn a_file_of_variables_that_is_not_there() {
    let files = MemoryFiles::of([("main.hcl", "output \"a\" { value = 1 }\n")]);
    let found = refused(Arc::new(files), &Inputs::default().file("gone.tfvars"));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].starts_with("The file of variables gone.tfvars can't be read"),
        "{found:?}"
    );
}

#[test]
fn a_template_that_is_not_text() {
    let text = r#"
site "s" {
  host "h" { address = "10.0.0.1" }
}
cluster "c" {
  pool "p" { site = site.s }
}
service "web" {
  cluster = cluster.c
  pod "a" {
    file "f" { template = "bytes.j2" }
    task "t" { run = "x" }
  }
}
"#;
    let mut files = MemoryFiles::of([("main.hcl", text)]);
    files
        .0
        .insert("templates/bytes.j2".into(), vec![0xff, 0xfe]);
    let loaded = load(Arc::new(files), &NoCatalog, &Inputs::default()).unwrap();
    let run = drive(&mut evaluator(loaded.config), &Mode::Plan, &BTreeSet::new());
    let found = texts(&run.problems);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].contains("Template `bytes.j2` is not text: templates/bytes.j2 is not UTF-8."),
        "{found:?}"
    );
}
