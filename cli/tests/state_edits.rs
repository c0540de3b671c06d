//! import, refresh, taint, untaint and the edits of `weir state`: what is printed, what state has
//! afterwards, what is refused.

#![allow(clippy::unwrap_used)] // helpers of tests

mod common;

use common::{Stack, THINGS, ended, json_lines, kill};
use serde_json::Value as Json;

/// A stack that was applied, and the id of `fake_thing.base`.
fn applied() -> (Stack, String) {
    let stack = Stack::new(THINGS);
    stack.expect(0, "apply -auto-approve");
    let id = id_of(&stack, "fake_thing.base");
    (stack, id)
}

fn id_of(stack: &Stack, address: &str) -> String {
    let shown = stack.expect(0, &format!("state show -json {address}")).out;
    let json: Json = serde_json::from_str(&shown).unwrap();
    let mut found = Vec::new();
    ids(&json, &mut found);
    found.first().unwrap().clone()
}

fn ids(json: &Json, found: &mut Vec<String>) {
    match json {
        Json::Object(map) => {
            found.extend(map.get("id").and_then(Json::as_str).map(str::to_owned));
            map.values().for_each(|v| ids(v, found));
        }
        Json::Array(items) => items.iter().for_each(|v| ids(v, found)),
        _ => {}
    }
}

fn list(stack: &Stack) -> Vec<String> {
    let out = stack.expect(0, "state list").out;
    out.lines().map(str::to_owned).collect()
}

/// Lets somebody change the size of an object in the cloud.
fn resize(stack: &Stack, name: &str, size: u32) {
    let text = stack.read("cloud");
    let line = text.lines().rfind(|l| l.contains(&format!("\"{name}\"")));
    let changed = line
        .unwrap()
        .replace("\"size\":1", &format!("\"size\":{size}"));
    assert_ne!(Some(changed.as_str()), line, "{text}");
    stack.write("cloud", &format!("{text}{changed}\n"));
}

#[test]
fn an_object_that_exists_is_imported() {
    let (stack, id) = applied();
    stack.expect(0, "state rm fake_thing.base");
    assert_eq!(list(&stack), ["fake_thing.web[0]", "fake_thing.web[1]"]);
    let run = stack.expect(0, &format!("import -input=false fake_thing.base {id}"));
    assert_eq!(
        run.out,
        format!(
            "fake_thing.base: Importing from ID \"{id}\"...\n\nImport successful!\n\n\
             The resources that were imported are shown above. These resources are now in\n\
             the state and will henceforth be managed by weir.\n"
        )
    );
    assert_eq!(list(&stack).len(), 3);
    assert_eq!(id_of(&stack, "fake_thing.base"), id);
    stack.expect(0, "plan -detailed-exitcode");
    assert_eq!(stack.log("Created"), 3, "nothing was made");
}

#[test]
fn an_import_touches_nothing_else() {
    let (stack, id) = applied();
    stack.expect(0, "state rm fake_thing.base");
    resize(&stack, "web-0", 9);
    stack.expect(0, &format!("import fake_thing.base {id}"));
    let web = stack.expect(0, "state show fake_thing.web[0]").out;
    assert!(web.contains("size     = 1"), "{web}");
}

#[test]
fn imports_that_are_refused() {
    let (stack, id) = applied();
    let table = [
        (1, "fake_thing.base", "Fake_thing.base is managed already"),
        (1, "fake_thing.nope", "no fake_thing.nope to import to"),
        (1, "fake_thing.web[7]", "no fake_thing.web[7] to import to"),
        (
            1,
            "fake_thing.web",
            "Name an instance: fake_thing.web[0], fake_thing.web[1].",
        ),
        (1, "module.x.fake_thing.a", "no module.x.fake_thing.a"),
        (2, "data.fake_thing.a", "not a managed resource"),
        (2, "what.ever.else.is.this", "address"),
    ];
    for (code, address, text) in table {
        let run = stack.expect(code, &format!("import {address} {id}"));
        let said = run.err.to_lowercase().replace('\n', " ");
        assert!(said.contains(&text.to_lowercase()), "{address}: {run:#?}");
        assert!(!run.out.contains("successful"), "{run:#?}");
    }
    stack.expect(2, "import fake_thing.base");
    stack.expect(0, "state rm fake_thing.base");
    let run = stack.expect(1, "import fake_thing.base i-never");
    assert!(run.err.contains("i-never"), "{run:#?}");
    assert_eq!(list(&stack).len(), 2);
    stack.expect(0, &format!("import fake_thing.base {id}"));
}

