//! Modules that are fetched, through the whole program.

#![allow(clippy::unwrap_used)] // helpers of tests

mod common;

use common::Stack;
use std::{fs, path::Path, process::Command};

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

/// A repository beside the stack: a module that calls one in a folder of its own, which calls one
/// of another package.
fn repositories(stack: &Stack) -> String {
    let root = stack.path().parent().unwrap().join("repositories");
    let (net, leaf) = (root.join("net"), root.join("leaf"));
    fs::create_dir_all(net.join("inner")).unwrap();
    fs::create_dir_all(&leaf).unwrap();
    fs::write(
        leaf.join("main.tf"),
        "output \"leaf\" { value = \"leaf\" }\n",
    )
    .unwrap();
    let source = format!("git::file://{}", leaf.display());
    fs::write(
        net.join("main.tf"),
        "variable \"leaf\" {}\nmodule \"inner\" {\n  source = \"./inner\"\n  leaf   = var.leaf\n}\nresource \"terraform_data\" \"r\" { input = module.inner.o }\noutput \"o\" { value = terraform_data.r.input }\n",
    )
    .unwrap();
    fs::write(
        net.join("inner/main.tf.json"),
        "{\"variable\": {\"leaf\": {}}, \"module\": {\"leaf\": {\"source\": \"${var.leaf}\"}}, \"output\": {\"o\": {\"value\": [\"${module.leaf.leaf}\", \"${path.module}\"]}}}",
    )
    .unwrap();
    for folder in [&net, &leaf] {
        git(folder, &["init", "-q", "-b", "main"]);
        git(folder, &["add", "-A"]);
        git(folder, &["commit", "-qm", "one"]);
        git(folder, &["tag", "v1"]);
    }
    let net = format!("git::file://{}", net.display());
    stack.write(
        "main.hcl",
        &format!(
            "variable \"tag\" {{ default = \"v1\" }}\nlocals {{ net = \"{net}?ref=${{var.tag}}\" }}\nmodule \"net\" {{\n  source = local.net\n  leaf   = \"{source}\"\n}}\noutput \"o\" {{ value = module.net.o }}\n"
        ),
    );
    net
}

#[test]
fn init_fetches_and_everything_else_says_so() {
    let stack = Stack::new("");
    let net = repositories(&stack);
    for command in ["plan", "validate", "apply -auto-approve"] {
        let said = stack.expect(1, command);
        let text = format!("{}{}", said.out, said.err);
        assert!(
            text.contains("is not installed") && text.contains("weir init"),
            "{text}"
        );
    }
    let said = stack.expect(0, "init");
    for line in ["Module net: fetched", "Module net.inner.leaf: fetched"] {
        assert!(said.err.contains(line), "{}", said.err);
    }
    let lock = stack.read("weir.lock.hcl");
    assert!(lock.contains(&format!("module \"{net}?ref=v1\"")), "{lock}");
    stack.expect(0, "plan -out=p");
    // A plan holds what it was made with.
    fs::remove_dir_all(stack.path().join(".weir/modules")).unwrap();
    stack.expect(0, "apply p");
    let out = stack.expect(0, "output -json o").out;
    assert!(
        out.contains("leaf") && out.contains(".weir/modules/net/inner"),
        "{out}"
    );
    stack.expect(1, "plan");
    stack.expect(0, "get");
    assert_eq!(stack.read("weir.lock.hcl"), lock);
    stack.expect(0, "plan -detailed-exitcode");
    // Another tag is another source.
    let said = stack.expect(1, "plan -var tag=v2").err;
    assert!(said.contains("is installed from another source"), "{said}");
    let said = stack.expect(1, "init -var tag=v2").err;
    assert!(said.contains("no branch, tag or commit `v2`"), "{said}");
    stack.expect(0, "plan -detailed-exitcode");
}

#[test]
fn what_moved_is_refused_until_it_is_taken() {
    let stack = Stack::new("");
    repositories(&stack);
    stack.expect(0, "init");
    let net = stack.path().parent().unwrap().join("repositories/net");
    fs::write(net.join("more.tf"), "output \"more\" { value = 1 }\n").unwrap();
    git(&net, &["add", "-A"]);
    git(&net, &["commit", "-qm", "two"]);
    git(&net, &["tag", "-f", "v1"]);
    fs::remove_dir_all(stack.path().join(".weir/modules")).unwrap();
    let said = stack.expect(1, "init").err;
    for text in ["main.hcl:4", "`v1` was moved", "weir init -upgrade"] {
        assert!(said.contains(text), "{said}");
    }
    stack.expect(0, "init -upgrade");
    assert_eq!(stack.read(".weir/modules/net/more.tf").lines().count(), 1);
}

#[test]
fn sources_that_can_not_be_known_are_refused() {
    let stack = Stack::new("");
    let cases = [
        (
            "module \"a\" { source = terraform_data.x.output }\nresource \"terraform_data\" \"x\" {}\n",
            "can't refer to `terraform_data.x.output`",
        ),
        (
            "variable \"s\" {\n  default   = \"./m\"\n  sensitive = true\n}\nmodule \"a\" { source = var.s }\n",
            "It is sensitive",
        ),
        (
            "locals { s = local.s }\nmodule \"a\" { source = local.s }\n",
            "refers to itself",
        ),
        (
            "module \"a\" { source = [] }\n",
            "must be text that is known",
        ),
        (
            "module \"a\" {\n  source  = \"./m\"\n  version = \"1.0\"\n}\n",
            "Only modules of a registry have versions",
        ),
        (
            "module \"a\" { source = \"s3::https://s3.amazonaws.com/b/k.zip\" }\n",
            "can't fetch from S3",
        ),
        (
            "module \"a\" { source = \"modules/net\" }\n",
            "For a local folder write `./modules/net`",
        ),
        (
            "module \"../../a\" { source = \"git::file:///x\" }\n",
            "can't be the name",
        ),
    ];
    for (text, wanted) in cases {
        stack.write("main.hcl", text);
        let said = stack.expect(1, "init").err;
        assert!(said.contains(wanted), "{text}\n{said}");
    }
}
