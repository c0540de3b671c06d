//! plan, apply, output, show, state, destroy: as a user runs them.

#![allow(clippy::unwrap_used)] // helpers of tests

mod common;

use common::{Stack, THINGS, ended, json_lines, kill, mode};
use serde_json::Value as Json;

#[test]
fn from_nothing_to_running_to_nothing() {
    let stack = Stack::new(THINGS);
    let init = stack.expect(0, "init");
    assert!(init.err.contains("\"things\" is ready"), "{init:#?}");
    let plan = stack.expect(2, "plan -detailed-exitcode");
    assert!(
        plan.out
            .contains("Plan: 3 to add, 0 to change, 0 to destroy."),
        "{}",
        plan.out
    );
    assert!(
        plan.out.contains("# fake_thing.web[1] will be created"),
        "{}",
        plan.out
    );
    assert_eq!(stack.log("Created"), 0, "planning makes nothing");

    let apply = stack.expect(0, "apply -auto-approve");
    assert!(
        apply
            .out
            .contains("Apply complete. 3 added, 0 changed, 0 destroyed."),
        "{apply:#?}"
    );
    assert!(
        apply.out.contains("endpoint = \"base.fake.test\""),
        "{apply:#?}"
    );
    assert!(
        apply.err.contains("fake_thing.base: creating ..."),
        "{apply:#?}"
    );
    assert!(
        apply.err.contains("fake_thing.base: created after"),
        "{apply:#?}"
    );

    let plan = stack.expect(0, "plan -detailed-exitcode");
    assert_eq!(
        plan.out,
        "No changes. What is there matches the configuration.\n"
    );
    stack.expect(0, "apply -auto-approve");
    assert_eq!(stack.log("Created"), 3);

    let list = stack.expect(0, "state list").out;
    assert_eq!(
        list,
        "fake_thing.base\nfake_thing.web[0]\nfake_thing.web[1]\n"
    );
    assert_eq!(
        stack
            .expect(0, "state list fake_thing.web")
            .out
            .lines()
            .count(),
        2
    );
    let show = stack.expect(0, "state show fake_thing.web[1]").out;
    assert!(show.contains("name     = \"web-1\""), "{show}");

    let update = stack.expect(2, "plan -detailed-exitcode -var size=2");
    assert!(update.out.contains("~ size = 1 -> 2"), "{}", update.out);
    assert!(
        update.out.contains("0 to add, 2 to change, 0 to destroy"),
        "{}",
        update.out
    );
    let apply = stack.expect(0, "apply -auto-approve -var size=2");
    assert!(
        apply.out.contains("0 added, 2 changed, 0 destroyed"),
        "{}",
        apply.out
    );

    let replace = stack.expect(0, "apply -auto-approve -var size=2 -var zone=z2");
    assert!(
        replace
            .out
            .contains("\"z1\" -> \"z2\" # forces replacement"),
        "{}",
        replace.out
    );
    assert!(
        replace.out.contains("1 added, 2 changed, 1 destroyed"),
        "{}",
        replace.out
    );

    let destroy = stack.expect(0, "destroy -auto-approve");
    assert!(
        destroy
            .out
            .contains("Destroy complete. 0 added, 0 changed, 3 destroyed."),
        "{destroy:#?}"
    );
    assert_eq!(stack.expect(0, "state list").out, "");
    assert_eq!(stack.log("Deleted"), 4);
}

#[test]
fn a_saved_plan_is_applied_as_it_was_shown_and_refused_when_stale() {
    let stack = Stack::new(THINGS);
    let plan = stack.expect(0, "plan -out saved.plan -var size=7");
    assert!(plan.err.contains("weir apply saved.plan"), "{}", plan.err);
    assert_eq!(
        mode(&stack.path().join("saved.plan")),
        0o600,
        "a plan may hold secrets"
    );
    assert!(
        stack
            .expect(0, "show saved.plan")
            .out
            .contains("+ size     = 7")
    );
    let json: Json = serde_json::from_str(&stack.expect(0, "show -json saved.plan").out).unwrap();
    assert_eq!(json["format_version"], "1.2");
    assert_eq!(json["resource_changes"].as_array().unwrap().len(), 3);
    // What the file says counts, not what the folder says by now.
    stack.write("main.hcl", "this is no configuration {");
    let apply = stack.expect(0, "apply saved.plan");
    assert!(apply.out.contains("3 added"), "{apply:#?}");
    stack.write("main.hcl", THINGS);
    stack.expect(0, "plan -detailed-exitcode -var size=7");
    let stale = stack.expect(1, "apply saved.plan");
    assert!(
        stale.err.contains("The plan is out of date"),
        "{}",
        stale.err
    );
    assert_eq!(stack.log("Created"), 3);
    let vars = stack.expect(2, "apply -var size=8 saved.plan");
    assert!(vars.err.contains("holds its variables"), "{}", vars.err);
}

