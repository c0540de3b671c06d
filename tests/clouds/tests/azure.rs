//! Microsoft's own clients on the fake of Azure, and its table of models beside their packages.

#![allow(clippy::print_stderr, clippy::unwrap_used)] // tests: what is skipped is said loudly

use std::{
    path::Path,
    process::{Command, Output},
};
use weir_clouds::{Clouds, Options};

/// A Python with azure-mgmt-compute, -network and -resource: `tests/run` makes it.
const PYTHON: &str = "/var/tmp/weir-azure/bin/python";

/// What the script printed; `None`, said loudly, where there is no such Python.
fn python(arguments: &[&str]) -> Option<Output> {
    if !Path::new(PYTHON).exists() {
        eprintln!("SKIPPED: {PYTHON} is missing; tests/run makes it from PyPI.");
        return None;
    }
    let here = env!("CARGO_MANIFEST_DIR");
    let output = Command::new(PYTHON)
        .args(arguments)
        .current_dir(here)
        .output();
    Some(output.unwrap())
}

#[test]
fn microsofts_clients_live_with_it() {
    let options = Options {
        azure: Some(([127, 0, 0, 1], 0).into()),
        ..Options::default()
    };
    let clouds = Clouds::start(&options).unwrap();
    let at = format!("http://{}", clouds.azure.unwrap());
    let Some(output) = python(&["tests/azure/client.py", &at]) else {
        return;
    };
    let text = String::from_utf8_lossy(&output.stdout);
    let problems = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}{problems}");
    assert!(text.contains(" checks"), "{text}{problems}");
}

/// Written again by `data/azure-models.py`, as its first lines say.
#[test]
fn models_are_those_of_microsofts_packages() {
    let Some(output) = python(&["data/azure-models.py"]) else {
        return;
    };
    let problems = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{problems}");
    let text = String::from_utf8_lossy(&output.stdout);
    let stored = include_str!("../data/azure-models.txt");
    let differs = text.lines().zip(stored.lines()).find(|(a, b)| a != b);
    assert_eq!(differs, None);
    assert_eq!(text.len(), stored.len());
}
