//! What is said at the end when something went wrong: what failed, what was not done because of
//! it, what went on.

#![allow(clippy::unwrap_used)] // helpers of tests

mod common;

use common::Stack;

/// Without what differs from run to run: ids, times, and the order of what runs at once.
fn settled(text: &str) -> String {
    let mut out = String::new();
    for word in text.split_inclusive([' ', '\n', '"', ']']) {
        let (body, end) = match word.char_indices().last() {
            Some((at, _)) => word.split_at(at),
            None => ("", ""),
        };
        let id = body.rsplit_once('=').map_or(body, |(_, id)| id);
        let is_id = id.len() == 36 && id.matches('-').count() == 4;
        let is_time = body
            .strip_suffix('s')
            .is_some_and(|t| t.parse::<f64>().is_ok());
        match (is_id, is_time) {
            (true, _) => out.push_str(&body.replace(id, "ID")),
            (_, true) => out.push_str("0s"),
            _ => out.push_str(body),
        }
        out.push_str(end);
    }
    out
}

const STACK: &str = r#"
resource "terraform_data" "base" {
  lifecycle {
    postcondition {
      condition     = length(self.id) < 3
      error_message = "The id ${length(self.id)} letters long."
    }
  }
}
resource "terraform_data" "user" {
  count = 2
  input = terraform_data.base.id
}
resource "terraform_data" "users_user" {
  input = terraform_data.user[0].id
}
resource "terraform_data" "other" {
}
check "few" {
  assert {
    condition     = terraform_data.other.id == ""
    error_message = "There is one."
  }
}
output "other" {
  value = terraform_data.other.id
}
"#;

#[test]
fn what_failed_what_was_not_done_and_what_went_on() {
    let stack = Stack::new(STACK);
    let ended = stack.expect(1, "apply -auto-approve -parallelism=1");
    let mut progress: Vec<&str> = ended.err.lines().collect();
    let diagnostics = progress
        .iter()
        .position(|l| l.starts_with("Warning"))
        .unwrap();
    let told = progress.split_off(diagnostics);
    progress.sort_unstable();
    insta::assert_snapshot!("progress", settled(&progress.join("\n")));
    insta::assert_snapshot!("told", settled(&told.join("\n")));
    let last: Vec<&str> = ended.out.lines().rev().take(1).collect();
    assert_eq!(last, ["Apply failed. 1 added, 0 changed, 0 destroyed."]);
    // What went on is there, and what was not done is planned again.
    let listed = stack.expect(0, "state list").out;
    assert_eq!(listed, "terraform_data.base\nterraform_data.other\n");
}
