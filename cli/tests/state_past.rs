//! History, rollback, diff, drift, unlock and workspaces.

#![allow(clippy::unwrap_used)] // helpers of tests

mod common;

use common::{Stack, THINGS, kill};
use serde_json::Value as Json;

fn json(text: &str) -> Json {
    serde_json::from_str(text).unwrap()
}

const MARKS: &str = r#"
variable "n" { default = 1 }
variable "word" {
  default   = "hush-hush"
  sensitive = true
}
resource "terraform_data" "a" {
  count = var.n
  input = "${terraform.workspace}-one"
}
resource "terraform_data" "secret" {
  input = var.word
}
"#;

/// Applies what gives `terraform_data.a` this value.
fn applied(stack: &Stack, history: &str, value: usize) {
    let text = format!(
        "stack \"s\" {{\n  {history}\n}}\nresource \"terraform_data\" \"a\" {{ input = {value} }}\n"
    );
    stack.write("main.hcl", &text);
    let run = stack.expect(0, "apply -auto-approve");
    assert!(!run.err.contains("Warning"), "{run:#?}");
}

fn serials(stack: &Stack) -> Vec<u64> {
    let rows = json(&stack.expect(0, "state history -json").out);
    let serials = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["serial"].as_u64());
    serials.map(Option::unwrap).collect()
}

#[test]
fn an_apply_drops_what_is_too_old() {
    let stack = Stack::new("");
    for value in 0..4 {
        applied(&stack, "", value);
    }
    let all = serials(&stack);
    assert_eq!(all.len(), 4, "by itself nothing goes so soon");
    applied(&stack, "history {\n applies = 2\n days = 1\n }", 4);
    assert_eq!(serials(&stack).len(), 5, "all of a day stays");
    applied(
        &stack,
        "history {\n applies = 1\n days = 0\n forever = true\n }",
        5,
    );
    assert_eq!(serials(&stack).len(), 6, "all stays");
    applied(&stack, "history {\n applies = 2\n days = 0\n }", 6);
    let left = serials(&stack);
    assert_eq!(left.len(), 2);
    let gone = stack.expect(1, &format!("show @{}", all[0]));
    assert!(gone.err.contains("is not kept any more"), "{gone:#?}");
    let kept = stack.expect(0, &format!("show @{}", left[0])).out;
    assert!(kept.contains("input  = 5"), "{kept}");
    stack.expect(0, &format!("rollback @{} -auto-approve", left[0]));
    stack.expect(0, "state show terraform_data.a");
    // What fails drops nothing; a destroy is an apply like any other.
    stack.expect(0, "destroy -auto-approve");
    assert_eq!(serials(&stack).len(), 2);
}

#[test]
fn how_much_is_kept_is_checked() {
    for (history, summary, word) in [
        (
            "applies = 0",
            "`applies` must be a whole number",
            "at least 1",
        ),
        ("days = -1", "`days` must be a whole number of days", "-1"),
        ("days = 1.5", "`days` must be a whole number of days", "1.5"),
        ("forever = 3", "`forever` must be true or false", "forever"),
        ("apply = 3", "`history` has no attribute `apply`", "applies"),
    ] {
        let stack = Stack::new(&format!(
            "stack \"s\" {{\n history {{\n {history}\n }}\n}}\n"
        ));
        let run = stack.expect(1, "validate");
        let said = run.out + &run.err;
        assert!(said.contains(summary), "{said}");
        assert!(said.contains("main.hcl:3") && said.contains(word), "{said}");
    }
}

