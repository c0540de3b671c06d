//! Golden files: output kept beside the test, compared as text.
//!
//! Run the tests with `UPDATE_GOLDEN=1` to write the files anew, and read the difference in git
//! before committing it.

use std::fs;
use std::path::Path;

use regex::Regex;
use similar::TextDiff;

/// The environment variable that makes [`compare`] write the files instead of comparing.
pub const UPDATE: &str = "UPDATE_GOLDEN";

/// Replacements that take out of an output what differs from run to run.
///
/// They apply in the order in which they were added, so a folder's path goes before the patterns
/// that could match a part of it.
#[derive(Debug, Clone, Default)]
pub struct Filters {
    steps: Vec<(Regex, String)>,
}

impl Filters {
    /// No replacement at all.
    pub fn none() -> Self {
        Self::default()
    }

    /// What differs in any output: times of day, durations, UUIDs, SHA-256 sums, colours.
    pub fn standard() -> Self {
        Self::none()
            .pattern(r"\x1b\[[0-9;]*[A-Za-z]", "")
            .pattern(
                r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| ?UTC|[+-]\d\d:?\d\d)?",
                "[TIME]",
            )
            .pattern(
                r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b",
                "[UUID]",
            )
            .pattern(r"\b[0-9a-f]{64}\b", "[SHA256]")
            .pattern(r"\b(\d+m ?)?\d+(\.\d+)? ?(ms|µs|s)\b", "[DURATION]")
    }

    /// Replaces a literal text, such as a temporary folder's path.
    pub fn literal(self, text: &str, with: &str) -> Self {
        self.pattern(&regex::escape(text), &with.replace('$', "$$"))
    }

    /// Replaces every match of a regular expression; `${1}` in `with` stands for its first group.
    ///
    /// # Panics
    /// When `pattern` is no regular expression.
    #[track_caller]
    pub fn pattern(mut self, pattern: &str, with: &str) -> Self {
        let regex = Regex::new(pattern)
            .unwrap_or_else(|error| panic!("filter {pattern:?} is no regular expression: {error}"));
        self.steps.push((regex, with.to_owned()));
        self
    }

    /// These replacements, then those of `other`.
    pub fn then(mut self, other: Self) -> Self {
        self.steps.extend(other.steps);
        self
    }

    /// The text after all replacements, without spaces at the ends of lines.
    pub fn apply(&self, text: &str) -> String {
        let mut out = text.to_owned();
        for (regex, with) in &self.steps {
            out = regex.replace_all(&out, with.as_str()).into_owned();
        }
        let mut lines: String = out
            .lines()
            .flat_map(|line| [line.trim_end(), "\n"])
            .collect();
        lines.truncate(lines.trim_end_matches('\n').len());
        lines.push('\n');
        lines
    }
}

/// Compares a text with a golden file; with `UPDATE_GOLDEN` set, writes the file instead.
///
/// # Panics
/// When they differ or the file doesn't exist, with the difference and the command that accepts it.
#[track_caller]
pub fn compare(file: &Path, actual: &str) {
    if std::env::var_os(UPDATE).is_some() {
        write(file, actual);
    } else if let Err(difference) = check(file, actual) {
        panic!("{difference}");
    }
}

fn write(file: &Path, actual: &str) {
    let folder = file.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(file, actual))
        .unwrap_or_else(|error| panic!("{}: can't be written: {error}", file.display()));
}

/// Compares a text with a golden file.
///
/// # Errors
/// The difference as a unified diff, with the way to accept it.
pub fn check(file: &Path, actual: &str) -> Result<(), String> {
    let name = file.display();
    let expected = fs::read_to_string(file)
        .map_err(|error| format!("{name}: can't be read ({error}); set {UPDATE}=1 to write it"))?;
    if expected == actual {
        return Ok(());
    }
    let diff = TextDiff::from_lines(expected.as_str(), actual);
    Err(format!(
        "{name} differs from the output; if the output is right, set {UPDATE}=1 to accept it\n{}",
        diff.unified_diff().header("golden", "output")
    ))
}
