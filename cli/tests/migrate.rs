//! `weir state migrate` on all workspaces, cut short by `kill -9` all along its way: at every instant
//! one place counts, nothing is lost, and the next run ends it.

#![allow(clippy::unwrap_used)] // helpers of tests

mod common;

use common::{Stack, kill};
use serde_json::{Value as Json, json};
use std::time::{Duration, Instant};

/// So many that writing them takes a while beside the start of a program.
const MANY: usize = 150;

fn file(lineage: &str) -> String {
    let text = "x".repeat(500);
    let instances: Vec<Json> = (0..MANY)
        .map(|i| {
            json!({
                "index_key": i, "schema_version": 0,
                "attributes": { "id": format!("{lineage}-{i}"), "input": null, "output": null,
                                "triggers_replace": { "type": "string", "value": text } },
            })
        })
        .collect();
    json!({
        "version": 4, "terraform_version": "1.11.4", "serial": 7, "outputs": {},
        "lineage": format!("0f1e2d3c-0000-4000-8000-{lineage}"),
        "resources": [{
            "mode": "managed", "type": "acme_box", "name": "many",
            "provider": "provider[\"registry.terraform.io/acme/acme\"]", "instances": instances,
        }],
        "check_results": null,
    })
    .to_string()
}

const WORKSPACES: [(&str, &str); 2] = [("default", "000000000001"), ("blue", "000000000002")];

/// A stack with a state in two workspaces, and its settings turned to another place.
fn turned() -> Stack {
    let stack = Stack::new("stack \"s\" {}\n");
    for (_, lineage) in WORKSPACES {
        stack.write(&format!("{lineage}.json"), &file(lineage));
    }
    stack.expect(0, "state import 000000000001.json");
    stack.expect(0, "workspace new -state=000000000002.json blue");
    stack.expect(0, "workspace select default");
    stack.write(
        "main.hcl",
        "stack \"s\" {\n  state \"sqlite\" { path = \"there/s.db\" }\n  encryption {\n    key \"file\" { path = \".weir/state.db-key\" }\n  }\n}\n",
    );
    std::fs::create_dir(stack.path().join("there")).unwrap();
    stack
}

/// What a workspace has in the new place: how many instances, which lineage.
fn there(stack: &Stack, workspace: &str) -> (usize, String) {
    let mut command = stack.command("state pull");
    let ended = common::ended(command.env("WEIR_WORKSPACE", workspace).output().unwrap());
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    let json: Json = serde_json::from_str(&ended.out).unwrap_or_default();
    let instances = json["resources"][0]["instances"].as_array();
    let lineage = json["lineage"].as_str().unwrap_or_default();
    (instances.map_or(0, Vec::len), lineage.to_owned())
}

fn all_there(stack: &Stack) {
    for (workspace, lineage) in WORKSPACES {
        let (n, of) = there(stack, workspace);
        assert_eq!((n, of.ends_with(lineage)), (MANY, true), "{workspace}");
    }
}

#[test]
fn every_workspace_goes_or_the_one_that_is_named() {
    let stack = turned();
    let one = stack.expect(0, "state migrate -workspace=blue");
    assert_eq!(one.err.matches("Moved from").count(), 1, "{one:#?}");
    assert_eq!(there(&stack, "blue").0, MANY);
    assert_eq!(there(&stack, "default").0, 0);
    let rest = stack.expect(0, "state migrate");
    assert_eq!(rest.err.matches("Moved from").count(), 1, "{rest:#?}");
    assert_eq!(rest.err.matches("was moved to").count(), 1, "{rest:#?}");
    all_there(&stack);
    let old = stack.expect(0, "state migrate");
    assert_eq!(old.err.matches("was moved to").count(), 2, "{old:#?}");
    let nothing = stack.expect(1, "state migrate -from=nowhere.db");
    assert!(
        nothing.err.contains("no state in nowhere.db"),
        "{nothing:#?}"
    );
    stack.expect(1, "state migrate -workspace=green");
    assert_eq!(
        stack.expect(2, "state migrate -workspace=a/b").code,
        Some(2)
    );
}

#[test]
fn killed_at_any_moment_it_is_ended_by_the_next_run() {
    let whole = turned();
    let since = Instant::now();
    whole.expect(0, "state migrate");
    let whole = since.elapsed();
    let (mut early, mut between, mut late) = (0, 0, 0);
    // All along the way, and so densely that each step is hit; then on, where the machine is
    // slower by now, until one is too late.
    for part in 0..80_u32 {
        if part >= 14 && late > 0 {
            break;
        }
        let stack = turned();
        let mut child = stack.spawn("state migrate");
        std::thread::sleep(whole * part / 11 + Duration::from_millis(1));
        if child.try_wait().unwrap().is_none() {
            kill(&child, "-KILL");
        }
        child.wait().unwrap();
        // Each workspace is in the new place as a whole, or as before not there at all.
        let found: Vec<usize> = WORKSPACES.map(|(w, _)| there(&stack, w).0).to_vec();
        assert!(
            found.iter().all(|n| [0, MANY].contains(n)),
            "{part}: {found:?}"
        );
        match found.iter().filter(|n| **n == MANY).count() {
            0 => early += 1,
            1 => between += 1,
            _ => late += 1,
        }
        stack.expect(0, "state migrate");
        all_there(&stack);
    }
    assert!(
        early > 0 && late > 0,
        "{early} early, {between} between, {late} late"
    );
}