#[test]
fn the_way_back_is_a_plan_like_any_other() {
    let stack = Stack::new(MARKS);
    stack.expect(0, "apply -auto-approve -var n=2");
    let first = json(&stack.expect(0, "state history -json").out);
    let serial = first[0]["serial"].as_u64().unwrap();
    stack.write("main.hcl", &MARKS.replace("-one", "-two"));
    stack.expect(0, "apply -auto-approve -var n=1 -var word=other");
    let second = stack.expect(0, "show").out;
    assert!(second.contains("default-two"), "{second}");

    let history = json(&stack.expect(0, "state history -json").out);
    let rows = history.as_array().unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[1]["who"], "ann");
    assert_eq!(rows[1]["command"], "apply");
    assert_eq!(rows[1]["outcome"], "succeeded");
    let actions: Vec<&str> = rows[1]["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["action"].as_str().unwrap())
        .collect();
    assert!(actions.contains(&"update") && actions.contains(&"delete"));
    assert_ne!(rows[0]["config"], rows[1]["config"]);

    let past = stack.expect(0, &format!("show @{serial}")).out;
    assert!(past.contains("default-one") && past.contains("terraform_data.a[1]"));
    let diff = stack.expect(0, &format!("diff @{serial}")).out;
    assert!(diff.contains("~ terraform_data.a[0]\n    input: \"default-one\" -> \"default-two\""));
    assert!(diff.contains("- terraform_data.a[1]"), "{diff}");
    assert!(diff.contains("input: (sensitive value) -> (sensitive value)"));
    assert!(!diff.contains("hush"), "{diff}");
    let none = stack.expect(0, &format!("diff @{serial} @{serial}")).out;
    assert!(none.contains("are the same"), "{none}");

    // Nobody said yes: nothing is done.
    stack.expect(2, &format!("rollback @{serial}"));
    assert_eq!(stack.expect(0, "show").out, second);
    let run = stack.expect(0, &format!("rollback @{serial} -auto-approve"));
    assert!(run.out.contains("1 added"), "{run:#?}");
    let back = stack.expect(0, "state list").out;
    assert!(back.contains("terraform_data.a[1]"), "{back}");
    let shown = stack.expect(0, "state show terraform_data.a[0]").out;
    assert!(shown.contains("default-one"), "{shown}");
    // With the variables of then, secrets among them.
    let pulled = stack.expect(0, "state pull").out;
    assert!(pulled.contains("hush-hush") && !pulled.contains("\"other\""));
    stack.expect(
        0,
        "plan -var n=2 -detailed-exitcode -target=terraform_data.secret",
    );
    // The files of the stack are as they were: the next plan goes forward again.
    stack.expect(2, "plan -detailed-exitcode");
    let rows = json(&stack.expect(0, "state history -json").out);
    assert_eq!(rows[2]["command"], "rollback");
    assert_eq!(rows[2]["config"], rows[0]["config"], "kept once");

    for (code, line, said) in [
        (1, "rollback @999 -auto-approve", "999"),
        (2, "rollback @x -auto-approve", "no serial"),
        (2, "rollback @1 -auto-approve -var n=3", "variables already"),
        (1, "show @999", "999"),
        (1, "diff @1 @999", "999"),
    ] {
        let run = stack.expect(code, line);
        assert!(run.err.contains(said), "{line}: {run:#?}");
    }
    stack.expect(0, "rollback @1 -auto-approve");

    let run = stack.expect(0, "state prune");
    assert!(run.err.contains("nothing to drop"), "{run:#?}");
    let state = stack.expect(0, "show").out;
    let run = stack.expect(0, "state prune -keep 1");
    assert!(run.out.starts_with("Dropped "), "{run:#?}");
    let rows = json(&stack.expect(0, "state history -json").out);
    assert_eq!(
        rows.as_array()
            .unwrap()
            .iter()
            .filter(|r| r["config"].is_string())
            .count(),
        1
    );
    assert_eq!(stack.expect(0, "show").out, state);
    let run = stack.expect(1, "show @1");
    assert!(run.err.contains("not kept any more"), "{run:#?}");
}

#[test]
fn drift_is_told_and_not_recorded() {
    let stack = Stack::new(THINGS);
    stack.expect(0, "apply -auto-approve");
    let calm = stack.expect(0, "drift");
    assert!(calm.out.starts_with("No drift."), "{calm:#?}");
    let before = stack.expect(0, "state pull").out;
    let cloud = stack.read("cloud");
    let line = cloud.lines().rfind(|l| l.contains("\"web-0\"")).unwrap();
    let changed = line.replace("\"size\":1", "\"size\":9");
    stack.write("cloud", &format!("{cloud}{changed}\n"));
    let run = stack.expect(2, "drift");
    assert!(run.out.contains("fake_thing.web[0]"), "{run:#?}");
    assert!(run.out.contains("1 object differs from state."), "{run:#?}");
    assert_eq!(stack.expect(0, "state pull").out, before);
    let run = stack.expect(2, "drift -json");
    assert!(run.out.contains("\"resource_drift\""), "{run:#?}");
    stack.expect(2, "drift");
    stack.write("main.hcl", "resource {");
    stack.expect(1, "drift");
}

