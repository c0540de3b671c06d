//! A plain Terraform configuration beside Terraform: equal instances, equal outputs.
//!
//! `terraform/` is the configuration and `terraform/expected.json` what Terraform 1.11 makes of
//! it. Where the `terraform` binary is on the path it is asked again, and must say the same;
//! `UPDATE_GOLDEN=1` writes it.

use crate::kit::{Mode, all, drive, evaluator};
use serde_json::{Value as Json, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};
use weir_core::json::to_json;
use weir_lang::{DiskFiles, Inputs, NoCatalog, load};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/evaluator/terraform")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a temporary folder");
    for entry in fs::read_dir(from).expect("the configuration") {
        let entry = entry.expect("the configuration");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a temporary folder");
        }
    }
}

/// What Terraform makes of it; `None` where there is no Terraform.
fn terraforms() -> Option<Json> {
    Command::new("terraform").arg("version").output().ok()?;
    let dir = tempfile::tempdir().expect("a temporary folder");
    copy(&folder(), dir.path());
    let terraform = |args: &[&str]| {
        let run = Command::new("terraform")
            .args(args)
            .current_dir(dir.path())
            .output();
        let run = run.expect("terraform has just answered");
        assert!(
            run.status.success(),
            "{}",
            String::from_utf8_lossy(&run.stderr)
        );
        run.stdout
    };
    terraform(&["init", "-input=false"]);
    terraform(&["apply", "-input=false", "-auto-approve"]);
    let shown: Json = serde_json::from_slice(&terraform(&["show", "-json"])).expect("JSON");
    let mut addresses = Vec::new();
    collect(&shown["values"]["root_module"], &mut addresses);
    addresses.sort();
    let outputs: BTreeMap<String, Json> = shown["values"]["outputs"]
        .as_object()
        .expect("outputs")
        .iter()
        .map(|(k, v)| (k.clone(), v["value"].clone()))
        .collect();
    Some(json!({ "addresses": addresses, "outputs": outputs }))
}

fn collect(module: &Json, out: &mut Vec<String>) {
    for resource in module["resources"].as_array().into_iter().flatten() {
        out.push(resource["address"].as_str().expect("an address").to_owned());
    }
    for child in module["child_modules"].as_array().into_iter().flatten() {
        collect(child, out);
    }
}

#[test]
fn equal_to_terraform() {
    let golden = folder().join("expected.json");
    let live = terraforms();
    match &live {
        None => {
            println!("SKIPPED in part: terraform is not on the path, the stored answer is used")
        }
        Some(live) if std::env::var_os("UPDATE_GOLDEN").is_some() => {
            let text = serde_json::to_string_pretty(live).expect("JSON");
            fs::write(&golden, text + "\n").expect("the golden file");
        }
        Some(_) => {}
    }
    let stored = fs::read_to_string(golden).expect("the golden file");
    let stored: Json = serde_json::from_str(&stored).expect("JSON");
    if let Some(live) = live {
        assert_eq!(
            live, stored,
            "the stored answer is not terraform's: UPDATE_GOLDEN=1"
        );
    }

    let loaded = load(
        Arc::new(DiskFiles::new(folder())),
        &NoCatalog,
        &Inputs::default(),
    )
    .unwrap_or_else(|e| panic!("{}", all(&e)));
    let run = drive(
        &mut evaluator(loaded.config),
        &Mode::Apply,
        &BTreeSet::new(),
    );
    assert!(run.problems.is_empty(), "{}", all(&run.problems));
    let mut addresses = run.addresses();
    addresses.sort();
    let outputs: BTreeMap<String, Json> = run
        .outputs
        .iter()
        .map(|(k, o)| (k.clone(), to_json(&o.value)))
        .collect();
    assert_eq!(
        json!({ "addresses": addresses, "outputs": outputs }),
        stored
    );
}
