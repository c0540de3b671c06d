//! Whole states in and out in Terraform's format: `state import`, `state push`, `state pull`.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "helpers of tests")]

mod common;

use common::{Stack, THINGS};
use serde_json::{Value as Json, json};
use std::{
    io::Read as _,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// The state of `tfstate/stack`, 212 resources of Terraform's own aws provider. Written anew by
/// `WEIR_TF_PLUGINS=FOLDER WEIR_REGENERATE=1 cargo test -p weir-cli --test state_whole real`, with
/// `terraform` and `moto_server` on the PATH and the provider in the folder, as in a mirror.
const AWS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tfstate/aws.tfstate.gz");

fn aws() -> String {
    let mut text = String::new();
    let file = std::fs::File::open(AWS).unwrap();
    flate2::read::GzDecoder::new(file)
        .read_to_string(&mut text)
        .unwrap();
    text
}

fn json(text: &str) -> Json {
    serde_json::from_str(text).unwrap()
}

fn pulled(stack: &Stack) -> Json {
    json(&stack.expect(0, "state pull").out)
}

/// A stack of one value, and no provider but the built-in one.
const SMALL: &str = "resource \"terraform_data\" \"a\" {\n  input = \"x\"\n}\n";

#[test]
fn a_state_of_strangers_is_kept_whole() {
    let stack = Stack::new(SMALL);
    let text = aws();
    stack.write("terraform.tfstate", &text);
    let run = stack.expect(0, "state import -dry-run terraform.tfstate");
    assert!(
        run.out
            .starts_with("Would import 212 resource instances, 1 data source, 3 outputs (lineage"),
        "{run:#?}"
    );
    stack.expect(0, "state list");
    let run = stack.expect(0, "state import terraform.tfstate");
    assert!(run.out.ends_with("State is at serial 213.\n"), "{run:#?}");
    assert!(
        run.err
            .contains("Provider \"aws\" is not part of this weir: 212 objects"),
        "{run:#?}"
    );
    assert_eq!(pulled(&stack), json(&text), "what came goes back");
    // Once more is nothing new.
    let run = stack.expect(0, "state import terraform.tfstate");
    assert!(run.out.starts_with("State has all of it already"));
    assert_eq!(stack.expect(0, "state list").out.lines().count(), 213);
    let shown = stack.expect(0, "state show aws_ssm_parameter.p[1]").out;
    assert!(
        shown.contains("value           = (sensitive value)"),
        "{shown}"
    );
    let shown = stack
        .expect(0, "state show -json aws_sqs_queue.q[\"q-7\"]")
        .out;
    assert!(shown.contains("\"q-7\""), "{shown}");
    // What is behind an object is known before any apply, and an import beside it takes nothing away.
    let behind = |stack: &Stack| {
        let shown = json(&stack.expect(0, "show -json").out);
        let rows = shown["values"]["root_module"]["resources"].clone();
        let rows = rows.as_array().unwrap().iter();
        let policy = rows.clone().find(|r| r["type"] == "aws_iam_role_policy");
        policy.unwrap()["depends_on"].clone()
    };
    let listed = behind(&stack);
    assert!(
        listed
            .as_array()
            .unwrap()
            .contains(&json!("aws_iam_role.r")),
        "{listed}"
    );
    let one =
        json!([{ "schema_version": 0, "attributes": { "id": "i-1" }, "sensitive_attributes": [] }]);
    stack.write("one.json", &file("l-1", &one));
    stack.expect(0, "state import one.json");
    assert_eq!(behind(&stack), listed);
    stack.expect(0, "state rm acme_thing.a");
    // They can be moved, and what depends on them follows.
    stack.expect(0, "state mv aws_iam_role.r aws_iam_role.app");
    let state = pulled(&stack);
    let blocks = state["resources"].as_array().unwrap();
    let policy = blocks.iter().find(|b| b["type"] == "aws_iam_role_policy");
    let on = &policy.unwrap()["instances"][0]["dependencies"];
    assert!(
        on.as_array().unwrap().contains(&json!("aws_iam_role.app")),
        "{on}"
    );
    // A plan says whose provider is missing, once for each of its configurations, and changes nothing.
    let run = stack.expect(1, "plan");
    assert!(run.err.contains("aws"), "{run:#?}");
    assert_eq!(
        run.err.matches("Provider \"aws\" is not at hand").count(),
        2,
        "{run:#?}"
    );
    assert_eq!(pulled(&stack), state);
}

#[test]
fn a_state_moves_back_and_forth() {
    let stack = Stack::new(THINGS);
    stack.expect(0, "apply -auto-approve");
    let first = pulled(&stack);
    stack.write("first.json", &first.to_string());
    let run = stack.expect(0, "state push first.json");
    assert_eq!(run.out, "The state is that of the file already.\n");
    // Into a place where there is nothing: the lineage and the serial come along.
    let other = Stack::new(THINGS);
    other.write("first.json", &first.to_string());
    std::fs::copy(stack.path().join("cloud"), other.path().join("cloud")).unwrap();
    other.expect(0, "state import first.json");
    assert_eq!(pulled(&other), first);
    other.expect(0, "plan -detailed-exitcode");
    // An edited file needs a serial that is newer.
    let mut edited = first.clone();
    edited["outputs"]["endpoint"]["value"] = json!("elsewhere");
    stack.write("edited.json", &edited.to_string());
    let run = stack.expect(1, "state push edited.json");
    assert!(run.err.contains("not the same"), "{run:#?}");
    let serial = first["serial"].as_u64().unwrap();
    edited["serial"] = json!(serial + 5);
    stack.write("edited.json", &edited.to_string());
    let run = stack.expect(0, "state push edited.json");
    assert!(
        run.out.contains(&format!("serial {}", serial + 5)),
        "{run:#?}"
    );
    let run = stack.expect(1, "state push first.json");
    assert!(run.err.contains("it is older"), "{run:#?}");
    // By force: the content is the older one's, the serial rises.
    let run = stack.expect(0, "state push -force first.json");
    assert!(
        run.out.contains(&format!("serial {}", serial + 6)),
        "{run:#?}"
    );
    assert_eq!(pulled(&stack)["resources"], first["resources"]);
    // Of another lineage.
    let mut strange = first.clone();
    strange["lineage"] = json!("11111111-2222-3333-4444-555555555555");
    strange["serial"] = json!(1000);
    stack.write("strange.json", &strange.to_string());
    let run = stack.expect(1, "state push strange.json");
    assert!(run.err.contains("another stack's"), "{run:#?}");
    stack.expect(0, "state push -force strange.json");
    assert_eq!(
        pulled(&stack)["lineage"],
        first["lineage"],
        "it keeps its own"
    );
    stack.expect(0, "plan -detailed-exitcode");
}

/// A state file with these instances of `acme_thing.a`.
fn file(lineage: &str, instances: &Json) -> String {
    json!({
        "version": 4,
        "terraform_version": "1.11.4",
        "serial": 7,
        "lineage": lineage,
        "outputs": {},
        "resources": [{
            "mode": "managed",
            "type": "acme_thing",
            "name": "a",
            "provider": "provider[\"example.com/corp/acme\"]",
            "instances": instances,
        }],
        "check_results": null,
    })
    .to_string()
}

#[test]
fn what_is_there_is_not_replaced_unasked() {
    let stack = Stack::new(SMALL);
    stack.expect(0, "apply -auto-approve");
    let one = |id: &str| json!([{ "schema_version": 0, "attributes": { "id": id }, "sensitive_attributes": [] }]);
    stack.write("one.json", &file("l-1", &one("i-1")));
    stack.write("two.json", &file("l-2", &one("i-2")));
    let lineage = pulled(&stack)["lineage"].clone();
    stack.expect(0, "state import one.json");
    assert_eq!(
        stack.expect(0, "state list").out,
        "acme_thing.a\nterraform_data.a\n"
    );
    assert_eq!(pulled(&stack)["lineage"], lineage, "it has one already");
    let before = pulled(&stack);
    let run = stack.expect(1, "state import two.json");
    assert!(run.err.contains("State has acme_thing.a"), "{run:#?}");
    assert_eq!(pulled(&stack), before);
    stack.expect(0, "state import -force two.json");
    let shown = stack.expect(0, "state show acme_thing.a").out;
    assert!(shown.contains("i-2"), "{shown}");
    let bad = json!([{ "schema_version": 0, "attributes": { "id": "i-3" }, "index_key": 0 },
                     { "schema_version": 0, "attributes_flat": { "id": "i-4" }, "index_key": 1 }]);
    stack.write("bad.json", &file("l-3", &bad));
    let before = pulled(&stack);
    let run = stack.expect(1, "state import bad.json");
    assert!(run.err.contains("0.11"), "{run:#?}");
    assert_eq!(pulled(&stack), before, "none of it came");
}

#[test]
fn what_was_put_aside_comes_and_goes() {
    let stack = Stack::new(SMALL);
    let rows = json!([
        { "schema_version": 0, "attributes": { "id": "new" }, "sensitive_attributes": [], "create_before_destroy": true },
        { "schema_version": 0, "attributes": { "id": "old" }, "sensitive_attributes": [], "deposed": "0a1b2c3d", "status": "tainted" },
    ]);
    let text = file("l-1", &rows);
    stack.write("s.json", &text);
    let run = stack.expect(0, "state import s.json");
    assert!(run.out.contains("1 deposed object"), "{run:#?}");
    assert_eq!(pulled(&stack), json(&text));
    let run = stack.expect(0, "state push s.json");
    assert_eq!(run.out, "The state is that of the file already.\n");
    // A file without it forgets it.
    let mut less = json(&text);
    less["serial"] = json!(8);
    less["resources"][0]["instances"]
        .as_array_mut()
        .unwrap()
        .pop();
    stack.write("less.json", &less.to_string());
    stack.expect(0, "state push less.json");
    assert_eq!(pulled(&stack), less);
}

/// The folder of Terraform's providers, where the live test shall run.
fn plugins() -> Option<PathBuf> {
    let has = |name: &str| Command::new(name).arg("--version").output().is_ok();
    let Some(folder) = std::env::var_os("WEIR_TF_PLUGINS").map(PathBuf::from) else {
        eprintln!("SKIPPED: WEIR_TF_PLUGINS names no folder with Terraform's aws provider");
        return None;
    };
    if !folder.join("registry.terraform.io/hashicorp/aws").exists() {
        eprintln!("SKIPPED: {} has no aws provider", folder.display());
        return None;
    }
    if let Some(name) = ["terraform", "moto_server"].into_iter().find(|n| !has(n)) {
        eprintln!("SKIPPED: {name} is not on the path");
        return None;
    }
    Some(folder)
}

/// A cloud of moto's, for as long as it lives.
struct Moto(Child, String);

impl Moto {
    fn start() -> Moto {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let child = Command::new("moto_server")
            .args(["-H", "127.0.0.1", "-p", &address.port().to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(60), "moto never came");
            std::thread::sleep(Duration::from_millis(50));
        }
        Moto(child, format!("http://{address}"))
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), target).unwrap()),
        }
    }
}

