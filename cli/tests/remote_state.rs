//! `data "terraform_remote_state"`: outputs of other states, weir's and Terraform's, beside what
//! Terraform reads of the same files.

#![allow(clippy::unwrap_used, clippy::print_stderr)] // helpers of tests

mod common;

use common::Stack;
use serde_json::{Value as Json, json};
use std::{
    path::Path,
    process::{Command, Stdio},
};
use weir_state::conformance::{Server, WebServer};

/// What other stacks refer to.
const NETWORK: &str = r#"
output "name" {
  value = "net-${terraform.workspace}"
}
output "shape" {
  value = {
    zones = ["a", "b"]
    size  = 3
    none  = null
    list  = tolist(["x"])
    map   = tomap({ k = true })
  }
}
output "secret" {
  value     = "hush-hush"
  sensitive = true
}
"#;

/// Reads that state.
fn user(backend: &str, config: &str, more: &str) -> String {
    format!(
        r#"
data "terraform_remote_state" "net" {{
  backend = "{backend}"
  config  = {{
    {config}
  }}
  {more}
}}
output "name" {{
  value = data.terraform_remote_state.net.outputs.name
}}
output "shape" {{
  value = data.terraform_remote_state.net.outputs.shape
}}
output "all" {{
  value     = data.terraform_remote_state.net.outputs
  sensitive = true
}}
output "length" {{
  value = nonsensitive(length(data.terraform_remote_state.net.outputs.secret))
}}
"#
    )
}

/// A stack beside `other`, which it finds as `../stack` from a folder of its own.
fn beside(other: &Stack, text: &str) -> Stack {
    let stack = Stack::new(text);
    let link = stack.path().join("network");
    std::os::unix::fs::symlink(other.path(), link).unwrap();
    stack
}

fn outputs(stack: &Stack) -> Json {
    let run = stack.expect(0, "apply -auto-approve");
    assert!(!run.out.contains("hush"), "{run:#?}");
    serde_json::from_str(&stack.expect(0, "output -json").out).unwrap()
}

#[track_caller]
fn has_all(outputs: &Json, name: &str) {
    assert_eq!(outputs["name"]["value"], json!(name));
    let shape = json!({ "zones": ["a", "b"], "size": 3, "none": null, "list": ["x"], "map": { "k": true } });
    assert_eq!(outputs["shape"]["value"], shape);
    assert_eq!(outputs["all"]["value"]["secret"], json!("hush-hush"));
    assert_eq!(outputs["length"]["value"], json!(9));
}

/// Where there is a terraform, it says the same of its own state; without one the stored text stands
/// in for it.
fn terraform(folder: &Path, arguments: &str) -> Option<String> {
    let out = Command::new("terraform")
        .args(arguments.split(' '))
        .current_dir(folder)
        .env("CHECKPOINT_DISABLE", "1")
        .stdin(Stdio::null())
        .output();
    match out {
        Ok(out) => {
            assert!(out.status.success(), "terraform {arguments}: {out:?}");
            Some(String::from_utf8(out.stdout).unwrap())
        }
        Err(why) => {
            eprintln!("SKIPPED beside terraform: {why}");
            None
        }
    }
}

#[test]
fn a_state_of_terraform_reads_as_terraform_reads_it() {
    let network = tempfile::tempdir().unwrap();
    std::fs::write(network.path().join("main.tf"), NETWORK).unwrap();
    for line in [
        "init",
        "apply -auto-approve",
        "workspace new blue",
        "apply -auto-approve",
    ] {
        if terraform(network.path(), line).is_none() {
            return;
        }
    }
    let file = network
        .path()
        .join("terraform.tfstate")
        .display()
        .to_string();
    let more = "defaults = {\n    name = \"other\"\n    more = [1]\n  }";
    let blue = format!("workspace = \"blue\"\n  {more}");
    let folder = network
        .path()
        .join("terraform.tfstate.d")
        .display()
        .to_string();
    for (config, more, name) in [
        (format!("path = \"{file}\""), more, "net-default"),
        (format!("workspace_dir = \"{folder}\""), &*blue, "net-blue"),
    ] {
        let text = user("local", &config, more);
        let stack = Stack::new(&text);
        let ours = outputs(&stack);
        has_all(&ours, name);
        let theirs = tempfile::tempdir().unwrap();
        std::fs::write(
            theirs.path().join("main.tf"),
            text.replace("nonsensitive", ""),
        )
        .unwrap();
        for line in ["init", "apply -auto-approve"] {
            terraform(theirs.path(), line).unwrap();
        }
        let told = terraform(theirs.path(), "output -json").unwrap();
        let theirs: Json = serde_json::from_str(&told).unwrap();
        assert_eq!(ours, theirs, "values, types and what is sensitive");
        stack.expect(0, "plan -detailed-exitcode");
    }
}