#[test]
fn drift_says_by_whom_where_that_is_known() {
    let stack = Stack::new(THINGS);
    stack.expect(0, "apply -auto-approve");
    let cloud = weir_fake::cloud::Cloud::open(&stack.path().join("cloud")).unwrap();
    let id = |name: &str| {
        let objects = cloud.objects().unwrap();
        let of = |v: &weir_core::Value| {
            v.get("name")
                .and_then(weir_core::Value::as_str)
                .map(str::to_owned)
        };
        let found = objects
            .values()
            .find(|o| of(o.value.value()).as_deref() == Some(name));
        found.unwrap().id.clone()
    };
    let hand = |who: &str, at| weir_fake::cloud::Hand {
        who: who.into(),
        at,
        how: "console".into(),
    };
    let ada = hand("ada", 1_777_631_527);
    cloud
        .tamper_by(ada, &id("web-0"), "size", 9.into())
        .unwrap();
    cloud
        .vanish_by(hand("bob", 1_777_631_528), &id("web-1"))
        .unwrap();
    cloud.tamper(&id("base"), "size", 8.into()).unwrap();
    insta::assert_snapshot!(stack.expect(2, "drift").out);
    let plan = stack.expect(0, "plan").out;
    assert!(
        plan.contains("  # (by ada, at 2026-05-01T10:32:07Z: console)\n"),
        "{plan}"
    );
    let drifts = |line: &str| -> Vec<Json> {
        let out = stack.weir(line).out;
        let lines = out
            .lines()
            .map(json)
            .filter(|m| m["type"] == "resource_drift");
        lines.map(|m| m["change"].clone()).collect()
    };
    let told = drifts("drift -json");
    let by = |address: &str| {
        let change = told.iter().find(|c| c["resource"]["addr"] == address);
        change.unwrap()["changed_by"].clone()
    };
    assert_eq!(
        by("fake_thing.web[0]"),
        serde_json::json!({
            "who": "ada", "when": "2026-05-01T10:32:07Z", "how": "console", "error": null,
        })
    );
    assert_eq!(by("fake_thing.web[1]")["who"], "bob");
    assert_eq!(by("fake_thing.base"), Json::Null);
    // Terraform's messages stay Terraform's.
    let plain = drifts("plan -json");
    assert_eq!(plain.len(), 3);
    assert!(plain.iter().all(|c| c.get("changed_by").is_none()));
}

#[test]
fn a_lease_is_ended_for_who_asks() {
    let stack = Stack::new(THINGS);
    assert!(stack.expect(1, "unlock").err.contains("no state here"));
    stack.expect(0, "apply -auto-approve");
    assert!(stack.expect(0, "unlock").err.contains("not locked"));
    let mut child =
        stack.spawn("apply -auto-approve -lock-timeout=60s -var latency=3000 -var size=2");
    let begun = std::time::Instant::now();
    while stack.expect(0, "state list").code != Some(0)
        || !stack
            .weir("state rm -dry-run fake_thing.base")
            .err
            .contains("locked by")
    {
        assert!(begun.elapsed().as_secs() < 60, "it never took the lease");
    }
    // Nobody is there to say yes.
    let run = stack.expect(2, "unlock");
    assert!(run.err.contains("is held by ann@"), "{run:#?}");
    let run = stack.expect(1, "unlock 999 -force");
    assert!(run.err.contains("999 is not held"), "{run:#?}");
    let run = stack.expect(0, "unlock -force");
    assert!(run.err.contains("The state is unlocked."), "{run:#?}");
    // Who held it writes no more.
    let ended = child.wait().unwrap();
    assert_ne!(ended.code(), Some(0));
    stack.expect(0, "apply -auto-approve -var size=2");
}

#[test]
fn what_is_not_settled_is_listed() {
    let stack = Stack::new(THINGS);
    let run = stack.expect(0, "state list -unsettled");
    assert_eq!(run.out, "");
    let mut child = stack.spawn("apply -auto-approve -var latency=20000");
    let said = std::io::BufReader::new(child.stderr.take().unwrap());
    let begun = std::io::BufRead::lines(said)
        .map_while(Result::ok)
        .any(|line| line.contains("fake_thing.base") && line.contains("creating"));
    assert!(begun, "it never came to that");
    // It is said a moment before it is in the journal, and the cloud takes its time after.
    std::thread::sleep(std::time::Duration::from_secs(2));
    kill(&child, "-KILL");
    child.wait().unwrap();
    let run = stack.expect(0, "state list -unsettled -json");
    let rows = json(&run.out);
    let rows = rows.as_array().unwrap();
    assert!(!rows.is_empty(), "{run:#?}");
    assert!(rows[0]["by"].as_str().unwrap().starts_with("ann@"));
    let run = stack.expect(0, "state list -unsettled");
    assert!(run.out.contains(": creation, begun "), "{run:#?}");
    assert!(run.err.contains("asks the provider"), "{run:#?}");
    stack.expect(0, "apply -auto-approve");
    assert_eq!(stack.expect(0, "state list -unsettled").out, "");
    let history = json(&stack.expect(0, "state history -json").out);
    let outcomes: Vec<&Json> = history
        .as_array()
        .unwrap()
        .iter()
        .map(|r| &r["outcome"])
        .collect();
    assert!(outcomes.contains(&&Json::from("succeeded")), "{outcomes:?}");
}

