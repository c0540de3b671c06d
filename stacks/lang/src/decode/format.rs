//! Text with a form of its own: sizes, durations, modes, signals.

use weir_core::{Marks, Value};

/// A form that an attribute's text must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// `30s`, `1m30s`, `200ms`
    Duration,
    /// `4GiB`, `500MB`
    Size,
    /// `0644`
    FileMode,
    /// One of these.
    OneOf(&'static [&'static str]),
    /// `TERM` or `SIGTERM`
    Signal,
    /// 64 hexadecimal digits.
    Sha256,
    /// A whole number from 1 to 65535.
    Port,
    /// A number above zero.
    Positive,
    /// A whole number above zero.
    Count,
    /// A whole number, or zero.
    Whole,
}

/// Why a text does not have its form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// What is wrong: `is "5 minutes", which is no duration`.
    pub(crate) what: String,
    /// How it is written.
    pub(crate) help: String,
}

const SIGNALS: [&str; 12] = [
    "HUP", "INT", "QUIT", "KILL", "TERM", "USR1", "USR2", "ALRM", "CONT", "STOP", "TSTP", "WINCH",
];

impl Format {
    /// Checks a value; null and unknown ones pass, and sensitive ones are not shown.
    pub(crate) fn check(self, value: &Value) -> Result<(), Problem> {
        if value.is_null() || value.is_unknown() {
            return Ok(());
        }
        let (fits, noun, help) = match self {
            Format::Duration => (
                value.as_str().is_some_and(|s| parse_duration(s).is_some()),
                "no duration",
                "Write a number and a unit, such as \"30s\", \"500ms\", \"1m30s\" or \"12h\".".to_owned(),
            ),
            Format::Size => (
                value.as_str().is_some_and(|s| parse_size(s).is_some()),
                "no size",
                "Write a number and a unit, such as \"512MiB\", \"4GiB\" or \"1TB\".".to_owned(),
            ),
            Format::FileMode => (
                value.as_str().is_some_and(is_mode),
                "no file mode",
                "Write it as octal text, such as \"0644\".".to_owned(),
            ),
            Format::OneOf(words) => (
                value.as_str().is_some_and(|s| words.contains(&s)),
                "not one of its choices",
                one_of(value.as_str(), words),
            ),
            Format::Signal => (
                value.as_str().is_some_and(is_signal),
                "no signal",
                "Write a signal's name, such as \"TERM\", \"HUP\" or \"INT\".".to_owned(),
            ),
            Format::Sha256 => (
                value.as_str().is_some_and(|s| s.len() == 64 && s.chars().all(|c| c.is_ascii_hexdigit())),
                "no SHA-256 sum",
                "Write the 64 hexadecimal digits that `sha256sum FILE` prints.".to_owned(),
            ),
            Format::Port => (
                value.as_i64().is_some_and(|p| (1..=65535).contains(&p)),
                "no port",
                "Write a whole number from 1 to 65535; without `number` a free port is chosen and kept.".to_owned(),
            ),
            Format::Positive => (
                value.as_number().is_some_and(|n| n.to_f64() > 0.0),
                "not above zero",
                "Write a number above zero, such as 0.5 or 2.".to_owned(),
            ),
            Format::Count => (
                value.as_i64().is_some_and(|n| n > 0),
                "no whole number above zero",
                "Write a whole number above zero, such as 3.".to_owned(),
            ),
            Format::Whole => (
                value.as_i64().is_some_and(|n| n >= 0),
                "no whole number from zero on",
                "Write a whole number, such as 0 or 3.".to_owned(),
            ),
        };
        if fits {
            return Ok(());
        }
        let shown = if value.marks().contains(Marks::SENSITIVE) {
            "(sensitive)".to_owned()
        } else {
            value.to_string()
        };
        Err(Problem {
            what: format!("is {shown}, which is {noun}"),
            help,
        })
    }
}

fn one_of(value: Option<&str>, words: &[&str]) -> String {
    if let Some(word) = value.and_then(|v| crate::hints::closest(v, words.iter().copied())) {
        return format!("Did you mean \"{word}\"?");
    }
    let words: Vec<String> = words.iter().map(|w| format!("\"{w}\"")).collect();
    format!("Write one of {}.", words.join(", "))
}

/// Whether the text names a signal, with or without `SIG`.
pub(crate) fn is_signal(text: &str) -> bool {
    let upper = text.to_ascii_uppercase();
    SIGNALS.contains(&upper.strip_prefix("SIG").unwrap_or(&upper))
}

fn is_mode(text: &str) -> bool {
    (3..=4).contains(&text.len()) && text.chars().all(|c| ('0'..='7').contains(&c))
}

/// A duration in milliseconds: numbers with the units `ms`, `s`, `m`, `h`, `d`, from large to
/// small or alone. `None` where the text is none.
pub(crate) fn parse_duration(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut total: f64 = 0.0;
    let mut last = f64::INFINITY;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest.get(..digits)?.parse().ok()?;
        rest = rest.get(digits..)?;
        let letters = rest
            .find(|c: char| !c.is_ascii_lowercase())
            .unwrap_or(rest.len());
        let unit = match rest.get(..letters)? {
            "ms" => 1.0,
            "s" => 1_000.0,
            "m" => 60_000.0,
            "h" => 3_600_000.0,
            "d" => 86_400_000.0,
            _ => return None,
        };
        rest = rest.get(letters..)?;
        if unit >= last {
            return None;
        }
        last = unit;
        total += number * unit;
    }
    // Ten thousand years bound it; a cast of a larger number would saturate silently.
    (last.is_finite() && total <= 3.2e14).then_some(total.round() as u64)
}

/// A size in bytes: a number with one of the units `B`, `kB`, `KB`, `KiB`, `MB`, `MiB`, ... `TiB`.
/// `None` where the text is none.
pub(crate) fn parse_size(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let number: f64 = text.get(..digits)?.parse().ok()?;
    let unit: f64 = match text.get(digits..)?.trim_start() {
        "B" => 1.0,
        "kB" | "KB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        "TB" => 1e12,
        "KiB" => 1024.0,
        "MiB" => 1024.0 * 1024.0,
        "GiB" => 1024.0 * 1024.0 * 1024.0,
        "TiB" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    let bytes = number * unit;
    // Beyond 2^53 a float is not exact any more; no host has so much.
    (1.0..=9.0e15)
        .contains(&bytes)
        .then_some(bytes.round() as u64)
}

#[cfg(test)]
#[path = "format_tests.rs"]
mod tests;