#[test]
fn nothing_is_done_unasked() {
    let stack = Stack::new(THINGS);
    for command in ["apply", "destroy", "apply -input=false", "apply -json"] {
        let refused = stack.expect(2, command);
        assert!(
            refused.err.contains("-auto-approve") || refused.out.contains("not a terminal"),
            "{refused:#?}"
        );
    }
    assert_eq!(stack.log("Created"), 0);
}

#[test]
fn outputs_for_people_and_for_scripts() {
    let stack = Stack::new(THINGS);
    assert!(stack.expect(0, "output").err.contains("no outputs yet"));
    stack.expect(0, "apply -auto-approve");
    let all = stack.expect(0, "output").out;
    assert_eq!(
        all,
        "endpoint = \"base.fake.test\"\npassword = (sensitive value)\n"
    );
    assert_eq!(
        stack.expect(0, "output -raw endpoint").out,
        "base.fake.test"
    );
    assert_eq!(
        stack.expect(0, "output endpoint").out,
        "\"base.fake.test\"\n"
    );
    assert_eq!(
        stack.expect(0, "output -raw password").out,
        "hush-hush",
        "asked for by name"
    );
    let json: Json = serde_json::from_str(&stack.expect(0, "output -json").out).unwrap();
    assert_eq!(json["endpoint"]["value"], "base.fake.test");
    assert_eq!(json["password"]["sensitive"], true);
    let unknown = stack.expect(1, "output nope");
    assert!(
        unknown.err.contains("\"nope\"") && unknown.err.contains("endpoint, password"),
        "{unknown:#?}"
    );
}

#[test]
fn a_secret_is_shown_nowhere() {
    let stack = Stack::new(THINGS);
    let commands = [
        "plan",
        "plan -json",
        "apply -auto-approve",
        "plan -json -var password=hush-two",
        "apply -auto-approve -json -var password=hush-two",
        "plan -var password=hush-three",
        "show",
        "show -json -redact",
        "state show fake_thing.base",
        "state show -json -redact fake_thing.base",
        "output",
        "destroy -auto-approve -json",
    ];
    for command in commands {
        let ended = stack.expect(0, command);
        let shown = ended.out.contains("hush") || ended.err.contains("hush");
        assert!(!shown, "weir {command}: {ended:#?}");
    }
}

#[test]
fn json_messages_are_terraforms() {
    let stack = Stack::new(THINGS);
    let types = |text: &str| -> Vec<String> {
        json_lines(text)
            .iter()
            .map(|m| m["type"].as_str().unwrap().to_owned())
            .collect()
    };
    let plan = stack.expect(0, "plan -json");
    assert_eq!(
        types(&plan.out),
        [
            "version",
            "planned_change",
            "planned_change",
            "planned_change",
            "change_summary",
            "outputs"
        ]
    );
    assert_eq!(plan.err, "", "a program reads stdout alone");
    let apply = stack.expect(0, "apply -auto-approve -json");
    let lines = json_lines(&apply.out);
    let of = |kind: &str| lines.iter().filter(|m| m["type"] == kind).count();
    assert_eq!(
        (of("apply_start"), of("apply_complete")),
        (3, 3),
        "{}",
        apply.out
    );
    let summary = lines
        .iter()
        .rev()
        .find(|m| m["type"] == "change_summary")
        .unwrap();
    assert_eq!(summary["changes"]["add"], 3);
    assert_eq!(summary["changes"]["operation"], "apply");
    for line in &lines {
        for key in ["@level", "@message", "@module", "@timestamp"] {
            assert!(line[key].is_string(), "{line}");
        }
    }
    stack.write(
        "main.hcl",
        "resource \"fake_thing\" \"a\" {\n  nmae = 1\n}\n",
    );
    let failed = stack.expect(1, "plan -json");
    let diagnostic = json_lines(&failed.out)
        .into_iter()
        .find(|m| m["type"] == "diagnostic")
        .unwrap();
    assert_eq!(diagnostic["diagnostic"]["severity"], "error");
    assert_eq!(diagnostic["diagnostic"]["range"]["filename"], "main.hcl");
}

