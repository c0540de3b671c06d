//! What weir and Terraform print for programs: messages line by line (`-json` of plan, apply,
//! destroy, refresh), and documents (`-json` of validate, output, version).
//!
//! 1. [`Speaker`] runs a step's command in a folder of its own, and [`Said`] is what it printed,
//!    without what is random: times, ids, durations.
//! 2. [`Said::lines`] is what is stored of Terraform's, [`Said::stored`] reads it back.
//! 3. [`differs`] compares the two: messages whose order is not fixed are sorted by address within
//!    their phase; what differs on purpose is left out, and [`DELIBERATE`] says why.

mod compare;

use crate::{
    cli::Stack,
    differential::{Step, is_uuid},
};
pub use compare::{DELIBERATE, differs};
use regex::Regex;
use serde_json::{Value as Json, json};
use std::{collections::BTreeMap, fs, sync::LazyLock};

/// What a tool printed: messages, or one document.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Said {
    /// The exit code.
    pub code: Option<i32>,
    /// The messages in order, or the document alone.
    pub messages: Vec<Json>,
    /// Everything as it was printed, for reports.
    pub transcript: String,
}

impl Said {
    /// As lines of a stored answer.
    pub fn lines(&self) -> Vec<String> {
        let code = json!({ "code": self.code });
        let all = std::iter::once(&code).chain(&self.messages);
        all.map(Json::to_string).collect()
    }

    /// Reads what [`Said::lines`] writes; `None` where there is no answer.
    ///
    /// # Panics
    /// When a line is no JSON.
    #[track_caller]
    pub fn stored(lines: &[String]) -> Option<Said> {
        let read = |l: &String| {
            let value: Json =
                serde_json::from_str(l).unwrap_or_else(|e| panic!("no JSON ({e}): {l}"));
            value
        };
        let mut all = lines.iter().map(read);
        let code = all.next()?["code"].as_i64().and_then(|c| c.try_into().ok());
        Some(Said {
            code,
            messages: all.collect(),
            transcript: String::new(),
        })
    }
}

/// One of the two tools, with its folder.
#[derive(Debug)]
pub struct Speaker {
    stack: Stack,
    files: BTreeMap<String, String>,
    /// Modules must be fetched before anything else.
    fetches: bool,
}

impl Speaker {
    /// The built weir.
    ///
    /// # Panics
    /// When it isn't built.
    #[track_caller]
    pub fn weir() -> Speaker {
        Speaker::of(Stack::new(), false)
    }

    /// The `terraform` on the path.
    pub fn terraform() -> Speaker {
        let mut stack = Stack::with_program("terraform");
        stack.set_env("TF_CLI_CONFIG_FILE", "/dev/null");
        stack.set_env("CHECKPOINT_DISABLE", "1");
        Speaker::of(stack, true)
    }

    fn of(stack: Stack, fetches: bool) -> Speaker {
        Speaker {
            stack,
            files: BTreeMap::new(),
            fetches,
        }
    }

    /// Runs the commands before a step and then the step's own, whose words are its flags.
    ///
    /// # Panics
    /// When the tool can't be started.
    #[track_caller]
    pub fn step(&mut self, step: &Step) -> Said {
        for gone in self.files.keys().filter(|f| !step.files.contains_key(*f)) {
            // A file that is gone already is what is wanted.
            let _ = fs::remove_file(self.stack.path().join(gone));
        }
        for (path, text) in &step.files {
            self.stack.file(path, text);
        }
        if self.fetches && step.files.len() > 1 && self.files != step.files {
            // What can't be fetched is said again by the command itself.
            self.stack.weir(&["get", "-no-color"]);
        }
        self.files.clone_from(&step.files);
        for words in &step.commands {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            self.stack.weir(&words);
        }
        let words: Vec<&str> = step.flags.iter().map(String::as_str).collect();
        let run = self.stack.weir(&words);
        let mut messages: Vec<Json> = match serde_json::from_str(&run.stdout) {
            Ok(document) => vec![document],
            Err(_) => {
                let lines = run.stdout.lines().filter(|l| !l.trim().is_empty());
                let one =
                    |l: &str| serde_json::from_str(l).unwrap_or_else(|_| json!({ "text": l }));
                lines.map(one).collect()
            }
        };
        messages.iter_mut().for_each(plain);
        Said {
            code: run.status.code(),
            messages,
            transcript: run.transcript(),
        }
    }
}

static DURATION: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(after |\[)\d+s\b").expect("a constant pattern"));
static DEPOSED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\(deposed object [0-9a-f]{8}\)").expect("a constant pattern"));

/// Takes out what differs from run to run.
fn plain(value: &mut Json) {
    match value {
        Json::String(text) => {
            let mut out = String::new();
            let mut rest = text.as_str();
            while let Some(c) = rest.chars().next() {
                let id = rest.get(..36).is_some_and(is_uuid);
                let len = if id { 36 } else { c.len_utf8() };
                out.push_str(if id { "ID" } else { &rest[..len] });
                rest = &rest[len..];
            }
            let out = DURATION.replace_all(&out, "${1}0s");
            *text = DEPOSED
                .replace_all(&out, "(deposed object KEY)")
                .into_owned();
        }
        Json::Array(items) => items.iter_mut().for_each(plain),
        Json::Object(fields) => {
            fields.remove("@timestamp");
            for (name, value) in fields {
                match name.as_str() {
                    "elapsed_seconds" => *value = 0.into(),
                    _ => plain(value),
                }
            }
        }
        _ => {}
    }
}
