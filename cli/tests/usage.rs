//! The command line itself: help, errors, exit codes, streams.

#![allow(clippy::unwrap_used)] // helpers of tests

mod common;

use common::{Stack, THINGS};
use serde_json::Value as Json;
use std::{io::Read, process::Stdio};

/// The reference of all commands, as `-help` prints it.
#[test]
fn reference() {
    let stack = Stack::new("");
    let commands = [
        "",
        "init",
        "validate",
        "fmt",
        "plan",
        "apply",
        "destroy",
        "show",
        "output",
        "state",
        "state list",
        "state show",
        "graph",
        "service",
        "service status",
        "service logs",
        "version",
    ];
    let mut text = String::new();
    for command in commands {
        let help = stack.expect(0, &format!("{command} -help"));
        text.push_str(&format!("$ weir {command} -help\n{}\n", help.out));
    }
    insta::assert_snapshot!(text);
}

#[test]
fn a_wrong_command_line_ends_with_code_two() {
    let stack = Stack::new(THINGS);
    let table = [
        ("", "Usage"),
        ("plam", "plam"),
        ("plan -nope", "--nope"),
        ("plan -parallelism=0", "parallelism"),
        ("plan -var x", "has no value"),
        ("plan -lock-timeout=5", "not a duration"),
        ("-chdir=/no/such/folder plan", "/no/such/folder"),
        ("state show not..an..address", "not an address"),
        ("output -raw", "NAME"),
        ("fmt main.txt", "main.txt"),
    ];
    stack.write("main.txt", "");
    for (line, part) in table {
        let ended = stack.expect(2, line);
        assert!(ended.err.contains(part), "weir {line}: {ended:#?}");
        assert_eq!(ended.out, "", "weir {line}: errors go to stderr");
    }
    // Where 2 says that there is something to do, a wrong command line must not say so.
    for line in ["plan -nope", "plan -var x", "-chdir=/no/such/folder plan"] {
        stack.expect(1, &format!("{line} -detailed-exitcode"));
    }
}

#[test]
fn chdir_is_the_folder_of_everything() {
    let stack = Stack::new(THINGS);
    let parent = stack.path().parent().unwrap().to_owned();
    let mut command = stack.command("-chdir=stack apply -auto-approve");
    let ended = common::ended(command.current_dir(parent).output().unwrap());
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert!(stack.path().join(".weir/state.db").exists());
    assert_eq!(stack.log("Created"), 3);
}

#[test]
fn variables_come_from_everywhere_and_later_wins() {
    let stack = Stack::new("variable \"x\" { type = string }\noutput \"x\" { value = var.x }\n");
    stack.write("extra.tfvars", "x = \"file\"\n");
    let value = |line: &str, env: &[(&str, &str)]| {
        let mut command = stack.command(&format!("apply -auto-approve {line}"));
        command.envs(env.iter().copied());
        let ended = common::ended(command.output().unwrap());
        assert_eq!(ended.code, Some(0), "{ended:#?}");
        stack.expect(0, "output -raw x").out
    };
    assert_eq!(value("", &[("TF_VAR_x", "env")]), "env");
    assert_eq!(value("", &[("WEIR_VAR_x", "env")]), "env");
    assert_eq!(
        value("-var-file=extra.tfvars", &[("WEIR_VAR_x", "env")]),
        "file"
    );
    assert_eq!(value("-var-file=extra.tfvars -var x=flag", &[]), "flag");
}

#[test]
fn validate_finds_all_that_is_wrong_and_reaches_nothing() {
    let stack = Stack::new(THINGS);
    let valid = stack.expect(0, "validate");
    assert_eq!(valid.out, "The configuration is valid: 3 instances.\n");
    assert!(!stack.path().join("cloud").exists() && !stack.path().join(".weir").exists());
    stack.write(
        "main.hcl",
        "provider \"fake\" { path = \"cloud\" }\n\
         resource \"fake_thing\" \"a\" {\n  name = \"\"\n}\n\
         resource \"fake_thing\" \"b\" {\n  name = \"b\"\n  size = 5000\n}\n",
    );
    let wrong = stack.expect(1, "validate");
    assert!(
        wrong.err.contains("must not be empty") && wrong.err.contains("from 0 to 1000"),
        "{}",
        wrong.err
    );
    assert!(
        wrong.err.contains("main.hcl:2:") && wrong.err.contains("2 errors."),
        "{}",
        wrong.err
    );
    let json: Json = serde_json::from_str(&stack.expect(1, "validate -json").out).unwrap();
    assert_eq!(
        (&json["valid"], &json["error_count"]),
        (&Json::Bool(false), &Json::from(2))
    );
    assert_eq!(json["diagnostics"][0]["range"]["start"]["line"], 2);
}

#[test]
fn where_state_is_kept_is_never_guessed() {
    let table = [
        (
            "state \"gcs\" {\n  bucket = \"b\"\n}",
            "State \"gcs\" is not a store",
        ),
        (
            "state \"sqlite\" {\n  pth = \"b\"\n}",
            "has no setting `pth`",
        ),
        ("state \"sqlite\" {\n  path = 5\n}", "must be a text"),
    ];
    for (block, part) in table {
        let stack = Stack::new(&format!("stack \"s\" {{\n{block}\n}}\n"));
        for line in ["validate", "init", "plan", "state list"] {
            let ended = stack.expect(1, line);
            assert!(ended.err.contains(part), "weir {line}: {ended:#?}");
            assert!(!stack.path().join(".weir").exists(), "weir {line}: {block}");
        }
        let ended = stack.expect(1, "validate");
        assert!(ended.err.contains("2 | state"), "the snippet: {ended:#?}");
    }
}

#[test]
fn state_is_not_made_by_looking() {
    let stack = Stack::new(THINGS);
    for line in [
        "show",
        "show -json",
        "output",
        "output -json",
        "state list",
        "service status",
    ] {
        stack.expect(0, line);
    }
    assert!(!stack.path().join(".weir").exists());
    let missing = stack.expect(1, "state show fake_thing.base");
    assert!(
        missing.err.contains("fake_thing.base is not in state"),
        "{}",
        missing.err
    );
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let stack = Stack::new(THINGS);
    let mut child = stack
        .command("plan")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut err = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut err)
        .unwrap();
    assert_eq!((child.wait().unwrap().code(), err.as_str()), (Some(0), ""));
}

#[test]
fn version_names_the_agent_it_carries() {
    let stack = Stack::new("");
    let json: Json = serde_json::from_str(&stack.expect(0, "version -json").out).unwrap();
    assert_eq!(json["weir_version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(json["agent_sha256"].as_str().unwrap().len(), 64);
    assert!(stack.expect(0, "-version").out.starts_with("weir "));
}
