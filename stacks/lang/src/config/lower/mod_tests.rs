//! However many threads sort the blocks, and in whatever portions: the same blocks, the same
//! errors.

use super::*;
use crate::{functions::Registry, parse::parse_body, sources::Sources};
use proptest::prelude::*;
use std::{path::PathBuf, sync::Arc};

/// Blocks of every kind, some in error; `#` is a number, so that few names occur twice.
const BLOCKS: [&str; 26] = [
    "resource \"terraform_data\" \"r#\" {\n  input = var.v#\n}",
    "resource \"terraform_data\" \"r#\" {\n  count = 1\n  for_each = {}\n}",
    "resource \"terraform_data\" {}",
    "data \"terraform_remote_state\" \"d#\" {\n  lifecycle {\n    destroy = false\n  }\n}",
    "ephemeral \"x\" \"e#\" {}",
    "variable \"v#\" {\n  type = list(string)\n  default = [1, upper(\"a\")]\n}",
    "variable \"v#\" {\n  type = number\n  default = \"many\"\n}",
    "variable \"count\" {}",
    "locals {\n  l# = 1\n}",
    "output \"o#\" {\n  value = 1\n}",
    "output \"o#\" {}",
    "provider \"aws\" {\n  alias = \"p#\"\n}",
    "moved {\n  from = a.b#\n  to = a.c#\n}",
    "removed {\n  from = a.b#[0]\n}",
    "import {\n  to = a.b#\n  id = \"#\"\n}",
    "check \"c#\" {\n}",
    "module \"m#\" {\n  source = \"./m#\"\n}",
    "module \"m#\" {}",
    "stack \"s#\" {}",
    "terraform {\n  backend \"b#\" {}\n}",
    "terraform {\n  required_providers {\n    p# = {}\n  }\n}",
    "terraform {\n  required_version = \">= 99.#\"\n}",
    "service \"s#\" {\n  pod \"a\" {}\n  plan \"deploy\" {}\n}",
    "site \"s#\" {\n  adress = \"#\"\n}",
    "burst {}",
    "resurce \"a\" \"b#\" {}\nname# = 1",
];

/// The same, sorted that way: the blocks and what is wrong with them.
fn lowered(folders: &[Vec<String>], how: (usize, usize)) -> (String, Diagnosed) {
    let mut sources = Sources::new();
    let mut bodies: Vec<Vec<Body>> = Vec::new();
    for (folder, files) in folders.iter().enumerate() {
        let read = files.iter().enumerate().map(|(file, text)| {
            let (name, text): (Arc<str>, Arc<str>) =
                (format!("{folder}/{file}.hcl").into(), text.as_str().into());
            sources.add(name.clone(), text.clone());
            parse_body(name, &text).0
        });
        bodies.push(read.collect());
    }
    let context = Context {
        functions: Arc::new(Registry::standard()),
        module_dir: PathBuf::new(),
        ..Context::of_constants(sources.clone())
    };
    let mut report = Report::new(&sources);
    let folders: Vec<&[Body]> = bodies.iter().map(Vec::as_slice).collect();
    let blocks = lower_with(&folders, &context, &mut report, how);
    let mut found = report.diagnostics;
    found.sort();
    (format!("{blocks:?}"), found)
}

type Diagnosed = weir_core::Diagnostics;

fn text(picks: &[usize]) -> String {
    let blocks = picks.iter().enumerate().map(|(i, pick)| {
        let number = format!("{}", i % 17);
        BLOCKS[pick % BLOCKS.len()].replace('#', &number) + "\n"
    });
    blocks.collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn many_threads_make_of_blocks_what_one_does(
        picks in prop::collection::vec(
            prop::collection::vec(prop::collection::vec(0..BLOCKS.len(), 0..30), 1..4),
            1..4,
        ),
        chunk in 1..9_usize,
    ) {
        let folders: Vec<Vec<String>> = picks
            .iter()
            .map(|files| files.iter().map(|picks| text(picks)).collect())
            .collect();
        // One thread, and every file in one portion: nothing is put together.
        let one = lowered(&folders, (1, usize::MAX));
        prop_assert_eq!(&lowered(&folders, (4, chunk)), &one);
        prop_assert_eq!(&lowered(&folders, (1, chunk)), &one);
    }
}

#[test]
fn every_block_of_the_table_is_one_that_something_is_made_or_said_of() {
    for block in BLOCKS {
        let (blocks, found) = lowered(&[vec![block.replace('#', "1")]], (1, 1));
        let nothing = format!("{:?}", [Blocks::default()]);
        assert!(blocks != nothing || !found.is_empty(), "{block}");
    }
    // Who is first is told over all portions.
    let twice = "stack \"a\" {}\nlocals {}\nstack \"b\" {}\nstack \"c\" {}\n".to_owned();
    let (_, found) = lowered(&[vec![twice]], (3, 1));
    let said: Vec<String> = found.0.iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said.iter().all(|d| d.contains("0/0.hcl:1:1")), "{said:?}");
}
