//! Stacks whose state is in a bucket: on servers that the tests start.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "helpers of tests")]

mod common;

use common::{Stack, THINGS, ended, kill};
use std::sync::{Arc, Mutex, Weak};
use weir_state::conformance::Bucket;

/// A server for all tests of this program, or a loud word; it goes with the last of them.
fn bucket() -> Option<Arc<Bucket>> {
    static BUCKET: Mutex<Weak<Bucket>> = Mutex::new(Weak::new());
    let mut shared = BUCKET.lock().unwrap();
    if let Some(bucket) = shared.upgrade() {
        return Some(bucket);
    }
    match Bucket::start() {
        Ok(bucket) => {
            let bucket = Arc::new(bucket);
            *shared = Arc::downgrade(&bucket);
            Some(bucket)
        }
        Err(why) => {
            eprintln!("SKIPPED, nothing of S3 is tested: {why}");
            assert!(
                std::env::var_os("WEIR_TEST_S3").is_none(),
                "WEIR_TEST_S3 is set, so it must be: {why}"
            );
            None
        }
    }
}

/// The settings of a key in the bucket.
fn settings(bucket: &Bucket, key: &str) -> String {
    format!(
        "bucket     = \"{}\"\n  key        = \"{key}\"\n  endpoints  = {{ s3 = \"{}\" }}\n  \
         access_key = \"weir\"\n  secret_key = \"Sesame-1\"\n",
        Bucket::NAME,
        bucket.endpoint()
    )
}

/// [`THINGS`] with its state there.
fn stack(bucket: &Bucket, key: &str) -> Stack {
    let state = settings(bucket, key);
    Stack::new(&THINGS.replace(
        "stack \"things\" {}",
        &format!("stack \"things\" {{\n  state \"s3\" {{\n  {state}  }}\n}}"),
    ))
}

fn keys(bucket: &Bucket, prefix: &str) -> Vec<String> {
    let path = format!("/weir?list-type=2&prefix={prefix}");
    let (_, text) = bucket.ask("GET", &path, b"").unwrap();
    let keys = text.split("<Key>").skip(1);
    keys.filter_map(|k| Some(k.split_once("</Key>")?.0.to_owned()))
        .collect()
}

#[test]
fn state_in_a_bucket_goes_all_the_way() {
    let Some(bucket) = bucket() else { return };
    let stack = stack(&bucket, "way/things");
    assert_eq!(stack.expect(0, "state list").out, "");
    assert_eq!(keys(&bucket, "way"), [""; 0], "nothing is made by looking");
    let made = stack.expect(0, "init");
    let place = "was made in s3://weir/way/things.weir";
    assert!(made.err.contains(place), "{made:#?}");
    assert!(stack.expect(0, "init").err.contains("was found in"));
    stack.expect(0, "apply -auto-approve");
    assert_eq!(stack.log("Created"), 3);
    stack.expect(0, "plan -detailed-exitcode");
    stack.expect(0, "apply -auto-approve -var size=2");
    stack.expect(0, "workspace new prod");
    stack.expect(0, "plan");
    assert_eq!(
        keys(&bucket, "env%3A/prod/way"),
        ["env:/prod/way/things.weir"]
    );
    stack.expect(0, "workspace select default");
    stack.expect(0, "workspace delete prod");
    assert_eq!(keys(&bucket, "env%3A/prod/way"), [""; 0]);
    stack.expect(0, "state rm fake_thing.web[1]");
    stack.expect(2, "plan -detailed-exitcode -var size=2");
    assert!(!stack.path().join(".weir/state.db").exists());
}

/// The argument that is not one is shown where it is; a key is not.
#[test]
fn settings_that_are_wrong_are_shown() {
    let Some(bucket) = bucket() else { return };
    let with = |text: &str| {
        let stack = Stack::new(&format!(
            "terraform {{\n  backend \"s3\" {{\n    bucket = \"weir\"\n    key = \"wrong\"\n    region = \"us-east-1\"\n    endpoint = \"{}\"\n    {text}\n  }}\n}}\n",
            bucket.endpoint()
        ));
        stack.expect(1, "validate").err
    };
    for (text, words) in [
        ("lock = true", "has no setting `lock`"),
        (
            "sse_customer_key = \"x\"",
            "has no setting `sse_customer_key`",
        ),
        (
            "encrypt = \"often\"",
            "encrypt of the state must be true or false",
        ),
        (
            "endpoints = { s3x = \"http://h\" }",
            "endpoints of the state has no `s3x`",
        ),
        ("assume_role = { session_name = \"x\" }", "has no role_arn"),
        ("shared_config_files = [\"a\", \"b\"]", "must be one file"),
        ("secret_key = \"Sesame-1\"", "there is only one"),
    ] {
        let told = with(text);
        assert!(told.contains(words), "{told}");
        assert!(!told.contains("Sesame"), "{told}");
        if !text.contains("Sesame") {
            assert!(told.contains("backend \"s3\""), "the line is shown: {told}");
        }
    }
}

