//! The errors a user meets first. Each says what, where, why and what to do next; the golden files
//! in `tests/golden/errors/` are what they read.

use std::{fs, net::TcpListener, path::Path, process::Command};
use weir_tests::{
    cli::{Run, Stack},
    golden::{self, Filters},
    lab::Lab,
};

/// Compares what a failed run said with its golden file.
fn expect(name: &str, run: Run, filters: Filters) {
    let run = run.expect_code(1);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("golden/errors/{name}.txt"));
    // The plan on standard output has golden files of its own.
    let text = format!("$ {}\n{}", run.command, run.stderr);
    golden::compare(&file, &filters.apply(&text));
}

/// A pod on this machine with this body.
fn local(pod: &str) -> Stack {
    let stack = Stack::new();
    let text = format!(
        r#"stack "errors" {{}}

site "here" {{
  host "me" {{ connection = "local" }}
}}

cluster "main" {{
  pool "base" {{ site = site.here }}
}}

service "web" {{
  cluster = cluster.main
  pod "app" {{
    count = 1
{pod}
  }}
}}
"#
    );
    stack.file("stack.hcl", &text);
    stack
}

/// Takes away what a failed apply left on this machine.
fn clean(stack: &Stack) {
    stack.weir(&["destroy", "-auto-approve"]).expect_success();
}

#[test]
fn a_port_that_is_taken() {
    let holder = TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port");
    let port = holder.local_addr().expect("it is bound").port();
    let stack = local(&format!(
        r#"    resources {{
      port "http" {{ number = {port} }}
    }}
    task "server" {{ run = "exec sleep 1000" }}"#
    ));
    let filters = stack
        .filters()
        .literal(&port.to_string(), "PORT")
        .pattern(r"taken by \S+ \(pid \d+\)", "taken by HOLDER (pid N)");
    expect(
        "port-taken",
        stack.weir(&["apply", "-auto-approve"]),
        filters,
    );
    clean(&stack);
}

#[test]
fn a_template_with_an_undefined_name() {
    let stack = local(
        r#"    file "page.html" {
      template = "page.html.j2"
      vars     = { title = "Hello" }
    }
    task "server" { run = "exec sleep 1000" }"#,
    );
    stack.file(
        "templates/page.html.j2",
        "<h1>{{ title }}</h1>\n<p>{{ mesage }}</p>\n",
    );
    let filters = stack.filters();
    expect("template-undefined", stack.weir(&["plan"]), filters);
}

#[test]
fn an_artifact_with_another_sha256() {
    let stack = local(
        r#"    artifact "tool" {
      path   = "tool.sh"
      sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
    }
    task "server" { run = "exec sleep 1000" }"#,
    );
    stack.file("tool.sh", "#!/bin/sh\necho hello\n");
    let filters = Filters::none()
        .pattern("0{64}", "[ASKED]")
        .pattern("[0-9a-f]{64}", "[FOUND]")
        .then(stack.filters());
    expect(
        "bad-sha256",
        stack.weir(&["apply", "-auto-approve"]),
        filters,
    );
    clean(&stack);
}

#[test]
fn a_module_input_of_the_wrong_type() {
    let stack = Stack::new();
    stack.file(
        "stack.hcl",
        "module \"page\" {\n  source = \"./page\"\n  ports  = \"http\"\n}\n",
    );
    stack.file(
        "page/main.hcl",
        "variable \"ports\" {\n  type = list(number)\n}\n",
    );
    let filters = stack.filters();
    expect("module-input-type", stack.weir(&["plan"]), filters);
}

#[test]
fn what_goes_wrong_with_hosts() {
    let Some(lab) = Lab::up(2) else { return };
    let one = ["onprem1"];
    let rest = r#"
cluster "main" {
  pool "base" { site = site.lab }
}

service "web" {
  cluster = cluster.main
  pod "app" {
    count    = 1
    packages = ["no-such-package"]
    task "server" { run = "exec sleep 1000" }
  }
}
"#;
    let apply = ["apply", "-auto-approve"];

    // Another machine's key stands in the stack.
    let stack = Stack::new();
    let site = lab
        .site("lab", &one)
        .replace(&lab.host_key("onprem1"), &lab.host_key("onprem2"));
    stack.file("stack.hcl", &(site + rest));
    let filters = stack
        .filters()
        .then(lab.filters())
        .pattern("SHA256:[A-Za-z0-9+/]+", "SHA256:...");
    expect("wrong-host-key", stack.weir(&apply), filters);

    // A key that nobody admits.
    let stack = Stack::new();
    let key = stack.path().join("other_key");
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(&key)
        .status();
    assert!(made.expect("ssh-keygen is there").success());
    let site = lab.site("lab", &one).replace(
        lab.key().to_str().expect("a plain path"),
        key.to_str().expect("a plain path"),
    );
    stack.file("stack.hcl", &(site + rest));
    let filters = stack
        .filters()
        .then(lab.filters())
        .pattern("SHA256:[A-Za-z0-9+/]+", "SHA256:...");
    expect("no-access", stack.weir(&apply), filters);

    // A package that is in no source.
    let stack = Stack::new();
    stack.file("stack.hcl", &(lab.site("lab", &one) + rest));
    let filters = stack.filters().then(lab.filters());
    expect("no-such-package", stack.weir(&apply), filters);

    // A host that is down.
    lab.stop("onprem1");
    let filters = stack.filters().then(lab.filters());
    expect("host-down", stack.weir(&apply), filters);
    assert!(fs::metadata(stack.path().join("stack.hcl")).is_ok());
}
