//! `weir fmt` on files and folders, with Terraform's flags and exit codes. What it makes of a text
//! is tested beside the formatter.

#![allow(clippy::unwrap_used)] // helpers of tests

mod common;

use common::{Stack, ended};
use std::{
    fs,
    io::Write,
    process::{Child, Stdio},
};

const UGLY: &str = "a=1\nbb  = 2\n";
const FORMATTED: &str = "a  = 1\nbb = 2\n";

fn stack() -> Stack {
    let stack = Stack::new(FORMATTED);
    fs::create_dir(stack.path().join("inner")).unwrap();
    for name in [
        "ugly.tf",
        "vars.tfvars",
        "x.tftest.hcl",
        "inner/deep.hcl",
        ".hidden.tf",
        "left.tf~",
        "data.tf.json",
        "text.txt",
    ] {
        stack.write(name, UGLY);
    }
    stack
}

fn with_input(mut child: Child, text: &str) -> common::Ended {
    child
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    ended(child.wait_with_output().unwrap())
}

fn piped(stack: &Stack, line: &str, text: &str) -> common::Ended {
    let mut command = stack.command(line);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    with_input(command.spawn().unwrap(), text)
}

#[test]
fn a_folder_is_formatted_and_what_changed_is_named() {
    let stack = stack();
    let ran = stack.expect(0, "fmt");
    assert_eq!(ran.out, "ugly.tf\nvars.tfvars\nx.tftest.hcl\n");
    assert_eq!(stack.read("ugly.tf"), FORMATTED);
    for left in [
        "inner/deep.hcl",
        ".hidden.tf",
        "left.tf~",
        "data.tf.json",
        "text.txt",
    ] {
        assert_eq!(stack.read(left), UGLY, "{left}");
    }
    assert_eq!(stack.expect(0, "fmt -recursive").out, "inner/deep.hcl\n");
    assert_eq!(stack.expect(0, "fmt -recursive").out, "");
}

#[test]
fn checking_changes_nothing_and_ends_with_three() {
    let stack = stack();
    let ran = stack.expect(3, "fmt -check -recursive");
    assert_eq!(
        ran.out,
        "inner/deep.hcl\nugly.tf\nvars.tfvars\nx.tftest.hcl\n"
    );
    assert_eq!(stack.read("ugly.tf"), UGLY);
    assert_eq!(stack.expect(3, "fmt -check -list=false").out, "");
    assert_eq!(stack.expect(0, "fmt -check main.hcl").out, "");
    let ran = stack.expect(3, "fmt -check -diff ugly.tf");
    let diff =
        "--- old/ugly.tf\n+++ new/ugly.tf\n@@ -1,2 +1,2 @@\n-a=1\n-bb  = 2\n+a  = 1\n+bb = 2\n";
    assert_eq!(ran.out, format!("ugly.tf\n{diff}"));
}

#[test]
fn flags_choose_what_is_named_written_and_shown() {
    let stack = stack();
    let ran = stack.expect(0, "fmt -write=false ugly.tf");
    assert_eq!(
        (ran.out.as_str(), stack.read("ugly.tf").as_str()),
        ("ugly.tf\n", UGLY)
    );
    let ran = stack.expect(0, "fmt -write=false -list=false ugly.tf");
    assert_eq!(
        (ran.out.as_str(), stack.read("ugly.tf").as_str()),
        (FORMATTED, UGLY)
    );
    let ran = stack.expect(0, "fmt -list=false ugly.tf");
    assert_eq!(
        (ran.out.as_str(), stack.read("ugly.tf").as_str()),
        ("", FORMATTED)
    );
}

#[test]
fn stdin_goes_to_stdout() {
    let stack = stack();
    let ran = piped(&stack, "fmt -", UGLY);
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), FORMATTED));
    let ran = piped(&stack, "fmt -check -", UGLY);
    assert_eq!((ran.code, ran.out.as_str()), (Some(3), ""));
    let ran = piped(&stack, "fmt -check -", FORMATTED);
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), ""));
    let ran = piped(&stack, "fmt -diff -", UGLY);
    assert!(ran.out.starts_with("--- old/<stdin>\n"), "{}", ran.out);
    let ran = piped(&stack, "fmt -", "a = \n");
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""));
    assert!(ran.err.contains("<stdin>:1:5"), "{}", ran.err);
}

#[test]
fn an_error_in_one_file_does_not_stop_the_others() {
    let stack = stack();
    stack.write("broken.tf", "a=1\nb = \nc = ]\n");
    let ran = stack.expect(2, "fmt broken.tf nowhere.tf text.txt ugly.tf");
    assert_eq!(ran.out, "ugly.tf\n");
    assert_eq!(stack.read("broken.tf"), "a=1\nb = \nc = ]\n");
    for said in [
        "broken.tf:2:5",
        "broken.tf:3:5",
        "nowhere.tf can't be read",
        "text.txt is not a configuration file",
        "4 errors.",
    ] {
        assert!(ran.err.contains(said), "{said}: {}", ran.err);
    }
    assert_eq!(stack.expect(2, "fmt -check").code, Some(2));
}

#[cfg(unix)]
#[test]
fn a_link_stays_a_link_and_permissions_stay() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let stack = stack();
    symlink("ugly.tf", stack.path().join("link.tf")).unwrap();
    let file = stack.path().join("ugly.tf");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    stack.expect(0, "fmt link.tf");
    assert!(
        fs::symlink_metadata(stack.path().join("link.tf"))
            .unwrap()
            .is_symlink()
    );
    assert_eq!(stack.read("ugly.tf"), FORMATTED);
    assert_eq!(common::mode(&file), 0o640);
}