#[test]
fn each_workspace_has_its_own_state() {
    let stack = Stack::new(MARKS);
    assert_eq!(stack.expect(0, "workspace list").out, "* default\n\n");
    stack.expect(0, "apply -auto-approve");
    let run = stack.expect(0, "workspace new prod");
    assert!(
        run.out
            .starts_with("Created and switched to workspace \"prod\"!"),
        "{run:#?}"
    );
    assert_eq!(
        stack.expect(0, "workspace list").out,
        "  default\n* prod\n\n"
    );
    assert_eq!(stack.expect(0, "workspace show").out, "prod\n");
    assert_eq!(stack.expect(0, "state list").out, "");
    stack.expect(0, "apply -auto-approve");
    let shown = stack.expect(0, "state show terraform_data.a[0]").out;
    assert!(shown.contains("\"prod-one\""), "{shown}");
    for (code, line, said) in [
        (1, "workspace new prod", "is there already"),
        (1, "workspace select nowhere", "no workspace \"nowhere\""),
        (2, "workspace new a/b", "can't name a workspace"),
        (1, "workspace delete prod", "is the current one"),
        (1, "workspace delete default", "can't be deleted"),
        (1, "workspace delete nowhere", "no workspace"),
    ] {
        let run = stack.expect(code, line);
        assert!(run.err.contains(said), "{line}: {run:#?}");
    }
    let mut overridden = stack.command("state show terraform_data.a[0]");
    let out = overridden.env("TF_WORKSPACE", "default").output().unwrap();
    assert!(String::from_utf8_lossy(&out.stdout).contains("\"default-one\""));
    let mut select = stack.command("workspace select default");
    let out = select.env("WEIR_WORKSPACE", "x").output().unwrap();
    assert!(String::from_utf8_lossy(&out.stderr).contains("WEIR_WORKSPACE"));
    let run = stack.expect(0, "workspace select default");
    assert_eq!(run.out, "Switched to workspace \"default\".\n");
    let run = stack.expect(1, "workspace delete prod");
    assert!(run.err.contains("is not empty"), "{run:#?}");
    stack.expect(0, "workspace delete -force prod");
    assert_eq!(stack.expect(0, "workspace list").out, "* default\n\n");
    stack.expect(0, "workspace select -or-create test");
    stack.expect(0, "workspace select default");
    stack.expect(0, "workspace delete test");
    stack.expect(0, "plan -detailed-exitcode");
}

/// It looks again and again, says only what is new, and ends as it found things last.
#[test]
fn drift_is_watched_until_somebody_stops_it() {
    use std::io::BufRead as _;
    let stack = Stack::new(common::THINGS);
    stack.expect(0, "apply -auto-approve");
    let mut child = stack.spawn("drift -watch -interval 100ms");
    let out = child.stdout.take().unwrap();
    let (told, lines) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for line in std::io::BufReader::new(out).lines().map_while(Result::ok) {
            // Nobody listens any more once the test is over.
            let _ = told.send(line);
        }
    });
    let patience = std::time::Duration::from_secs(60);
    let mut all = Vec::new();
    let mut until = |words: &str| {
        while !all.last().is_some_and(|line: &String| line.contains(words)) {
            all.push(lines.recv_timeout(patience).expect(words));
        }
        all.clone()
    };
    until("No drift.");
    let change = |from: &str, to: &str| {
        let text = stack.read("cloud");
        let line = text.lines().rfind(|l| l.contains("\"web-0\"")).unwrap();
        let changed = line.replace(&format!("\"size\":{from}"), &format!("\"size\":{to}"));
        assert_ne!(changed, line);
        stack.write("cloud", &format!("{text}{changed}\n"));
    };
    change("1", "9");
    until("1 object differs from state.");
    change("9", "1");
    let all = until("No drift.");
    // What stays as it is, is said once.
    let calm = all.iter().filter(|l| l.contains("No drift.")).count();
    assert_eq!(calm, 2, "{all:#?}");
    common::kill(&child, "-INT");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let serials = stack.expect(0, "state history").out.lines().count();
    assert_eq!(serials, 2, "nothing was recorded but the apply");
}
