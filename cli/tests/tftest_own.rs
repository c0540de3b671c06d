//! `weir test` where Terraform has no answer of its own: weir's providers, what is left over,
//! interrupts, fetched modules, what is said of broken files.

#![allow(clippy::unwrap_used)] // helpers of tests

mod common;

use common::{Stack, ended, json_lines, kill};
use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    path::Path,
    process::Command,
};

const REAL: &str = r#"
variable "faults" { default = 0 }
variable "latency" { default = 0 }
provider "fake" {
  path       = "${path.root}/cloud"
  latency_ms = var.latency
  faults {
    delete_error_rate = var.faults
  }
}
data "fake_lookup" "l" { name = "base" }
resource "fake_thing" "a" { name = data.fake_lookup.l.id }
output "id" { value = data.fake_lookup.l.id }
"#;

const OVERRIDDEN: &str = r#"
override_data {
  target = data.fake_lookup.l
  values = { id = "over" }
}
"#;

#[test]
fn data_sources_and_ephemeral_resources_are_mocked() {
    let stack = Stack::new(&format!(
        "{REAL}ephemeral \"fake_token\" \"t\" {{ name = \"refused\" }}\ncheck \"lent\" {{\n  assert {{\n    condition = length(ephemeral.fake_token.t.token) == 8\n    error_message = \"not mocked\"\n  }}\n}}\n"
    ));
    fs::create_dir_all(stack.path().join("mocks")).unwrap();
    stack.write(
        "mocks/lookups.tfmock.hcl",
        "mock_data \"fake_lookup\" {\n  defaults = { id = \"found\", size = 7 }\n}\n",
    );
    stack.write(
        "main.tftest.hcl",
        r#"
mock_provider "fake" {
  source = "./mocks"
}
run "mocked" {
  assert {
    condition     = data.fake_lookup.l.size == 7 && fake_thing.a.name == "found"
    error_message = fake_thing.a.name
  }
  assert {
    condition     = length(data.fake_lookup.l.endpoint) == 8
    error_message = "made up"
  }
}
run "of_a_run" {
  override_data {
    target = data.fake_lookup.l
    values = { id = "run" }
  }
  assert {
    condition     = fake_thing.a.name == "run" && output.id == "run"
    error_message = fake_thing.a.name
  }
}
"#,
    );
    let said = stack.expect(0, "test");
    assert!(said.out.contains("2 passed, 0 failed"), "{}", said.out);
    assert!(
        !stack.path().join("cloud").exists(),
        "a mock is never called"
    );
}

#[test]
fn an_overridden_data_source_of_a_real_provider() {
    let stack = Stack::new(REAL);
    let run = "run \"real\" {\n  assert {\n    condition     = fake_thing.a.name == \"over\"\n    error_message = fake_thing.a.name\n  }\n}\n";
    stack.write("main.tftest.hcl", &format!("{OVERRIDDEN}{run}"));
    let said = stack.expect(0, "test -verbose");
    assert!(said.out.contains("fake_thing.a"), "{}", said.out);
    assert_eq!((stack.log("Created"), stack.log("Deleted")), (1, 1));
}

#[test]
fn what_cannot_be_destroyed_is_named() {
    let stack = Stack::new(REAL);
    let run = "run \"real\" {\n  variables { faults = 100 }\n}\n";
    stack.write("main.tftest.hcl", &format!("{OVERRIDDEN}{run}"));
    let said = stack.expect(1, "test");
    assert!(said.out.contains("run \"real\"... pass"), "{}", said.out);
    assert!(said.err.contains("  - fake_thing.a"), "{}", said.err);
    let said = stack.expect(1, "test -json");
    let lines = json_lines(&said.out);
    let cleanup = lines.iter().find(|l| l["type"] == "test_cleanup").unwrap();
    let left = &cleanup["test_cleanup"]["failed_resources"];
    assert_eq!(left[0]["instance"], "fake_thing.a", "{cleanup}");
}

