//! Stacks whose state is behind a web address, as GitLab serves it; and Terraform on the same server,
//! so that the server of the tests is held to what Terraform expects.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "helpers of tests")]

mod common;

use common::{Ended, Stack, THINGS, ended, kill};
use serde_json::Value as Json;
use std::process::Command;
use weir_state::conformance::WebServer;

/// Terraform's own block.
fn backend(server: &WebServer, name: &str) -> String {
    let address = server.address(name);
    format!(
        "terraform {{\n  backend \"http\" {{\n    address        = \"{address}\"\n    \
         lock_address   = \"{address}/lock\"\n    unlock_address = \"{address}/lock\"\n    \
         lock_method    = \"POST\"\n    unlock_method  = \"DELETE\"\n    retry_wait_min = 1\n  }}\n}}\n"
    )
}

/// The settings of a stack of weir's.
fn own(server: &WebServer, name: &str) -> String {
    let address = server.address(name);
    format!(
        "state \"http\" {{\n    address      = \"{address}\"\n    lock_address = \"{address}/lock\"\n  }}"
    )
}

fn things(state: &str) -> Stack {
    let settings = format!("stack \"things\" {{\n  {state}\n}}");
    Stack::new(&THINGS.replace("stack \"things\" {}", &settings))
}

#[test]
fn state_behind_an_address_goes_all_the_way() {
    let server = WebServer::start().unwrap();
    let stack = things(&own(&server, "shop"));
    assert_eq!(stack.expect(0, "state list").out, "");
    assert_eq!(server.object("shop"), None, "nothing is made by looking");
    let made = stack.expect(0, "init");
    assert!(made.err.contains(&server.address("shop")), "{made:#?}");
    stack.expect(0, "apply -auto-approve");
    stack.expect(0, "plan -detailed-exitcode");
    stack.expect(0, "apply -auto-approve -var size=2");
    assert_eq!(stack.expect(0, "state list").out.lines().count(), 3);
    assert_eq!(server.lock("shop"), None);
    assert!(!stack.path().join(".weir/state.db").exists());
    let refused = stack.expect(1, "workspace new blue");
    assert!(
        refused.err.replace("\n ", "").contains("holds one state"),
        "{refused:#?}"
    );
    assert_eq!(stack.log("Created"), 3);
}

/// Cut in the middle, with its lock on the server: the next run goes on at once.
#[test]
fn a_killed_apply_is_ended_by_the_next() {
    let server = WebServer::start().unwrap();
    let stack = things(&own(&server, "shop"));
    stack.expect(0, "init");
    let mut child = stack.spawn("apply -auto-approve -var latency=2000");
    stack.until("Created", 1);
    kill(&child, "-KILL");
    child.wait().unwrap();
    assert!(server.lock("shop").is_some(), "it can't have given it back");
    stack.expect(0, "apply -auto-approve");
    assert_eq!(server.lock("shop"), None);
    assert_eq!(stack.log("Created"), 3, "nothing is made twice");
    stack.expect(0, "plan -detailed-exitcode");
}

#[test]
fn a_state_moves_there_and_back() {
    let server = WebServer::start().unwrap();
    let stack = Stack::new(THINGS);
    stack.expect(0, "apply -auto-approve");
    let pulled = stack.expect(0, "state pull").out;
    let there = THINGS.replace(
        "stack \"things\" {}",
        &format!(
            "stack \"things\" {{\n  {}\n  encryption {{\n    key \"file\" {{ path = \".weir/state.db-key\" }}\n  }}\n}}",
            own(&server, "shop")
        ),
    );
    stack.write("main.hcl", &there);
    let moved = stack.expect(0, "state migrate");
    assert!(moved.err.contains("3 resources"), "{moved:#?}");
    assert_eq!(stack.expect(0, "state pull").out, pulled);
    let object = String::from_utf8(server.object("shop").unwrap()).unwrap();
    assert!(!object.contains("hush"), "it is encrypted there");
    stack.expect(0, "plan -detailed-exitcode");
    let back = THINGS.replace(
        "stack \"things\" {}",
        "stack \"things\" {\n  state \"sqlite\" { path = \"back/s.db\" }\n  encryption {\n    key \"file\" { path = \".weir/state.db-key\" }\n  }\n}",
    );
    std::fs::create_dir(stack.path().join("back")).unwrap();
    stack.write("main.hcl", &back);
    let line = format!("state migrate -from={}", server.address("shop"));
    stack.expect(0, &line);
    assert_eq!(stack.expect(0, "state pull").out, pulled);
    assert_eq!(server.lock("shop"), None);
}

