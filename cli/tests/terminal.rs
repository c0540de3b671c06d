//! What a terminal shows, by its width and what it can do, and what a pipe gets.

#![allow(clippy::unwrap_used)] // helpers of tests

mod common;

use common::{Stack, THINGS};
use nix::pty::{Winsize, openpty};
use std::{fs::File, io::Read as _, process::Command};

/// Half a second longer than what has no bar.
const SLOW: &str = "apply -auto-approve -var latency=1500";

/// Everything that the command prints on a terminal of so many columns.
fn on_terminal(mut command: Command, columns: u16) -> String {
    let size = Winsize {
        ws_row: 24,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    let pty = openpty(Some(&size), None).unwrap();
    let end = || File::from(pty.slave.try_clone().unwrap());
    let mut child = command.stdout(end()).stderr(end()).spawn().unwrap();
    drop(command);
    drop(pty.slave);
    let (mut terminal, mut out) = (File::from(pty.master), Vec::new());
    // A terminal whose last user went away ends with an error.
    let _ = terminal.read_to_end(&mut out);
    assert!(child.wait().unwrap().success());
    String::from_utf8(out).unwrap()
}

fn apply(environment: &[(&str, &str)], columns: u16) -> String {
    let stack = Stack::new(THINGS);
    let mut command = stack.command(SLOW);
    command.env("TERM", "xterm-256color");
    command.envs(environment.iter().copied());
    on_terminal(command, columns)
}

/// The text without what moves the cursor and colours it, in lines as they were drawn.
fn lines(text: &str) -> Vec<String> {
    let mut plain = String::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '\u{1b}' => {
                // `ESC [ ... letter`; what a sequence does, it does at its place.
                rest.by_ref()
                    .take_while(|c| !c.is_ascii_alphabetic())
                    .count();
                plain.push('\n');
            }
            '\r' => plain.push('\n'),
            other => plain.push(other),
        }
    }
    let lines = plain.lines().filter(|l| !l.is_empty());
    lines.map(str::to_owned).collect()
}

/// Lines of the bar.
fn drawn(text: &str) -> Vec<String> {
    let mut lines = lines(text);
    lines.retain(|l| l.contains(" of 3 done"));
    lines
}

fn is_colored(text: &str) -> bool {
    let codes = text.split("\u{1b}[").skip(1);
    let mut codes = codes.filter_map(|c| c.split_once('m'));
    codes.any(|(code, _)| code.chars().all(|c| c.is_ascii_digit() || c == ';'))
}

#[test]
fn a_terminal_has_a_bar_and_colours() {
    let text = apply(&[("LANG", "en_US.UTF-8")], 160);
    let bar = drawn(&text);
    let whole = |l: &String| l.contains('[') && l.contains("] 0 of 3 done, 1 running; slowest:");
    assert!(bar.iter().any(whole), "{bar:#?}");
    assert!(is_colored(&text), "{text}");
}

#[test]
fn a_narrow_terminal_has_one_line_of_its_width() {
    for columns in [20, 40] {
        let bar = drawn(&apply(&[], columns));
        assert!(!bar.is_empty());
        let width = usize::from(columns);
        let fits = |l: &String| l.chars().count() <= width && !l.contains('[');
        assert!(bar.iter().all(fits), "{bar:#?}");
    }
}

#[test]
fn no_color_has_a_bar_without_colours() {
    let text = apply(&[("NO_COLOR", "1"), ("LC_ALL", "C")], 160);
    assert!(!is_colored(&text), "{text}");
    assert!(!drawn(&text).is_empty());
    // A locale that has ASCII alone is no matter.
    assert!(text.is_ascii(), "{text}");
}

#[test]
fn a_dumb_terminal_has_lines_alone() {
    let text = apply(&[("TERM", "dumb")], 80);
    assert!(
        !text.contains('\u{1b}') && drawn(&text).is_empty(),
        "{text}"
    );
    // The terminal itself ends lines with both.
    assert!(!text.replace("\r\n", "\n").contains('\r'), "{text}");
    assert!(text.contains("fake_thing.base: created after "), "{text}");
}

#[test]
fn a_pipe_has_lines_alone() {
    let stack = Stack::new(THINGS);
    let ended = stack.expect(0, SLOW);
    for text in [&ended.out, &ended.err] {
        let is_control = |c: char| c.is_control() && c != '\n';
        assert!(!text.contains(is_control), "{text:?}");
    }
    assert!(ended.err.contains("fake_thing.base: created after "));
}

#[test]
fn so_many_at_once_and_no_more() {
    let text = r#"
provider "fake" {
  path       = "${path.root}/cloud"
  latency_ms = 200
}
resource "fake_thing" "web" {
  count = 7
  name  = "web-${count.index}"
}
"#;
    for most in [1, 3] {
        let stack = Stack::new(text);
        let line = format!("apply -auto-approve -json -parallelism={most}");
        let (mut now, mut reached) = (0, 0);
        for message in common::json_lines(&stack.expect(0, &line).out) {
            match message["type"].as_str() {
                Some("apply_start") => now += 1,
                Some("apply_complete") => now -= 1,
                _ => {}
            }
            reached = reached.max(now);
        }
        assert_eq!((now, reached), (0, most));
    }
    let refused = Stack::new(text).weir("apply -auto-approve -parallelism=0");
    assert_eq!(refused.code, Some(2), "{refused:#?}");
}
