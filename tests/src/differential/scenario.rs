//! A stack in steps as text, with the answers stored beside them.

use std::{collections::BTreeMap, fmt::Write as _};

/// A stack in steps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scenario {
    /// What it is about: lines that begin with `#`.
    pub about: String,
    /// Its steps.
    pub steps: Vec<Step>,
}

/// One step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Step {
    /// Flags of the plan.
    pub flags: Vec<String>,
    /// What is done before it is planned: the words of commands that change state.
    pub commands: Vec<Vec<String>>,
    /// All files by path.
    pub files: BTreeMap<String, String>,
    /// What Terraform made of it, as lines; empty where it was not asked.
    pub answer: Vec<String>,
}

const STEP: &str = "=== step";
const RUN: &str = "--- run ";
const FILE: &str = "--- file ";
const GONE: &str = "--- gone ";
const ANSWER: &str = ">>> ";

impl Scenario {
    /// Reads what [`Scenario::text`] writes. What a file does not say again stays from the step
    /// before.
    pub fn parse(text: &str) -> Scenario {
        let mut out = Scenario::default();
        let mut file: Option<String> = None;
        for line in text.lines() {
            if let Some(flags) = line.strip_prefix(STEP) {
                let files = out
                    .steps
                    .last()
                    .map_or(BTreeMap::new(), |s| s.files.clone());
                out.steps.push(Step {
                    flags: flags.split_whitespace().map(str::to_owned).collect(),
                    commands: Vec::new(),
                    files,
                    answer: Vec::new(),
                });
                file = None;
                continue;
            }
            let Some(step) = out.steps.last_mut() else {
                let _ = writeln!(out.about, "{line}");
                continue;
            };
            if let Some(words) = line.strip_prefix(RUN) {
                let words = words.split_whitespace().map(str::to_owned);
                step.commands.push(words.collect());
                file = None;
            } else if let Some(path) = line.strip_prefix(FILE) {
                step.files.insert(path.to_owned(), String::new());
                file = Some(path.to_owned());
            } else if let Some(path) = line.strip_prefix(GONE) {
                step.files.remove(path);
                file = None;
            } else if let Some(said) = line.strip_prefix(ANSWER) {
                step.answer.push(said.to_owned());
                file = None;
            } else if let Some(text) = file.as_ref().and_then(|f| step.files.get_mut(f)) {
                let _ = writeln!(text, "{line}");
            }
        }
        out
    }

    /// The scenario as text.
    pub fn text(&self) -> String {
        let mut out = self.about.clone();
        let mut before = &BTreeMap::new();
        for step in &self.steps {
            let flags: String = step.flags.iter().map(|f| format!(" {f}")).collect();
            let _ = writeln!(out, "{STEP}{flags}");
            for words in &step.commands {
                let _ = writeln!(out, "{RUN}{}", words.join(" "));
            }
            for (path, text) in &step.files {
                if before.get(path) != Some(text) {
                    let _ = write!(out, "{FILE}{path}\n{text}");
                }
            }
            for path in before.keys().filter(|p| !step.files.contains_key(*p)) {
                let _ = writeln!(out, "{GONE}{path}");
            }
            for line in &step.answer {
                let _ = writeln!(out, "{ANSWER}{line}");
            }
            before = &step.files;
        }
        out
    }
}
