//! Weir or Terraform, in a folder of its own.

use super::answer::{Answer, Ids, instances};
use super::scenario::Step;
use crate::cli::{Run, Stack};
use serde_json::{Value as Json, json};
use std::{collections::BTreeMap, fs};

/// One of the two, with the stack it runs.
#[derive(Debug)]
pub struct Tool {
    stack: Stack,
    kind: Kind,
    ids: Ids,
    files: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Weir,
    Terraform,
}

/// What Terraform says where the fault is its own.
const FAULTS: [&str; 7] = [
    "Error: Cycle",
    "Error: Self reference: ",
    "TERRAFORM CRASH",
    "Provider produced inconsistent final plan",
    "This is a bug in Terraform",
    // It says of the same plan that it can be applied to save its outputs.
    "Cannot apply non-applyable plan",
    "a bug in the provider",
];

/// Whether all that is refused is `replace_triggered_by` a whole block that has no instance: there
/// is nothing that changes. A key that is not there is refused by right.
fn triggered_by_none(stderr: &str) -> bool {
    let errors = stderr.lines().filter_map(|l| l.split_once("Error: "));
    let mut blocks = errors.map(|(_, error)| error.strip_prefix("no change found for "));
    let first = blocks.next().flatten();
    first.is_some_and(|block| !block.contains('[')) && blocks.next().is_none()
}

impl Tool {
    /// The built weir.
    ///
    /// # Panics
    /// When it isn't built.
    #[track_caller]
    pub fn weir() -> Tool {
        Tool::of(Stack::new(), Kind::Weir)
    }

    /// The `terraform` on the path.
    pub fn terraform() -> Tool {
        let mut stack = Stack::with_program("terraform");
        stack.set_env("TF_CLI_CONFIG_FILE", "/dev/null");
        stack.set_env("CHECKPOINT_DISABLE", "1");
        Tool::of(stack, Kind::Terraform)
    }

    fn of(stack: Stack, kind: Kind) -> Tool {
        Tool {
            stack,
            kind,
            ids: Ids::default(),
            files: BTreeMap::new(),
        }
    }

    fn run(&self, arguments: &[&str]) -> Run {
        self.stack.weir(arguments)
    }

    /// Plans and applies a step.
    ///
    /// # Panics
    /// When the tool can't be started or prints no JSON where it should.
    #[track_caller]
    pub fn step(&mut self, step: &Step) -> Answer {
        let mut answer = Answer::default();
        for words in &step.commands {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let run = self.run(&words);
            let word = if run.status.success() {
                "ok"
            } else {
                "refused"
            };
            answer.lines.push(format!("{}: {word}", words.join(" ")));
            answer.said.push_str(&run.transcript());
        }
        self.write(&step.files);
        if self.kind == Kind::Terraform && step.files.len() > 1 && self.files != step.files {
            let got = self.run(&["get", "-no-color"]);
            if !got.status.success() {
                answer.lines.push("plan: refused".into());
                answer.said.push_str(&got.transcript());
                return answer;
            }
        }
        self.files.clone_from(&step.files);
        let mut arguments = vec!["plan", "-out=plan.bin", "-no-color", "-input=false"];
        if self.kind == Kind::Weir {
            arguments.retain(|a| *a != "-input=false");
        }
        arguments.extend(step.flags.iter().map(String::as_str));
        let planned = self.run(&arguments);
        answer.said.push_str(&planned.transcript());
        answer
            .lines
            .push(format!("plan: {}", self.word(&planned, "refused")));
        if planned.status.code() != Some(0) {
            return answer;
        }
        let plan = self.json(&["show", "-json", "plan.bin"]);
        self.plan_lines(&plan, &mut answer);
        let applied = self.run(&["apply", "-no-color", "plan.bin"]);
        answer.said.push_str(&applied.transcript());
        answer
            .lines
            .push(format!("apply: {}", self.word(&applied, "failed")));
        let state = self.json(&["show", "-json"]);
        self.ids.learn(&state);
        self.state_lines(&state, &mut answer);
        if self.kind == Kind::Terraform && answer.left_undone() {
            answer.lines.push("changes: broken".into());
        }
        answer
    }

