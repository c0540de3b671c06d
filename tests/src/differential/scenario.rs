//! A stack in steps as text, with the answers stored beside them.

use super::answer::Answer;
use flate2::{Compression, GzBuilder, read::GzDecoder};
use serde_json::Value as Json;
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs::{self, File},
    io,
    path::Path,
};

/// A stack in steps.
#[derive(Debug, Clone, Default)]
pub struct Scenario {
    /// What it is about: lines that begin with `#`.
    pub about: String,
    /// Its steps.
    pub steps: Vec<Step>,
}

/// One step.
#[derive(Debug, Clone, Default)]
pub struct Step {
    /// Flags of the plan.
    pub flags: Vec<String>,
    /// What is done before it is planned: the words of commands that change state.
    pub commands: Vec<Vec<String>>,
    /// All files by path.
    pub files: BTreeMap<String, String>,
    /// What Terraform made of it; without lines where it was not asked.
    pub answer: Answer,
}

const STEP: &str = "=== step";
const RUN: &str = "--- run ";
const FILE: &str = "--- file ";
const GONE: &str = "--- gone ";
const ANSWER: &str = ">>> ";

/// The ending of the file of a scenario's documents, one for each step.
const DOCUMENTS: &str = "json.gz";

impl Scenario {
    /// Reads a scenario's file, and the documents of its answers from the file beside it.
    ///
    /// # Errors
    /// Files that can't be read.
    pub fn read(path: &Path) -> io::Result<Scenario> {
        let mut out = Scenario::parse(&fs::read_to_string(path)?);
        let documents = match File::open(path.with_extension(DOCUMENTS)) {
            Ok(file) => GzDecoder::new(file),
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(out),
            Err(e) => return Err(e),
        };
        let all: Vec<BTreeMap<String, Json>> =
            serde_json::from_reader(io::BufReader::new(documents))?;
        for (step, sections) in out.steps.iter_mut().zip(all) {
            step.answer.sections = sections;
        }
        Ok(out)
    }

    /// Writes what [`Scenario::read`] reads.
    ///
    /// # Errors
    /// Files that can't be written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        fs::write(path, self.text())?;
        let all: Vec<_> = self.steps.iter().map(|s| &s.answer.sections).collect();
        // Without a time, so that equal answers are equal files.
        let mut out = GzBuilder::new().write(
            File::create(path.with_extension(DOCUMENTS))?,
            Compression::best(),
        );
        serde_json::to_writer(&mut out, &all)?;
        out.finish()?;
        Ok(())
    }

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
                    answer: Answer::default(),
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
                step.answer.lines.push(said.to_owned());
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
            for line in &step.answer.lines {
                let _ = writeln!(out, "{ANSWER}{line}");
            }
            before = &step.files;
        }
        out
    }
}
