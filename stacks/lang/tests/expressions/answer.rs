//! What either side makes of an expression, in one form.

use serde_json::{Value as Json, json};
use weir_core::{
    Kind, Marks, Number, Value,
    json::type_to_json,
    value::{Bound, Refinements},
};

/// A value, and the paths in it that are sensitive.
#[derive(Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) node: Node,
    pub(crate) sensitive: Vec<String>,
}

/// A type and a value of it.
#[derive(Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) ty: Json,
    pub(crate) value: Json,
}

impl Answer {
    /// Of weir's value.
    pub(crate) fn of(value: &Value) -> Answer {
        let mut sensitive = Vec::new();
        paths(value, "$", &mut sensitive);
        sensitive.sort();
        Answer {
            node: Node {
                ty: type_to_json(&value.ty()),
                value: plain(value),
            },
            sensitive,
        }
    }

    /// As it is stored.
    pub(crate) fn json(self) -> Json {
        let mut json = json!({"type": self.node.ty, "value": self.node.value});
        if !self.sensitive.is_empty() {
            json["sensitive"] = json!(self.sensitive);
        }
        json
    }
}

fn paths(value: &Value, at: &str, out: &mut Vec<String>) {
    if value.marks().contains(Marks::SENSITIVE) {
        out.push(at.to_owned());
    }
    match value.as_entries() {
        Some(entries) => {
            for (k, v) in entries {
                paths(v, &format!("{at}[{k:?}]"), out);
            }
        }
        None => {
            for (i, v) in value.children().enumerate() {
                paths(v, &format!("{at}[{i}]"), out);
            }
        }
    }
}

fn plain(value: &Value) -> Json {
    match value.kind() {
        Kind::Null(_) => Json::Null,
        Kind::Unknown(_, known) => unknown(known),
        Kind::Bool(b) => json!(b),
        Kind::Number(n) => json!({"(number)": number(n)}),
        Kind::String(s) => json!(s),
        Kind::Map(_, entries) | Kind::Object(entries) => entries
            .iter()
            .map(|(k, v)| (k.to_string(), plain(v)))
            .collect(),
        _ => value.children().map(plain).collect(),
    }
}

/// The digits of a number. A plan file holds a double where there is one that is just as much, and
/// says nothing of digits beyond those of a double.
fn number(n: &Number) -> String {
    let double = n.to_f64();
    let exact: Option<Number> = format!("{double:.1080}").parse().ok();
    match exact
        .filter(|exact| exact == n)
        .and(Number::from_f64(double))
    {
        Some(double) if !n.is_integer() => double.to_string(),
        _ => n.to_string(),
    }
}

/// An unknown value with what is known of it.
pub(crate) fn unknown(known: &Refinements) -> Json {
    let mut said = serde_json::Map::new();
    if known.not_null {
        said.insert("not_null".into(), json!(true));
    }
    if let Some(prefix) = &known.prefix {
        said.insert("prefix".into(), json!(prefix));
    }
    let bound = |b: &Bound| json!([b.number.to_string(), b.inclusive]);
    if let Some(min) = &known.min {
        said.insert("min".into(), bound(min));
    }
    if let Some(max) = &known.max {
        said.insert("max".into(), bound(max));
    }
    if let Some(n) = known.min_len {
        said.insert("min_len".into(), json!(n));
    }
    if let Some(n) = known.max_len {
        said.insert("max_len".into(), json!(n));
    }
    json!({"(unknown)": said})
}