    fn word(&self, run: &Run, otherwise: &'static str) -> String {
        match run.status.code() {
            Some(0) => "ok".into(),
            Some(1) if self.kind == Kind::Terraform => {
                let broken =
                    FAULTS.iter().any(|f| run.stderr.contains(f)) || triggered_by_none(&run.stderr);
                // It says that or the other of an import without a block, as chance will have it.
                let broken = broken && !run.stderr.contains("Error: Resource has no configuration");
                if broken { "broken" } else { otherwise }.into()
            }
            Some(1) => otherwise.into(),
            Some(11) if self.kind == Kind::Terraform => "broken".into(),
            code => format!("ended with {code:?}"),
        }
    }

    fn write(&self, files: &BTreeMap<String, String>) {
        for gone in self.files.keys().filter(|f| !files.contains_key(*f)) {
            // A file that is gone already is what is wanted.
            let _ = fs::remove_file(self.stack.path().join(gone));
        }
        for (path, text) in files {
            self.stack.file(path, text);
        }
    }

    #[track_caller]
    fn json(&self, arguments: &[&str]) -> Json {
        let run = self.run(arguments);
        serde_json::from_str(&run.stdout)
            .unwrap_or_else(|e| panic!("no JSON ({e}): {}", run.transcript()))
    }

    fn plan_lines(&self, plan: &Json, answer: &mut Answer) {
        let plan = self.ids.normal(plan);
        for (kind, section) in [("change", "resource_changes"), ("drift", "resource_drift")] {
            let rows = plan[section].as_array().into_iter().flatten();
            answer
                .lines
                .extend(rows.map(|r| format!("{kind} {}", change(r))));
        }
        for (name, c) in plan["output_changes"].as_object().into_iter().flatten() {
            let actions = words(&c["actions"]);
            answer.lines.push(format!("output {name} {actions}"));
        }
        answer.add("plan", &plan);
    }

    fn state_lines(&self, state: &Json, answer: &mut Answer) {
        let state = self.ids.normal(state);
        let mut rows = Vec::new();
        instances(&state["values"]["root_module"], &mut rows);
        for row in rows {
            let mut line = format!(
                "state {} {}",
                text(&row["address"]),
                text(&row["values"]["id"])
            );
            for mark in ["tainted", "deposed_key"] {
                if row.get(mark).is_some() {
                    line.push(' ');
                    line.push_str(mark);
                }
            }
            answer.lines.push(line);
        }
        answer.add("state", &state);
        // After a failure, Terraform's outputs are those of the plan or of before.
        if !answer.lines.iter().any(|l| l == "apply: ok") {
            return;
        }
        let outputs = &state["values"]["outputs"];
        for (name, output) in outputs.as_object().into_iter().flatten() {
            let value = output.get("value").unwrap_or(&Json::Null);
            let sensitive = if output["sensitive"] == json!(true) {
                " sensitive"
            } else {
                ""
            };
            answer
                .lines
                .push(format!("value {name}{sensitive} {value}"));
        }
    }
}

fn text(value: &Json) -> &str {
    value.as_str().unwrap_or("-")
}

fn words(actions: &Json) -> String {
    let words: Vec<&str> = actions.as_array().into_iter().flatten().map(text).collect();
    words.join("+")
}

/// One change in a line: address, actions, and what else makes it what it is.
fn change(row: &Json) -> String {
    let mut line = format!(
        "{} {}",
        text(&row["address"]),
        words(&row["change"]["actions"])
    );
    for (name, value) in [
        ("because", &row["action_reason"]),
        ("from", &row["previous_address"]),
        ("import", &row["change"]["importing"]["id"]),
    ] {
        if let Some(value) = value.as_str() {
            line.push_str(&format!(" {name}={value}"));
        }
    }
    if row.get("deposed").is_some() {
        line.push_str(" deposed");
    }
    line
}