#[test]
fn a_half_made_object_is_kept_tainted_and_replaced() {
    let stack = Stack::new(THINGS);
    let failed = stack.expect(1, "apply -auto-approve -var faults=100");
    assert!(failed.out.contains("Apply failed."), "{failed:#?}");
    assert!(
        failed
            .err
            .contains("fake_thing.web[0]: not created, as fake_thing.base failed"),
        "{failed:#?}"
    );
    assert!(
        stack
            .expect(0, "show")
            .out
            .contains("# fake_thing.base (tainted)")
    );
    let plan = stack.expect(2, "plan -detailed-exitcode");
    assert!(
        plan.out
            .contains("fake_thing.base is tainted, so must be replaced"),
        "{}",
        plan.out
    );
    stack.expect(0, "apply -auto-approve");
    stack.expect(0, "plan -detailed-exitcode");
}

#[test]
fn interrupted_once_it_finishes_what_is_in_flight() {
    let stack = Stack::new(THINGS);
    let child = stack.spawn("apply -auto-approve -var latency=300 -parallelism=1");
    stack.until("Created", 1);
    kill(&child, "-INT");
    let run = ended(child.wait_with_output().unwrap());
    assert_eq!(run.code, Some(1), "{run:#?}");
    assert!(
        run.err
            .contains("Interrupted: what is in flight is finished"),
        "{run:#?}"
    );
    assert!(run.out.contains("Apply interrupted."), "{run:#?}");
    let made = stack.log("Created");
    assert!(made < 3, "it stopped early");
    assert_eq!(
        stack.expect(0, "state list").out.lines().count(),
        made,
        "what was made is recorded"
    );
    stack.expect(0, "apply -auto-approve");
    assert_eq!(stack.log("Created"), 3);
}

#[test]
fn interrupted_twice_or_killed_it_goes_on_from_there() {
    for signals in [&["-INT", "-INT"][..], &["-KILL"]] {
        let stack = Stack::new(THINGS);
        let child = stack.spawn("apply -auto-approve -var latency=3000 -parallelism=1");
        stack.until("Created", 1);
        // The first is recorded and the second is in flight, for seconds.
        std::thread::sleep(std::time::Duration::from_millis(700));
        for signal in signals {
            kill(&child, signal);
            // Two at once are one to the kernel.
            std::thread::sleep(std::time::Duration::from_millis(200));
        }
        let run = ended(child.wait_with_output().unwrap());
        assert_ne!(run.code, Some(0), "{run:#?}");
        if signals.len() == 2 {
            assert!(run.err.contains("Interrupted twice"), "{run:#?}");
        }
        stack.expect(0, "apply -auto-approve");
        assert_eq!(
            stack.log("Created"),
            3,
            "{signals:?}: nothing is made twice"
        );
        stack.expect(0, "plan -detailed-exitcode");
    }
}

#[test]
fn one_at_a_time() {
    let stack = Stack::new(THINGS);
    let child = stack.spawn("apply -auto-approve -var latency=1000 -parallelism=1");
    stack.until("Created", 1);
    let refused = stack.expect(1, "plan");
    assert!(refused.err.contains("locked by ann@"), "{}", refused.err);
    let waited = stack.expect(0, "plan -detailed-exitcode -lock-timeout=60s");
    assert!(
        waited.err.contains("Waiting for the state, locked by ann@"),
        "{waited:#?}"
    );
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0));
}

#[test]
fn targets_and_requested_replacement() {
    let stack = Stack::new(THINGS);
    let apply = stack.expect(0, "apply -auto-approve -target=fake_thing.base");
    assert!(apply.out.contains("1 added"), "{apply:#?}");
    assert!(stack.expect(0, "plan").out.contains("2 to add"));
    let plan = stack
        .expect(0, "plan -target=fake_thing.base -replace=fake_thing.base")
        .out;
    assert!(
        plan.contains("fake_thing.base will be replaced, as requested"),
        "{plan}"
    );
    stack.expect(2, "plan -target=no.such.thing.at.all");
}

#[test]
fn graph_in_two_languages() {
    let stack = Stack::new(THINGS);
    let dot = stack.expect(0, "graph").out;
    assert!(dot.starts_with("digraph G {"), "{dot}");
    assert!(
        dot.contains("\"fake_thing.web\" -> \"fake_thing.base\""),
        "{dot}"
    );
    let dot = stack.expect(0, "graph -type=instances").out;
    assert!(
        dot.contains("\"fake_thing.web[0]\" -> \"fake_thing.base\""),
        "{dot}"
    );
    let mermaid = stack.expect(0, "graph -format=mermaid").out;
    assert!(mermaid.contains("n1 --> n0"), "{mermaid}");
    assert!(
        !stack.path().join(".weir").exists(),
        "a graph takes no state"
    );
}