#[test]
fn settings_that_are_wrong_are_shown() {
    let server = WebServer::start().unwrap();
    let address = server.address("shop");
    for (state, words) in [
        (format!("address = \"{address}\""), "no `lock_address`"),
        ("lock_address = \"http://x\"".to_owned(), "no `address`"),
        (
            format!("address = \"{address}\"\nlock_addres = \"x\""),
            "no setting `lock_addres`",
        ),
        (
            format!("address = \"{address}\"\nlock_address = \"{address}\"\nretry_max = \"x\""),
            "retry_max",
        ),
        (
            format!("address = \"{address}\"\nlock_address = \"{address}\"\nheaders = 1"),
            "headers",
        ),
        (
            "address = \"http://ann:Sesame@x/y\"\nlock_address = \"http://x\"".to_owned(),
            "a login in it",
        ),
    ] {
        let stack = things(&format!("state \"http\" {{\n{state}\n}}"));
        let run = stack.expect(1, "validate");
        assert!(
            run.err.replace("\n ", "").contains(words),
            "{state}: {run:#?}"
        );
        assert!(!run.err.contains("Sesame"), "{run:#?}");
    }
    server.wants("ann", "Sesame-1");
    let stack = things(&own(&server, "shop"));
    let run = stack.expect(1, "init");
    assert!(run.err.contains("TF_HTTP_PASSWORD"), "{run:#?}");
    let mut command = stack.command("init");
    command.envs([
        ("TF_HTTP_USERNAME", "ann"),
        ("TF_HTTP_PASSWORD", "Sesame-1"),
    ]);
    let run = ended(command.output().unwrap());
    assert_eq!(run.code, Some(0), "{run:#?}");
}

/// Terraform in the stack's folder; `None`, said loudly, where there is none.
fn terraform(stack: &Stack, line: &str) -> Option<Ended> {
    let mut command = Command::new("terraform");
    command
        .args(line.split(' '))
        .current_dir(stack.path())
        .env_remove("TF_CLI_CONFIG_FILE")
        .env("CHECKPOINT_DISABLE", "1")
        .env("TF_IN_AUTOMATION", "1");
    match command.output() {
        Ok(output) => Some(ended(output)),
        Err(e) => {
            eprintln!("SKIPPED, Terraform is not held against the server: {e}");
            None
        }
    }
}

#[test]
fn terraform_and_weir_leave_each_others_state_alone() {
    let server = WebServer::start().unwrap();
    server.answers_mismatch(409);
    let resource = "resource \"terraform_data\" \"a\" {\n  input = 1\n}\n";
    // Terraform takes the server for one of its own: lock, write under the lock, unlock.
    let stack = Stack::new("");
    stack.write(
        "main.tf",
        &format!("{}{resource}", backend(&server, "theirs")),
    );
    std::fs::remove_file(stack.path().join("main.hcl")).unwrap();
    let Some(init) = terraform(&stack, "init -no-color") else {
        return;
    };
    assert_eq!(init.code, Some(0), "{init:#?}");
    let apply = terraform(&stack, "apply -auto-approve -no-color").unwrap();
    assert_eq!(apply.code, Some(0), "{apply:#?}");
    let asked = server.asked();
    let post = asked
        .iter()
        .find(|a| a.method == "POST" && a.target.contains("?ID="));
    assert_eq!(post.map(|a| a.status), Some(200), "{asked:#?}");
    assert!(
        asked
            .iter()
            .any(|a| a.method == "DELETE" && a.status == 200),
        "{asked:#?}"
    );
    assert_eq!(server.lock("theirs"), None);
    let object = server.object("theirs").unwrap();
    let json: Json = serde_json::from_slice(&object).unwrap();
    assert_eq!(json["version"], 4);
    // What Terraform has there stays its own.
    for line in ["plan", "apply -auto-approve", "init", "state list"] {
        let run = stack.expect(1, line);
        assert!(
            run.err
                .replace("\n ", "")
                .contains("weir state import FILE"),
            "{run:#?}"
        );
        assert_eq!(server.object("theirs").unwrap(), object, "{line}");
    }
    // And what weir has stays weir's.
    stack.write(
        "main.tf",
        &format!("{}{resource}", backend(&server, "ours")),
    );
    stack.expect(0, "init");
    stack.expect(0, "apply -auto-approve");
    let object = server.object("ours").unwrap();
    for line in [
        "init -reconfigure -no-color",
        "plan -no-color",
        "apply -auto-approve -no-color",
        "state push -force theirs.json",
    ] {
        stack.write("theirs.json", &json.to_string());
        let run = terraform(&stack, line).unwrap();
        assert_ne!(run.code, Some(0), "{line}: {run:#?}");
        assert_eq!(server.object("ours").unwrap(), object, "{line}");
    }
    stack.expect(0, "plan -detailed-exitcode");
}
