//! Reading typed things out of an object value, and collecting what does not fit.
//!
//! A null and an unknown attribute read as absent: a plan may hold unknowns
//! anywhere, and what they will be is checked once they are known.

use weir_core::{Diagnostic, Diagnostics, Path, Value};

/// What can't be understood in a value, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) path: Path,
    pub(crate) cause: String,
}

/// All of them, as they are found.
#[derive(Debug, Default)]
pub(crate) struct Faults(pub(crate) Vec<Fault>);

impl Faults {
    pub(crate) fn push(&mut self, path: &Path, cause: impl Into<String>) {
        self.0.push(Fault {
            path: path.clone(),
            cause: cause.into(),
        });
    }

    /// Keeps the value of a parser that fails with words.
    pub(crate) fn keep<T>(&mut self, path: &Path, parsed: Result<T, String>) -> Option<T> {
        parsed.map_err(|cause| self.push(path, cause)).ok()
    }

    pub(crate) fn into_diagnostics(self) -> Diagnostics {
        let diagnostics = self.0.into_iter().map(|fault| {
            Diagnostic::error(format!("`{}` is not valid", fault.path))
                .because(fault.cause)
                .help("Correct the attribute in the configuration.")
        });
        Diagnostics(diagnostics.collect())
    }
}

/// An object (or map) at a place in the whole value.
#[derive(Debug, Clone)]
pub(crate) struct Attributes<'a> {
    value: &'a Value,
    path: Path,
}

impl<'a> Attributes<'a> {
    pub(crate) fn root(value: &'a Value) -> Self {
        Self {
            value,
            path: Path::root(),
        }
    }

    pub(crate) fn value(&self) -> &'a Value {
        self.value
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The place of an attribute.
    pub(crate) fn place(&self, name: &str) -> Path {
        self.path.key(name)
    }

    /// The attribute, where it is neither null nor unknown.
    pub(crate) fn get(&self, name: &str) -> Option<&'a Value> {
        self.value
            .get(name)
            .filter(|v| !v.is_null() && !v.is_unknown())
    }

    /// Whether its value will only be known later.
    pub(crate) fn is_unknown(&self, name: &str) -> bool {
        self.value.get(name).is_some_and(Value::is_unknown)
    }

    pub(crate) fn text(&self, name: &str) -> Option<&'a str> {
        self.get(name).and_then(Value::as_str)
    }

    pub(crate) fn owned(&self, name: &str) -> Option<String> {
        self.text(name).map(str::to_owned)
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        self.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    /// A whole number from 0 on.
    pub(crate) fn whole(&self, name: &str) -> Option<Result<u64, String>> {
        let value = self.get(name)?;
        let whole = value.as_i64().and_then(|n| u64::try_from(n).ok());
        Some(whole.ok_or_else(|| format!("{value} is not a whole number from 0 on")))
    }

    pub(crate) fn double(&self, name: &str) -> Option<f64> {
        self.get(name)
            .and_then(Value::as_number)
            .map(weir_core::Number::to_f64)
    }

    /// The texts of a list or set; unknown ones are left out.
    pub(crate) fn texts(&self, name: &str) -> Vec<&'a str> {
        let elements = self.get(name).and_then(Value::elements).unwrap_or_default();
        elements.into_iter().filter_map(Value::as_str).collect()
    }

    /// The object at an attribute.
    pub(crate) fn object(&self, name: &str) -> Option<Attributes<'a>> {
        let value = self.get(name)?;
        Some(Self {
            value,
            path: self.place(name),
        })
    }

    /// The entries of a map, each as an object.
    pub(crate) fn entries(&self, name: &str) -> Vec<(&'a str, Attributes<'a>)> {
        let path = self.place(name);
        let entries = self.get(name).and_then(Value::as_entries);
        let entries = entries.into_iter().flatten().map(|(key, value)| {
            let path = path.key(&**key);
            (&**key, Attributes { value, path })
        });
        entries.collect()
    }

    /// The elements of a list, each as an object.
    pub(crate) fn items(&self, name: &str) -> Vec<Attributes<'a>> {
        let path = self.place(name);
        let elements = self.get(name).and_then(Value::elements).unwrap_or_default();
        let items = elements.into_iter().enumerate().map(|(index, value)| {
            let path = path.index(index);
            Attributes { value, path }
        });
        items.collect()
    }

    /// The texts of a map; nulls and unknowns are left out.
    pub(crate) fn text_map(&self, name: &str) -> impl Iterator<Item = (String, String)> + use<'a> {
        let entries = self.get(name).and_then(Value::as_entries);
        entries.into_iter().flatten().filter_map(|(key, value)| {
            let text = value.as_str()?;
            Some((key.to_string(), text.to_owned()))
        })
    }
}

/// A duration such as `10s`, `500ms`, `1h30m`, in milliseconds.
pub(crate) fn duration_ms(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text:?} is not a duration; write it as `10s`, `500ms` or `1h30m`");
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(wrong());
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .filter(|&digits| digits > 0)
            .ok_or_else(wrong)?;
        let (number, tail) = rest.split_at(digits);
        let unit = tail
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit);
        let scale: u64 = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(wrong()),
        };
        let number: u64 = number.parse().map_err(|_| wrong())?;
        total = number
            .checked_mul(scale)
            .and_then(|ms| total.checked_add(ms))
            .ok_or_else(wrong)?;
        rest = tail;
    }
    Ok(total)
}

/// Permission bits such as `0644` or `755`.
pub(crate) fn mode(text: &str) -> Result<u32, String> {
    u32::from_str_radix(text, 8)
        .ok()
        .filter(|&mode| mode <= 0o7777 && !text.starts_with('+'))
        .ok_or_else(|| format!("{text:?} is not a file mode; write it in octal, such as `0644`"))
}

#[cfg(test)]
#[path = "attributes_tests.rs"]
mod tests;