/// Terraform's backend, as it is written, with what Terraform has there.
#[test]
fn terraforms_backend_is_taken_with_its_state() {
    let Some(bucket) = bucket() else { return };
    let stack = Stack::new(&format!(
        "terraform {{\n  backend \"s3\" {{\n  {}  encrypt = true\n  use_lockfile = true\n  dynamodb_table = \"locks\"\n  skip_credentials_validation = true\n  skip_region_validation = true\n  force_path_style = true\n  }}\n}}\n\
         resource \"terraform_data\" \"a\" {{\n  input = \"x\"\n}}\n",
        settings(&bucket, "theirs/terraform.tfstate")
    ));
    let theirs = r#"{"version": 4, "terraform_version": "1.11.4", "serial": 3,
      "lineage": "11111111-2222-3333-4444-555555555555", "outputs": {}, "resources": [
      {"mode": "managed", "type": "terraform_data", "name": "a",
       "provider": "provider[\"terraform.io/builtin/terraform\"]", "instances": [
       {"schema_version": 0, "attributes": {"id": "the-id", "input": {"value": "x", "type": "string"},
        "output": {"value": "x", "type": "string"}, "triggers_replace": null}, "sensitive_attributes": []}]}],
      "check_results": null}"#;
    let path = "/weir/theirs/terraform.tfstate";
    bucket.ask("PUT", path, theirs.as_bytes()).unwrap();
    let refused = stack.expect(1, "init");
    assert!(refused.err.contains("weir state import"), "{refused:#?}");
    stack.expect(0, "state import");
    stack.expect(0, "plan -detailed-exitcode");
    assert!(
        stack
            .expect(0, "state show terraform_data.a")
            .out
            .contains("the-id")
    );
    assert_eq!(bucket.ask("GET", path, b"").unwrap().1, theirs);
    assert_eq!(keys(&bucket, "theirs").len(), 2);
}

/// From a file into the bucket, and from the bucket into a file.
#[test]
fn state_moves_into_a_bucket_and_out() {
    let Some(bucket) = bucket() else { return };
    let stack = Stack::new(THINGS);
    stack.expect(0, "apply -auto-approve");
    let with = format!(
        "stack \"things\" {{\n  state \"s3\" {{\n  {}  }}\n}}",
        settings(&bucket, "moved")
    );
    stack.write("main.hcl", &THINGS.replace("stack \"things\" {}", &with));
    let moved = stack.expect(0, "state migrate -from .weir/state.db");
    assert!(
        moved.err.contains("s3://weir/moved.weir") || moved.out.contains("s3://weir/moved.weir"),
        "{moved:#?}"
    );
    stack.expect(0, "plan -detailed-exitcode");
    stack.expect(0, "apply -auto-approve -var size=2");
    let there = "stack \"things\" {\n  state \"sqlite\" { path = \"back.db\" }\n}";
    stack.write("main.hcl", &THINGS.replace("stack \"things\" {}", there));
    let line = format!(
        "state migrate -from s3://weir/moved?endpoint={}",
        bucket.endpoint()
    );
    let mut command = stack.command(&line);
    command
        .env("AWS_ACCESS_KEY_ID", "weir")
        .env("AWS_SECRET_ACCESS_KEY", "Sesame-1");
    let back = ended(command.output().unwrap());
    assert_eq!(back.code, Some(0), "{back:#?}");
    stack.expect(0, "plan -detailed-exitcode -var size=2");
    assert_eq!(stack.log("Created"), 3);
}

/// weir is killed in the middle of applies: nothing is lost, nothing is made twice.
#[test]
fn kills_of_weir_lose_nothing() {
    let Some(bucket) = bucket() else { return };
    let stack = stack(&bucket, "kills");
    let text = stack.read("main.hcl");
    stack.expect(0, "init");
    for made in [10, 20, 30] {
        stack.write(
            "main.hcl",
            &text.replace("count = 2", &format!("count = {made}")),
        );
        let before = stack.log("Created");
        let mut apply = stack.spawn("apply -auto-approve -var latency=100 -parallelism=4");
        stack.until("Created", before + 2);
        kill(&apply, "-KILL");
        apply.wait().unwrap();
        stack.expect(0, "apply -auto-approve");
        stack.expect(0, "plan -detailed-exitcode");
        assert_eq!(stack.log("Created"), made + 1, "nothing is made twice");
        assert_eq!(stack.expect(0, "state list").out.lines().count(), made + 1);
    }
}