/// Terraform makes 212 resources, weir takes its state and gives it back, and Terraform finds
/// nothing to do with what it got back.
#[test]
fn a_real_state_goes_through_weir_and_terraform_has_nothing_to_do() {
    let Some(plugins) = plugins() else { return };
    let moto = Moto::start();
    let stack = Stack::new(SMALL);
    let folder = stack.path().join("terraform");
    let from = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tfstate/stack");
    copy(Path::new(from), &folder);
    let rc = stack.path().join("rc");
    let mirror = format!(
        "provider_installation {{\n  filesystem_mirror {{\n    path = {:?}\n  }}\n}}\n",
        plugins
    );
    std::fs::write(&rc, mirror).unwrap();
    let terraform = |line: &str| {
        let out = Command::new("terraform")
            .args(line.split(' '))
            .current_dir(&folder)
            .env("TF_CLI_CONFIG_FILE", &rc)
            .env("TF_VAR_endpoint", &moto.1)
            .env("CHECKPOINT_DISABLE", "1")
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(out.status.success(), "terraform {line}\n{text}\n{said}");
        text
    };
    terraform("init -input=false -no-color");
    terraform("apply -auto-approve -input=false -no-color -parallelism=40");
    let state = folder.join("terraform.tfstate");
    let made = std::fs::read_to_string(&state).unwrap();
    if std::env::var_os("WEIR_REGENERATE").is_some() {
        use std::io::Write as _;
        let file = std::fs::File::create(AWS).unwrap();
        let mut out = flate2::write::GzEncoder::new(file, flate2::Compression::best());
        out.write_all(made.as_bytes()).unwrap();
        out.finish().unwrap();
    }
    stack.expect(0, "state import terraform/terraform.tfstate");
    assert!(stack.expect(0, "state list").out.lines().count() >= 200);
    let back = stack.expect(0, "state pull").out;
    std::fs::write(&state, &back).unwrap();
    let plan = terraform("plan -detailed-exitcode -input=false -no-color");
    assert!(plan.contains("No changes."), "{plan}");
    assert_eq!(json(&back), json(&made));
    // Terraform takes it as the next of its own.
    stack.expect(0, "state rm module.west");
    let less = stack.expect(0, "state pull").out;
    std::fs::write(folder.join("less.json"), less).unwrap();
    terraform("state push less.json");
    let list = terraform("state list");
    assert!(!list.contains("module.west"), "{list}");
}