#[test]
fn refresh_records_drift_and_outputs() {
    let (stack, _) = applied();
    let calm = stack.expect(0, "refresh");
    assert!(
        calm.out.starts_with("State matches what is there"),
        "{calm:#?}"
    );
    resize(&stack, "web-0", 9);
    let text = format!("{THINGS}\noutput \"size\" {{\n  value = fake_thing.web[0].size\n}}\n");
    stack.write("main.hcl", &text);
    let run = stack.expect(0, "refresh");
    assert!(run.out.contains("1 object had changed."), "{run:#?}");
    assert!(run.out.contains("size     = 9"), "{run:#?}");
    assert_eq!(stack.expect(0, "output size").out, "9\n");
    let web = stack.expect(0, "state show fake_thing.web[0]").out;
    assert!(web.contains("size     = 9"), "{web}");
    assert_eq!(stack.log("Updated"), 0, "nothing was done to it");
    // What the configuration wants is still to be done.
    let plan = stack.expect(2, "plan -detailed-exitcode");
    assert!(plan.out.contains("~ size = 9 -> 1"), "{plan:#?}");
    stack.expect(2, "refresh -refresh=false");
    stack.expect(2, "refresh -light");
}

#[test]
fn json_messages_of_refresh_and_destroy_end_as_terraforms() {
    let (stack, id) = applied();
    resize(&stack, "web-0", 9);
    let lines = json_lines(&stack.expect(0, "refresh -json").out);
    let of = |kind: &str| lines.iter().filter(|m| m["type"] == kind).count();
    assert_eq!((of("refresh_start"), of("refresh_complete")), (3, 3));
    assert_eq!(of("resource_drift"), 1);
    let base = lines.iter().find(|m| {
        m["type"] == "refresh_complete" && m["hook"]["resource"]["resource_name"] == "base"
    });
    assert_eq!(base.unwrap()["hook"]["id_value"], id);
    let last = lines.last().unwrap();
    assert_eq!(last["type"], "outputs");
    assert_eq!(last["outputs"]["endpoint"]["value"], "base.fake.test");
    for count in [3, 0] {
        let lines = json_lines(&stack.expect(0, "destroy -auto-approve -json").out);
        let last = lines.last().unwrap();
        let text = format!("Destroy complete! Resources: {count} destroyed.");
        assert_eq!(last["@message"], text);
        assert_eq!(last["changes"]["operation"], "destroy");
        assert_eq!(last["changes"]["remove"], count);
    }
}

#[test]
fn edits_change_what_state_has() {
    let (stack, id) = applied();
    let moved = stack.expect(0, "state mv fake_thing.base fake_thing.first");
    assert!(moved.out.contains("fake_thing.first"), "{moved:#?}");
    assert_eq!(id_of(&stack, "fake_thing.first"), id);
    stack.expect(0, "state mv fake_thing.first fake_thing.base");
    let tainted = stack.expect(0, "taint fake_thing.base");
    assert_eq!(
        tainted.out,
        "fake_thing.base is tainted: the next plan replaces it.\n"
    );
    // To say it twice does no harm.
    stack.expect(0, "taint fake_thing.base");
    let plan = stack.expect(2, "plan -detailed-exitcode");
    assert!(
        plan.out.contains("is tainted, so must be replaced"),
        "{plan:#?}"
    );
    let back = stack.expect(0, "untaint fake_thing.base");
    assert_eq!(back.out, "fake_thing.base is not tainted any more.\n");
    stack.expect(1, "untaint fake_thing.base");
    stack.expect(0, "plan -detailed-exitcode");
    let pulled: Json = serde_json::from_str(&stack.expect(0, "state pull").out).unwrap();
    assert_eq!(pulled["version"], 4);
    assert_eq!(pulled["resources"].as_array().unwrap().len(), 2);
    assert_eq!(stack.log("Deleted"), 0);
    stack.expect(0, "state rm fake_thing.web");
    assert_eq!(list(&stack), ["fake_thing.base"]);
    assert_eq!(stack.log("Deleted"), 0, "the objects stay");
}