#[test]
fn a_state_of_weir_is_read_in_its_file_with_the_key_beside_it() {
    let network = Stack::new(NETWORK);
    network.expect(0, "apply -auto-approve");
    network.expect(0, "workspace new blue");
    network.expect(0, "apply -auto-approve");
    for (backend, more, name) in [
        ("local", "", "net-default"),
        ("sqlite", "", "net-default"),
        ("local", "workspace = \"blue\"", "net-blue"),
        ("sqlite", "workspace = \"blue\"", "net-blue"),
    ] {
        let text = user(backend, "path = \"network/.weir/state.db\"", more);
        has_all(&outputs(&beside(&network, &text)), name);
    }
    // What is sensitive there is sensitive here, though Terraform forgets it.
    let open = "output \"open\" {\n  value = data.terraform_remote_state.net.outputs.secret\n}\n";
    let text = user("local", "path = \"network/.weir/state.db\"", "") + open;
    let stack = beside(&network, &text);
    let refused = stack.expect(1, "plan");
    assert!(
        refused.err.contains("sensitive") && refused.err.contains("main.hcl"),
        "{refused:#?}"
    );
    // Without the key nothing can be read, and it is said why.
    std::fs::rename(
        network.path().join(".weir/state.db-key"),
        network.path().join("key"),
    )
    .unwrap();
    let text = user("sqlite", "path = \"network/.weir/state.db\"", "");
    let stack = beside(&network, &text);
    let refused = stack.expect(1, "plan");
    assert!(refused.err.contains("can't be decrypted"), "{refused:#?}");
    // A key of this stack will do.
    let keyed = "stack \"user\" {\n  encryption {\n    key \"file\" { path = \"own-key\" }\n    fallback \"file\" { path = \"network/key\" }\n  }\n}\n";
    let stack = beside(&network, &(keyed.to_owned() + &text));
    stack.expect(0, "init");
    // The default workspace's key is the one of this state.
    has_all(&outputs(&stack), "net-default");
}

#[test]
fn states_behind_servers_are_read() {
    let web = WebServer::start().unwrap();
    let address = web.address("network");
    let state = format!(
        "stack \"network\" {{\n  state \"http\" {{\n    address = \"{address}\"\n    lock_address = \"{address}/lock\"\n    lock_method = \"POST\"\n    unlock_method = \"DELETE\"\n  }}\n}}\n"
    );
    let network = Stack::new(&(state + NETWORK));
    network.expect(0, "apply -auto-approve");
    // Nothing is locked to be read, so that no address of a lock is needed.
    let text = user("http", &format!("address = \"{address}\""), "");
    has_all(&outputs(&Stack::new(&text)), "net-default");
    // One of Terraform's there.
    let pulled = network.expect(0, "state pull").out;
    web.put("terraforms", 1, pulled.as_bytes());
    let address = web.address("terraforms");
    let text = user("http", &format!("address = \"{address}\""), "");
    has_all(&outputs(&Stack::new(&text)), "net-default");

    let server = match Server::start() {
        Ok(server) => server,
        Err(why) => return eprintln!("SKIPPED, nothing of Postgres is tested: {why}"),
    };
    let url = server.url();
    let state = format!("stack \"network\" {{\n  state \"postgres\" {{ url = \"{url}\" }}\n}}\n");
    let network = Stack::new(&(state + NETWORK));
    network.expect(0, "apply -auto-approve");
    let config = format!("url = \"{url}\"\n    stack = \"network\"");
    let text = user("postgres", &config, "");
    has_all(&outputs(&Stack::new(&text)), "net-default");
    let config = format!("url = \"{url}\"\n    stack = \"another\"");
    let run = Stack::new(&user("postgres", &config, "")).expect(1, "plan");
    assert!(run.err.contains("There is no state in"), "{run:#?}");
    let run = Stack::new(&user("postgres", &format!("url = \"{url}\""), "")).expect(1, "plan");
    assert!(
        run.err.contains("The stack whose state it is is not named"),
        "{run:#?}"
    );
    // One of Terraform's in its own table.
    let sql = format!(
        "CREATE SCHEMA tf; CREATE TABLE tf.states (id BIGINT, name TEXT, data TEXT);
         INSERT INTO tf.states VALUES (1, 'default', '{}')",
        pulled.replace('\'', "''")
    );
    server.sql("postgres", &sql).unwrap();
    let config = format!("conn_str = \"{url}\"\n    schema_name = \"tf\"");
    has_all(
        &outputs(&Stack::new(&user("pg", &config, ""))),
        "net-default",
    );
}

#[test]
fn what_is_wrong_is_told_where_it_is_with_the_next_step() {
    for (backend, config, more, summary, next) in [
        (
            "local",
            "path = \"none.tfstate\"",
            "",
            "There is no state in none.tfstate",
            "Apply that stack first",
        ),
        (
            "local",
            "paht = \"x\"",
            "",
            "has no setting `paht`",
            "path, workspace_dir",
        ),
        (
            "local",
            "path = [1]",
            "",
            "`path` of the config must be a text",
            "Write `config",
        ),
        (
            "local",
            "path = \"main.hcl\"",
            "",
            "The state in main.hcl can't be read",
            "Name a state file",
        ),
        (
            "local",
            "path = \".\"",
            "",
            "The state in . can't be read",
            "Name a state file",
        ),
        (
            "sqlite",
            "",
            "",
            "The state in a file of SQLite is not named",
            "state.db",
        ),
        (
            "sqlite",
            "path = \"none.db\"",
            "",
            "There is no state in none.db",
            "Apply that stack first",
        ),
        (
            "loc",
            "",
            "",
            "There is no backend \"loc\"",
            "`local`, `sqlite`",
        ),
        (
            "gcs",
            "bucket = \"b\"",
            "",
            "The state of backend \"gcs\" can't be read",
            "terraform state pull",
        ),
        (
            "s3",
            "key = \"k\"",
            "",
            "bucket",
            "`config` takes what the block",
        ),
        (
            "s3",
            "bukket = \"k\"",
            "",
            "no setting `bukket`",
            "`config` takes what the block",
        ),
        (
            "local",
            "",
            "workspace = \"a/b\"",
            "is no name of a workspace",
            "Correct `workspace`",
        ),
        (
            "local",
            "",
            "defaults = [1]",
            "`defaults` must be an object",
            "Write `defaults",
        ),
    ] {
        let stack = Stack::new(&user(backend, config, more));
        let run = stack.expect(1, "plan");
        for words in [summary, next, "--> main.hcl:2:1"] {
            assert!(run.err.contains(words), "{words}: {run:#?}");
        }
    }
}