#[test]
fn interrupted_it_destroys_what_it_made() {
    let stack = Stack::new(REAL);
    // The interrupt comes before the second run or in the middle of it, never in the last.
    let runs = "variables { latency = 1000 }\nrun \"one\" {}\nrun \"two\" {\n  command = plan\n}\nrun \"last\" {}\n";
    stack.write("main.tftest.hcl", &format!("{OVERRIDDEN}{runs}"));
    fs::create_dir(stack.path().join("tests")).unwrap();
    stack.write("tests/other.tftest.hcl", "run \"three\" {}\n");
    let child = stack.spawn("test -junit-xml=report.xml");
    stack.until("Created", 1);
    kill(&child, "-INT");
    let said = ended(child.wait_with_output().unwrap());
    assert_eq!(said.code, Some(1), "{said:#?}");
    for line in ["run \"last\"... skip", "run \"three\"... skip"] {
        assert!(said.out.contains(line), "{said:#?}");
    }
    assert_eq!((stack.log("Created"), stack.log("Deleted")), (1, 1));
    let report = stack.read("report.xml");
    roxmltree::Document::parse(&report).unwrap();
    assert!(report.contains("skipped due to an interrupt"), "{report}");
}

/// The second interrupt ends it at once, and says what is left.
#[test]
fn interrupted_twice_it_leaves_what_it_made() {
    let stack = Stack::new(REAL);
    let runs = "run \"one\" {}\nrun \"two\" {\n  variables { latency = 600000 }\n}\n";
    stack.write("main.tftest.hcl", &format!("{OVERRIDDEN}{runs}"));
    let mut child = stack.spawn("test");
    let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut err = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(out.any(|l| l.unwrap().contains("run \"one\"... pass")));
    // The first waits for the end of the second run, which is ten minutes away.
    kill(&child, "-INT");
    assert!(err.any(|l| l.unwrap().contains("Interrupt once more")));
    kill(&child, "-INT");
    let said: Vec<String> = err.map(Result::unwrap).collect();
    let said = said.join("\n");
    assert_eq!(child.wait().unwrap().code(), Some(1), "{said}");
    assert!(said.contains("Interrupted twice"), "{said}");
    assert!(said.contains("  - fake_thing.a"), "{said}");
    assert_eq!(stack.log("Deleted"), 0);
}

#[test]
fn a_report_is_xml_whatever_a_message_says() {
    let stack = Stack::new("output \"o\" { value = 1 }\n");
    stack.write(
        "main.tftest.hcl",
        r#"
run "a<b>&\"c\"" {
  assert {
    condition     = output.o == 2
    error_message = "]]> \"quoted\" <tag> & \u0001\n\ttwo lines"
  }
}
"#,
    );
    stack.expect(1, "test -junit-xml=report.xml");
    let report = stack.read("report.xml");
    let document = roxmltree::Document::parse(&report).unwrap();
    let failure = document.descendants().find(|n| n.has_tag_name("failure"));
    let failure = failure.unwrap();
    let message = failure.attribute("message").unwrap();
    assert_eq!(
        message,
        "1 of 1 assertions failed: ]]> \"quoted\" <tag> & \n\ttwo lines"
    );
    assert!(failure.text().unwrap().contains("]]>"), "{report}");
}

#[test]
fn what_an_expected_failure_keeps_from_being_planned_is_unknown() {
    let stack = Stack::new(
        r#"
variable "n" {
  default = 1
  validation {
    condition     = var.n < 5
    error_message = "too much"
  }
}
resource "terraform_data" "a" {
  input = var.n
  lifecycle {
    precondition {
      condition     = var.n < 3
      error_message = "too much"
    }
  }
}
resource "terraform_data" "after" { input = terraform_data.a.input }
"#,
    );
    for (n, block) in [(3, "terraform_data.a"), (6, "var.n")] {
        let text = format!(
            "run \"it\" {{\n  command = plan\n  variables {{ n = {n} }}\n  expect_failures = [{block}]\n  assert {{\n    condition     = terraform_data.after.input == {n}\n    error_message = \"no\"\n  }}\n}}\n"
        );
        stack.write("main.tftest.hcl", &text);
        let said = stack.expect(1, "test");
        let text = format!("{}{}", said.out, said.err);
        assert!(text.contains("Unknown condition value"), "{text}");
        assert_eq!(text.matches("Error: ").count(), 1, "{text}");
    }
}

