//! The formatter by itself, and beside `terraform fmt` where that is installed.

use super::format;
use std::{
    io::Write,
    process::{Command, Stdio},
};

/// Text as somebody may write it, covering the language.
const UGLY: &str = include_str!("testdata/ugly.hcl");

#[test]
fn golden() {
    insta::assert_snapshot!(format(UGLY).expect("it can be formatted"));
}

#[test]
fn twice_is_the_same_as_once() {
    let once = format(UGLY).expect("it can be formatted");
    assert_eq!(format(&once).expect("it can be formatted"), once);
}

#[test]
fn nothing_but_space_changes() {
    let squeeze = |t: &str| t.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    assert_eq!(
        squeeze(UGLY),
        squeeze(&format(UGLY).expect("it can be formatted"))
    );
}

#[test]
fn the_end_of_the_file() {
    let table = [
        ("", ""),
        ("a=1", "a = 1\n"),
        ("a = 1\n", "a = 1\n"),
        ("a=1\n\n", "a = 1\n\n"),
        ("\n", "\n"),
    ];
    for (given, expected) in table {
        assert_eq!(format(given).as_deref(), Ok(expected), "{given:?}");
    }
}

#[test]
fn what_does_not_end_is_refused_with_its_line() {
    let table = [
        ("a = 1\nb = \"x\n", "line 2: the string does not end"),
        ("/* a\n", "line 1: the comment does not end"),
        ("a = <<EOT\nx\n", "line 1: the heredoc does not end"),
    ];
    for (given, expected) in table {
        assert_eq!(
            format(given).map_err(|e| e.to_string()),
            Err(expected.into())
        );
    }
}

#[test]
fn as_terraform_has_it() {
    let Some(expected) = terraform_fmt(UGLY) else {
        println!("skipped: there is no terraform on the PATH to compare with");
        return;
    };
    assert_eq!(format(UGLY).expect("it can be formatted"), expected);
}

fn terraform_fmt(text: &str) -> Option<String> {
    let mut child = Command::new("terraform")
        .args(["fmt", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    child.stdin.take()?.write_all(text.as_bytes()).ok()?;
    let output = child.wait_with_output().ok()?;
    assert!(output.status.success(), "terraform refuses the text");
    String::from_utf8(output.stdout).ok()
}