/// The provider of each resource as Terraform's state has it.
fn providers(stack: &Stack) -> Vec<String> {
    let pulled: Json = serde_json::from_str(&stack.expect(0, "state pull").out).unwrap();
    let all = pulled["resources"].as_array().unwrap().iter();
    all.map(|r| r["provider"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_provider_takes_over_what_another_served() {
    let stack = Stack::new(
        "provider \"fake\" {\n  alias = \"west\"\n  path = \"${path.root}/cloud\"\n}\n\
         resource \"fake_thing\" \"a\" {\n  provider = fake.west\n  name = \"a\"\n}\n\
         resource \"terraform_data\" \"b\" {}\n",
    );
    stack.expect(0, "apply -auto-approve");
    let before = providers(&stack);
    // What it has no resource for it can't serve, and nothing is changed.
    let run = stack.weir("state replace-provider -auto-approve fake terraform");
    assert_eq!(run.code, Some(1), "{run:#?}");
    assert!(run.err.contains("can't take over fake_thing.a"), "{run:#?}");
    stack.expect(1, "state replace-provider -auto-approve fake nothing");
    let none = stack.expect(0, "state replace-provider -auto-approve google fake");
    assert!(none.out.is_empty(), "{none:#?}");
    assert_eq!(providers(&stack), before);
    // By its source address too.
    let line = "state replace-provider -auto-approve fake.west weir/builtin/fake";
    let run = stack.expect(0, line);
    assert!(run.out.contains("1 resource instance changed."), "{run:#?}");
    let after = providers(&stack);
    assert!(!after[0].contains("west"), "{after:?}");
    assert_eq!(after[1], before[1]);
    // The configuration still says otherwise: that is recorded, and nothing is done for it.
    stack.expect(0, "apply -auto-approve");
    assert_eq!(providers(&stack), before);
    assert_eq!((stack.log("Created"), stack.log("Deleted")), (1, 0));
}

#[test]
fn edits_that_are_refused_change_nothing() {
    let (stack, _) = applied();
    let before = list(&stack);
    for line in [
        "state mv fake_thing.base fake_thing.web[0]",
        "state mv fake_thing.nope fake_thing.x",
        "state mv fake_thing.base other_thing.base",
        "state rm fake_thing.nope",
        "state rm fake_thing.web[9]",
        "taint fake_thing.nope",
        "taint fake_thing.web",
        "untaint fake_thing.base",
    ] {
        let run = stack.weir(line);
        assert!(matches!(run.code, Some(1 | 2)), "{line}: {run:#?}");
        assert_eq!(list(&stack), before, "{line}");
    }
    stack.expect(0, "taint -allow-missing fake_thing.nope");
    stack.expect(0, "plan -detailed-exitcode");
}

#[test]
fn no_edit_while_somebody_else_holds_the_lease() {
    let (stack, _) = applied();
    let child = stack.spawn("apply -auto-approve -var latency=2000 -var size=2 -parallelism=1");
    stack.until("Updated", 1);
    for line in [
        "state mv fake_thing.base fake_thing.x".to_owned(),
        "state rm fake_thing.base".to_owned(),
        "taint fake_thing.base".to_owned(),
        "refresh".to_owned(),
    ] {
        let run = stack.expect(1, &line);
        assert!(run.err.contains("ann@"), "{line}: {run:#?}");
    }
    let run = ended(child.wait_with_output().unwrap());
    assert_eq!(run.code, Some(0), "{run:#?}");
    assert_eq!(list(&stack).len(), 3);
}

#[test]
fn what_an_earlier_run_left_open_is_not_edited() {
    let stack = Stack::new(THINGS);
    stack.expect(0, "apply -auto-approve");
    let child = stack.spawn("apply -auto-approve -var latency=3000 -var size=2 -parallelism=1");
    stack.until("Updated", 1);
    std::thread::sleep(std::time::Duration::from_millis(700));
    kill(&child, "-KILL");
    drop(child.wait_with_output().unwrap());
    let refused = ["fake_thing.web[0]", "fake_thing.web[1]"]
        .iter()
        .map(|a| stack.weir(&format!("state rm {a}")))
        .find(|run| run.code == Some(1))
        .unwrap();
    assert!(
        refused.err.contains("in the middle of an operation"),
        "{refused:#?}"
    );
    assert!(refused.err.contains("weir plan"), "{refused:#?}");
    stack.expect(0, "plan -var size=2");
    stack.expect(0, "state rm fake_thing.web");
}

#[test]
fn without_a_terminal_progress_is_plain_lines() {
    let stack = Stack::new(THINGS);
    let run = stack.expect(0, "apply -auto-approve -var latency=700 -parallelism=1");
    assert!(
        run.err.contains("fake_thing.base: creating ..."),
        "{run:#?}"
    );
    for mark in ["\u{1b}", "\r", " of 3 done"] {
        assert!(!run.err.contains(mark), "{run:#?}");
    }
}

/// `script` gives the command a terminal; where there is none, there is nothing to test with.
#[test]
fn on_a_terminal_a_bar_comes_after_a_second() {
    let has = std::process::Command::new("script")
        .arg("--version")
        .output();
    if !has.is_ok_and(|o| o.status.success()) {
        println!("there is no `script` on the PATH: nothing is tested");
        return;
    }
    for (latency, drawn) in [(0, false), (1500, true)] {
        let stack = Stack::new(THINGS);
        let weir = env!("CARGO_BIN_EXE_weir");
        let line = format!("{weir} apply -auto-approve -var latency={latency} -parallelism=1");
        let mut command = std::process::Command::new("script");
        command
            .args(["-qec", &line, "/dev/null"])
            .current_dir(stack.path())
            .env("HOME", stack.path())
            .env("TERM", "xterm")
            .stdin(std::process::Stdio::null());
        let run = ended(command.output().unwrap());
        assert_eq!(run.code, Some(0), "{run:#?}");
        assert!(run.out.contains("creating ..."), "{run:#?}");
        assert_eq!(run.out.contains(" of 3 done"), drawn, "{run:#?}");
    }
}
