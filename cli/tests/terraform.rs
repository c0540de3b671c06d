//! Plain Terraform configurations (`stacks/NAME`), planned and applied by weir and by Terraform.
//!
//! Each step of a stack (`# step: FLAGS` at its top) is planned and applied; `! FLAGS` must be
//! refused by plan, `? FLAGS` must fail in apply. After each the next plan is empty; at the end a
//! destroy leaves nothing. Where there is a `terraform` on the PATH it does the same, and the
//! documented JSON of every plan, the outputs and the lists of what is in state must be equal.
//!
//! `WEIR_STACK=NAME cargo test -p weir-cli --test terraform` runs one.

#![allow(clippy::unwrap_used)] // helpers of tests

mod common;

use common::{Ended, Stack, ended};
use serde_json::{Map, Value as Json};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
};

/// What a step is to come to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expected {
    Applied,
    Refused,
    Failed,
}

struct Scenario {
    folder: PathBuf,
    steps: Vec<(Expected, String)>,
    /// Terraform's plans are not compared; the file says why.
    differs: bool,
}

fn scenarios() -> Vec<Scenario> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stacks");
    let mut folders: Vec<PathBuf> = fs::read_dir(root)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    folders.sort();
    folders.into_iter().map(scenario).collect()
}

fn scenario(folder: PathBuf) -> Scenario {
    let text = fs::read_to_string(folder.join("main.tf")).unwrap();
    let step = |line: &str| {
        let flags = line.strip_prefix("# step:")?.trim();
        Some(match flags.split_at_checked(1) {
            Some(("!", rest)) => (Expected::Refused, rest.trim().to_owned()),
            Some(("?", rest)) => (Expected::Failed, rest.trim().to_owned()),
            _ => (Expected::Applied, flags.to_owned()),
        })
    };
    Scenario {
        steps: text.lines().filter_map(step).collect(),
        differs: text.contains("\n# Terraform differs: "),
        folder,
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (entry, target) = (
            entry.as_ref().unwrap().path(),
            to.join(entry.as_ref().unwrap().file_name()),
        );
        match entry.is_dir() {
            true => copy(&entry, &target),
            false => drop(fs::copy(&entry, &target).unwrap()),
        }
    }
}

fn stack(scenario: &Scenario) -> Stack {
    let stack = Stack::new("");
    fs::remove_file(stack.path().join("main.hcl")).unwrap();
    copy(&scenario.folder, &stack.path());
    stack
}

fn terraform(stack: &Stack, line: &str) -> Ended {
    let mut command = Command::new("terraform");
    command
        .args(line.split(' ').filter(|a| !a.is_empty()))
        .current_dir(stack.path())
        .env("TF_CLI_CONFIG_FILE", "/dev/null")
        .env("CHECKPOINT_DISABLE", "1");
    ended(command.output().unwrap())
}

/// Ids are random: each of their kind is as good as another.
fn without_ids(value: &Json) -> Json {
    let masked = |s: &str| {
        let mut out = String::new();
        let mut rest = s;
        while let Some(c) = rest.chars().next() {
            let id = rest.get(..36).filter(|t| {
                t.matches('-').count() == 4 && t.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
            });
            out.push_str(if id.is_some() {
                "ID"
            } else {
                &rest[..c.len_utf8()]
            });
            rest = &rest[id.map_or(c.len_utf8(), str::len)..];
        }
        out
    };
    match value {
        Json::String(s) => masked(s).into(),
        Json::Array(items) => items.iter().map(without_ids).collect(),
        Json::Object(m) => {
            Json::Object(m.iter().map(|(k, v)| (k.clone(), without_ids(v))).collect())
        }
        other => other.clone(),
    }
}

fn chosen(from: &Json, keys: &[&str]) -> Json {
    let part = |k: &&str| ((*k).to_owned(), from.get(k).cloned().unwrap_or(Json::Null));
    Json::Object(keys.iter().map(part).collect::<Map<_, _>>())
}

/// What of a plan both must agree on, by address; outputs that stay are left out.
fn essence(text: &str) -> BTreeMap<String, Json> {
    let plan: Json = serde_json::from_str(text).unwrap();
    let sides = [
        "actions",
        "before",
        "after",
        "after_unknown",
        "before_sensitive",
        "after_sensitive",
        "replace_paths",
    ];
    let names = ["address", "mode", "type", "name", "index", "action_reason"];
    let mut rows = BTreeMap::new();
    for c in plan["resource_changes"].as_array().into_iter().flatten() {
        let mut row = chosen(c, &names);
        row["change"] = without_ids(&chosen(&c["change"], &sides));
        rows.insert(c["address"].to_string(), row);
    }
    for (name, change) in plan["output_changes"].as_object().into_iter().flatten() {
        if change["actions"] != serde_json::json!(["no-op"]) {
            rows.insert(
                format!("output {name}"),
                without_ids(&chosen(change, &sides[..6])),
            );
        }
    }
    rows
}

/// What conditions came to, by block.
fn checks(text: &str) -> BTreeMap<String, Json> {
    let json: Json = serde_json::from_str(text).unwrap();
    let all = json["checks"].as_array().into_iter().flatten();
    let row = |c: &Json| {
        let mut row = c.clone();
        let mut instances = row["instances"].as_array().cloned().unwrap_or_default();
        instances.sort_by_key(Json::to_string);
        row["instances"] = without_ids(&Json::Array(instances));
        (c["address"].to_string(), row)
    };
    all.map(row).collect()
}