fn git(folder: &Path, args: &[&str]) {
    let status = Command::new("git")
        .args(["-c", "user.name=ann", "-c", "user.email=ann@example.org"])
        .args(args)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .status()
        .unwrap();
    assert!(status.success(), "git {args:?}");
}

#[test]
fn modules_of_runs_are_fetched() {
    let stack = Stack::new("output \"o\" { value = 1 }\n");
    let root = stack.path().parent().unwrap().join("repositories");
    let (setup, leaf) = (root.join("setup"), root.join("leaf"));
    for folder in [&setup, &leaf] {
        fs::create_dir_all(folder).unwrap();
    }
    fs::write(
        leaf.join("main.tf"),
        "output \"leaf\" { value = \"leaf\" }\n",
    )
    .unwrap();
    let leaf_source = format!("git::file://{}", leaf.display());
    let calls_leaf = format!(
        "module \"leaf\" {{ source = \"{leaf_source}\" }}\noutput \"leaf\" {{ value = module.leaf.leaf }}\n"
    );
    fs::write(setup.join("main.tf"), &calls_leaf).unwrap();
    for folder in [&setup, &leaf] {
        git(folder, &["init", "-q", "-b", "main"]);
        git(folder, &["add", "-A"]);
        git(folder, &["commit", "-qm", "one"]);
    }
    for folder in ["tests", "local"] {
        fs::create_dir(stack.path().join(folder)).unwrap();
    }
    stack.write("local/main.tf", &calls_leaf);
    let asserts = "  assert {\n    condition     = output.leaf == \"leaf\"\n    error_message = \"no\"\n  }\n";
    let run = |name: &str, source: &str| {
        format!("run \"{name}\" {{\n  module {{ source = \"{source}\" }}\n{asserts}}}\n")
    };
    let setup_source = format!("git::file://{}", setup.display());
    let text = run("setup", &setup_source) + &run("local", "./local");
    stack.write("tests/main.tftest.hcl", &text);
    let said = stack.expect(1, "test");
    assert!(said.err.contains("is not installed"), "{said:#?}");
    let said = stack.expect(0, "init");
    for key in ["setup", "setup.leaf", "local.leaf"] {
        let line = format!("Module test.tests.main.{key}: fetched");
        assert!(said.err.contains(&line), "{}", said.err);
    }
    let said = stack.expect(0, "test");
    assert!(said.out.contains("2 passed, 0 failed"), "{said:#?}");
    stack.write("tests/main.tftest.hcl", &run("setup", &leaf_source));
    let said = stack.expect(1, "test");
    assert!(said.err.contains("was fetched from"), "{said:#?}");
}

/// A registry on the loopback with one module in two versions; both have this package.
fn registry(package: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = BufReader::new(stream.try_clone().unwrap());
            let mut first = String::new();
            request.read_line(&mut first).unwrap();
            let mut header = String::new();
            while request.read_line(&mut header).unwrap_or(0) > 2 {
                header.clear();
            }
            let versions =
                r#"{"modules": [{"versions": [{"version": "1.2.0"}, {"version": "2.0.0"}]}]}"#;
            let (status, more, body) = match first.split(' ').nth(1).unwrap_or_default() {
                "/acme/setup/local/versions" => ("200 OK", String::new(), versions),
                "/acme/setup/local/1.2.0/download" => (
                    "204 No Content",
                    format!("X-Terraform-Get: {package}\r\n"),
                    "",
                ),
                _ => ("404 Not Found", String::new(), ""),
            };
            let length = body.len();
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\n{more}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            );
        }
    });
    url
}

