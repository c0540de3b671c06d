//! What many types check of a configuration beyond its schema. What is unknown passes.

use super::Fields as _;
use weir_core::{Diagnostic, Diagnostics, Value};

/// Whether the configuration sets it: neither null nor an empty list of blocks.
pub fn is_set(config: &Value, key: &str) -> bool {
    let none = |v: &Value| v.is_null() || v.elements().is_some_and(|e| e.is_empty());
    config.get(key).is_some_and(|v| !none(v))
}

/// Refuses a text that is none of these.
pub fn choice(config: &Value, key: &str, all: &[&str], out: &mut Diagnostics) {
    if let Some(text) = config.text(key)
        && !all.contains(&text.as_str())
    {
        out.push(
            Diagnostic::error(format!("`{key}` can't be {text:?}"))
                .because(format!("It is one of: {}.", all.join(", ")))
                .help("Write one of them."),
        );
    }
}

/// Refuses two attributes that say the same.
pub fn not_both(config: &Value, a: &str, b: &str, out: &mut Diagnostics) {
    if is_set(config, a) && is_set(config, b) {
        out.push(
            Diagnostic::error(format!("`{a}` and `{b}` are both set"))
                .because("Each of them stands for the other.")
                .help("Remove one of them."),
        );
    }
}

/// Refuses a body that has none of these.
pub fn one_of(config: &Value, all: &[&str], out: &mut Diagnostics) {
    if !all.iter().any(|key| is_set(config, key)) {
        let names: Vec<String> = all.iter().map(|k| format!("`{k}`")).collect();
        out.push(
            Diagnostic::error(format!("none of {} is set", names.join(", ")))
                .because("It needs one of them.")
                .help("Set one."),
        );
    }
}

/// Refuses a body that has two or more of these. What is not known yet may come to nothing.
pub fn at_most_one(config: &Value, all: &[&str], out: &mut Diagnostics) {
    let is_known = |key: &&&str| !config.get(key).is_some_and(Value::is_unknown);
    let set = all.iter().filter(|key| is_set(config, key));
    let set: Vec<String> = (set.filter(is_known))
        .map(|key| format!("`{key}`"))
        .collect();
    if set.len() > 1 {
        out.push(
            Diagnostic::error(format!("{} are set at once", set.join(" and ")))
                .because("Only one of them can hold.")
                .help("Remove the others."),
        );
    }
}

/// Refuses a number outside of the range.
pub fn within(
    config: &Value,
    key: &str,
    range: std::ops::RangeInclusive<i64>,
    out: &mut Diagnostics,
) {
    let number = config.get(key).and_then(Value::as_i64);
    if let Some(n) = number.filter(|n| !range.contains(n)) {
        out.push(
            Diagnostic::error(format!("`{key}` can't be {n}"))
                .because(format!("It is from {} to {}.", range.start(), range.end()))
                .help("Write a number within."),
        );
    }
}