fn lines(ended: &Ended) -> Vec<&str> {
    let mut lines: Vec<&str> = ended.out.lines().collect();
    lines.sort_unstable();
    lines
}

/// Runs a step with weir; returns the plan in JSON where there is one.
fn step(ours: &Stack, at: &str, expected: Expected, flags: &str) -> Option<String> {
    let planned = ours.weir(&format!("plan -out=p {flags}"));
    if expected == Expected::Refused {
        assert_eq!(planned.code, Some(1), "{at}: {planned:#?}");
        return None;
    }
    assert_eq!(planned.code, Some(0), "{at}: {planned:#?}");
    let json = ours.expect(0, "show -json p").out;
    let applied = ours.weir("apply p");
    let code = i32::from(expected == Expected::Failed);
    assert_eq!(applied.code, Some(code), "{at}: {applied:#?}");
    let partial = ["-destroy", "-target"].iter().any(|f| flags.contains(f));
    if expected == Expected::Applied && !partial {
        let kept = flags.split(' ').filter(|f| !f.starts_with("-replace"));
        let kept: Vec<&str> = kept.collect();
        let again = ours.weir(&format!("plan -detailed-exitcode {}", kept.join(" ")));
        assert_eq!(again.code, Some(0), "{at}: the second plan: {again:#?}");
    }
    Some(json)
}

/// The same with Terraform, beside what weir has done.
fn compare(ours: &Stack, theirs: &Stack, at: &str, flags: &str, json: Option<&str>) {
    let planned = terraform(theirs, &format!("plan -input=false -out=p {flags}"));
    let Some(json) = json else {
        assert_eq!(
            planned.code,
            Some(1),
            "{at}: Terraform plans it: {planned:#?}"
        );
        return;
    };
    assert_eq!(planned.code, Some(0), "{at}: Terraform: {planned:#?}");
    let (mine, other) = (
        essence(json),
        essence(&terraform(theirs, "show -json p").out),
    );
    for (mine, other) in mine.values().zip(other.values()) {
        assert_eq!(mine, other, "{at}: weir is left, Terraform is right");
    }
    assert_eq!(mine, other, "{at}: weir is left, Terraform is right");
    let (mine, other) = (checks(json), checks(&terraform(theirs, "show -json p").out));
    assert_eq!(mine, other, "{at}: checks of the plan");
    terraform(theirs, "apply -input=false p");
    let (mine, other) = (ours.weir("state list"), terraform(theirs, "state list"));
    assert_eq!(lines(&mine), lines(&other), "{at}: what is in state");
    let (mine, other) = (ours.weir("show -json"), terraform(theirs, "show -json"));
    let (mine, other) = (checks(&mine.out), checks(&other.out));
    assert_eq!(mine, other, "{at}: checks of the state");
    let outputs = |e: Ended| without_ids(&serde_json::from_str(&e.out).unwrap());
    let mine = outputs(ours.weir("output -json"));
    let other = outputs(terraform(theirs, "output -json"));
    assert_eq!(mine, other, "{at}: outputs");
}

fn run(scenario: &Scenario, beside_terraform: bool) {
    let (ours, theirs) = (stack(scenario), stack(scenario));
    let mut compared = beside_terraform && !scenario.differs;
    if compared && terraform(&theirs, "init").code != Some(0) {
        // What can't be loaded is refused before any plan.
        let refused = |(e, _): &(Expected, String)| *e == Expected::Refused;
        let name = scenario.folder.display();
        assert!(
            scenario.steps.iter().all(refused),
            "{name}: Terraform refuses it"
        );
        compared = false;
    }
    let name = scenario.folder.file_name().unwrap().to_string_lossy();
    for (i, (expected, flags)) in scenario.steps.iter().enumerate() {
        let at = format!("{name}, step {i} ({flags})");
        let json = step(&ours, &at, *expected, flags);
        if compared {
            compare(&ours, &theirs, &at, flags, json.as_deref());
        }
    }
    let last = scenario
        .steps
        .iter()
        .rfind(|(e, _)| *e == Expected::Applied);
    if let Some((_, flags)) = last
        && name != "prevent_destroy"
    {
        let vars: Vec<&str> = flags.split(' ').filter(|f| f.starts_with("-var")).collect();
        ours.expect(0, &format!("destroy -auto-approve {}", vars.join(" ")));
        assert_eq!(
            ours.expect(0, "state list").out,
            "",
            "{name}: after destroy"
        );
    }
}

#[test]
fn plans_are_terraforms() {
    let beside = Command::new("terraform").arg("version").output().is_ok();
    if !beside {
        println!("there is no terraform on the PATH: nothing is compared with it");
    }
    let all = scenarios();
    assert!(all.len() > 30 && all.iter().all(|s| !s.steps.is_empty()));
    let only = std::env::var("WEIR_STACK").unwrap_or_default();
    let chosen = all
        .iter()
        .filter(|s| s.folder.ends_with(&only) || only.is_empty());
    let (todo, failed) = (Mutex::new(chosen), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let next = todo.lock().unwrap().next();
                    let Some(scenario) = next else { break };
                    // What is wrong is printed where it is found; the others go on.
                    if std::panic::catch_unwind(|| run(scenario, beside)).is_err() {
                        failed.lock().unwrap().push(scenario.folder.clone());
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{failed:#?}");
}