#[test]
fn the_module_of_a_run_comes_from_a_registry() {
    let stack = Stack::new("output \"o\" { value = 1 }\n");
    let package = stack.path().parent().unwrap().join("package");
    fs::create_dir_all(&package).unwrap();
    let module = "variable \"n\" {}\noutput \"twice\" { value = 2 * var.n }\n";
    fs::write(package.join("main.tf"), module).unwrap();
    git(&package, &["init", "-q", "-b", "main"]);
    git(&package, &["add", "-A"]);
    git(&package, &["commit", "-qm", "one"]);
    let url = registry(format!("git::file://{}", package.display()));
    let services = format!("services = {{ \"modules.v1\" = \"{url}\" }}");
    let hosts = format!("host \"registry.example.com\" {{\n  {services}\n}}\n");
    stack.write("terraform.rc", &hosts);
    let run = r#"run "set_up" {
  variables { n = 21 }
  module {
    source  = "registry.example.com/acme/setup/local"
    version = "~> 1.0"
  }
  assert {
    condition     = output.twice == 42
    error_message = "It is ${output.twice}."
  }
}
"#;
    stack.write("main.tftest.hcl", run);
    let weir = |line: &str| {
        let mut command = stack.command(line);
        command.env("TF_CLI_CONFIG_FILE", stack.path().join("terraform.rc"));
        ended(command.output().unwrap())
    };
    let said = weir("test");
    assert!(said.err.contains("is not installed"), "{said:#?}");
    let said = weir("init");
    assert_eq!(said.code, Some(0), "{said:#?}");
    assert!(said.err.contains("1.2.0"), "{said:#?}");
    let said = weir("test");
    assert!(said.out.contains("1 passed, 0 failed"), "{said:#?}");
    // Another version is another module.
    stack.write("main.tftest.hcl", &run.replace("~> 1.0", "~> 2.0"));
    let said = weir("test");
    assert!(
        said.err.contains("Another `version` of it is installed"),
        "{said:#?}"
    );
}

#[test]
fn a_filter_that_names_nothing_is_said() {
    let stack = Stack::new("output \"o\" { value = 1 }\n");
    stack.write("main.tftest.hcl", "run \"a\" {}\n");
    let said = stack.expect(1, "test -filter=main.tftest");
    assert!(said.err.contains("Unknown test file"), "{}", said.err);
}

const BROKEN: [(&str, &str); 5] = [
    (
        "main.tftest.hcl",
        r#"variable {
  name = "x"
}
run "first" {
  comand = plan
  varables { name = "x" }
  plan_options { mode = refresh }
  assert {
    conditon      = true
    error_message = "x"
  }
  module { surce = "./x" }
  expect_failures = [local.x, var.name.part]
}
run "first" {}
mock_providr "x" {}
override_resource {
  targt = terraform_data.a
}
override_data {
  target = terraform_data.a
}
"#,
    ),
    (
        "main.tftest.hcl",
        "run \"first\" {}\nrun \"second\" {\n  variables { name = run.frist.x }\n}\n",
    ),
    (
        "main.tftest.hcl",
        "run \"first\" {\n  variables { name = run.second.x }\n}\nrun \"second\" {}\n",
    ),
    (
        "main.tftest.hcl",
        "variables { name = \"x\" }\nrun \"first\" {\n  variables { name = var.nmae }\n}\n",
    ),
    (
        "main.tftest.json",
        r#"{
  "run": {
    "first": {
      "comand": "plan",
      "plan_options": {"target": "terraform_data.a", "replace": ["var.x"]},
      "assert": {"condition": "no reference", "error_message": "x"},
      "expect_failures": ["local.x"]
    }
  },
  "mock_providr": {}
}
"#,
    ),
];

#[test]
fn what_is_said_of_broken_files() {
    let stack = Stack::new("variable \"name\" { default = 1 }\n");
    let mut text = String::new();
    for (name, content) in BROKEN {
        stack.write(name, content);
        let said = stack.expect(1, "test");
        text += &format!("{}\n----\n", said.err);
        fs::remove_file(stack.path().join(name)).unwrap();
    }
    insta::assert_snapshot!(text);
}
