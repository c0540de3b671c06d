//! What a tool made of a step, without what is random.

use serde_json::{Map, Value as Json};
use similar::TextDiff;
use std::collections::BTreeMap;

/// What a tool made of a step.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// What a person would compare.
    pub lines: Vec<String>,
    /// The documented JSON by section, in which random names are replaced.
    pub sections: BTreeMap<String, Json>,
    /// What the tool printed, for reports.
    pub said: String,
}

impl Answer {
    /// The tool itself failed: a cycle of its own making, or a crash.
    pub fn broken(&self) -> bool {
        self.lines.iter().any(|l| l.ends_with(": broken"))
    }

    /// Something was planned, the plan was applied, and it was not done: Terraform does that with
    /// targets. What was to be deleted is still in state, what was to be made is not, or what was
    /// replaced is there beside what replaced it.
    pub(super) fn left_undone(&self) -> bool {
        let has = |start: String, end: &str| {
            let mut rows = self.lines.iter();
            rows.any(|l| l.starts_with(&start) && l.ends_with(end))
        };
        let undone = self.lines.iter().any(|l| {
            let Some((address, rest)) = l.strip_prefix("change ").and_then(|l| l.split_once(' '))
            else {
                return false;
            };
            let row = format!("state {address} ");
            match rest.split(' ').next() {
                Some("delete") if !rest.ends_with(" deposed") => has(row, ""),
                Some("create") => !has(row, ""),
                Some("create+delete") => has(row, " deposed_key"),
                _ => false,
            }
        });
        undone && self.lines.iter().any(|l| l == "apply: ok")
    }

    /// What depends on an object that `state mv` moved goes on depending on it in weir, where
    /// Terraform forgets that until it is planned anew: dependencies beside Terraform's are no
    /// difference then.
    pub fn follow_moves(&mut self, theirs: &Answer) {
        self.take_dependencies(theirs, &|own, known| known.iter().all(|k| own.contains(k)));
    }

    /// What depends on a module as a whole depends in Terraform on what state has of it too, though
    /// its block is gone. In weir it depends on what the module is by now: what goes is deleted
    /// after what depends on it by what state said before. Dependencies of Terraform's on blocks
    /// that the configuration does not have are no difference then.
    pub fn follow_left_overs(&mut self, theirs: &Answer) {
        let mut blocks = Vec::new();
        if let Some(configuration) = theirs.sections.get("plan.configuration") {
            written(&configuration["root_module"], "", &mut blocks);
        }
        let gone = |block: &Json| !blocks.iter().any(|b| *b == text(block));
        self.take_dependencies(theirs, &|own, known| {
            let mut more = known.iter().filter(|k| !own.contains(k));
            own.iter().all(|o| known.contains(o)) && more.all(gone)
        });
    }

    /// Takes the dependencies of each row of theirs that `takes` takes, given ours and theirs.
    fn take_dependencies(&mut self, theirs: &Answer, takes: &Takes<'_>) {
        for (name, ours) in &mut self.sections {
            if let Some(theirs) = theirs.sections.get(name) {
                follow(ours, theirs, takes);
            }
        }
    }

    /// Adds sections of a document.
    pub(super) fn add(&mut self, prefix: &str, document: &Json) {
        for (name, value) in document.as_object().into_iter().flatten() {
            self.sections
                .insert(format!("{prefix}.{name}"), value.clone());
        }
    }
}

/// What differs between Terraform's answer and weir's, as text; nothing where they agree.
/// `sections` are compared field by field.
pub fn difference(theirs: &Answer, ours: &Answer, sections: &[&str]) -> Option<String> {
    if theirs.broken() {
        let done = ["plan: ok", "apply: ok"];
        let missing = done.iter().find(|d| ours.lines.iter().all(|l| l != *d))?;
        return Some(format!(
            "Terraform can't do this, and weir should: {missing} is not there"
        ));
    }
    let text = |lines: &[String]| lines.iter().map(|l| format!("{l}\n")).collect::<String>();
    let mut out = diff("lines", &text(&theirs.lines), &text(&ours.lines));
    for name in sections {
        let section = |answer: &Answer| answer.sections.get(*name).map(sorted);
        let (theirs, mut ours) = (section(theirs), section(ours));
        if let (Some(theirs), Some(ours)) = (&theirs, &mut ours) {
            keep_secrets(theirs, ours);
        }
        let text = |v: Option<Json>| v.map_or(String::new(), |v| format!("{v:#}\n"));
        out.push_str(&diff(name, &text(theirs), &text(ours)));
    }
    (!out.is_empty()).then_some(out)
}

/// A unified diff; empty where the texts are equal.
fn diff(name: &str, theirs: &str, ours: &str) -> String {
    if theirs == ours {
        return String::new();
    }
    TextDiff::from_lines(theirs, ours)
        .unified_diff()
        .header(&format!("terraform {name}"), &format!("weir {name}"))
        .to_string()
}

/// What is sensitive where values come from stays so in weir, where Terraform forgets it at the
/// resource: what is masked there beside all that Terraform masks is no difference.
fn keep_secrets(theirs: &Json, ours: &mut Json) {
    match (theirs, ours) {
        (Json::Object(theirs), Json::Object(ours)) => {
            for (name, ours) in ours {
                let Some(theirs) = theirs.get(name) else {
                    continue;
                };
                match MASKS.contains(&name.as_str()) && covers(ours, theirs) {
                    true => ours.clone_from(theirs),
                    false => keep_secrets(theirs, ours),
                }
            }
        }
        (Json::Array(theirs), Json::Array(ours)) => {
            (theirs.iter().zip(ours)).for_each(|(t, o)| keep_secrets(t, o));
        }
        _ => {}
    }
}

/// Says of the dependencies of a row, ours and theirs, whether theirs do.
type Takes<'a> = dyn Fn(&[Json], &[Json]) -> bool + 'a;

fn text(value: &Json) -> &str {
    value.as_str().unwrap_or_default()
}

/// The addresses of all blocks of a configuration, without keys.
fn written(module: &Json, path: &str, out: &mut Vec<String>) {
    let blocks = module["resources"].as_array().into_iter().flatten();
    out.extend(blocks.map(|b| format!("{path}{}", text(&b["address"]))));
    for (name, call) in module["module_calls"].as_object().into_iter().flatten() {
        written(&call["module"], &format!("{path}module.{name}."), out);
    }
}

/// Takes the dependencies of those of their rows that `takes` says.
fn follow(ours: &mut Json, theirs: &Json, takes: &Takes<'_>) {
    match (ours, theirs) {
        (Json::Array(ours), Json::Array(theirs)) => {
            for row in ours {
                let same = |t: &&Json| {
                    (["address", "deposed_key"].iter()).all(|name| row.get(name) == t.get(name))
                };
                if let Some(their) = theirs.iter().find(same) {
                    follow(row, their, takes);
                }
            }
        }
        (Json::Object(ours), Json::Object(theirs)) => {
            let list = |row: &Map<String, Json>| {
                let all = row.get("depends_on").and_then(Json::as_array);
                all.cloned().unwrap_or_default()
            };
            let (own, known) = (list(ours), list(theirs));
            if takes(&own, &known) {
                match theirs.get("depends_on") {
                    Some(known) => drop(ours.insert("depends_on".into(), known.clone())),
                    None => drop(ours.remove("depends_on")),
                }
            }
            for (name, ours) in ours.iter_mut() {
                if let Some(theirs) = theirs.get(name) {
                    follow(ours, theirs, takes);
                }
            }
        }
        _ => {}
    }
}

const MASKS: [&str; 3] = ["sensitive_values", "before_sensitive", "after_sensitive"];

/// Whether all that the one mask hides is hidden by the other.
fn covers(ours: &Json, theirs: &Json) -> bool {
    match (ours, theirs) {
        (Json::Bool(true), _) | (_, Json::Bool(false)) => true,
        (Json::Object(ours), Json::Object(theirs)) => {
            (theirs.iter()).all(|(name, t)| covers(ours.get(name).unwrap_or(&Json::Bool(false)), t))
        }
        (Json::Array(ours), Json::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(o, t)| covers(o, t))
        }
        (_, Json::Object(theirs)) => theirs.is_empty(),
        (_, Json::Array(theirs)) => theirs.iter().all(|t| covers(&Json::Bool(false), t)),
        _ => false,
    }
}

/// The document with the lists sorted that have no order of their own.
fn sorted(value: &Json) -> Json {
    match value {
        Json::Array(items) => {
            let mut items: Vec<Json> = items.iter().map(sorted).collect();
            if items.iter().all(is_row) {
                items.sort_by_cached_key(row_key);
            }
            items.into()
        }
        Json::Object(pairs) => {
            Json::Object(pairs.iter().map(|(k, v)| (k.clone(), sorted(v))).collect())
        }
        other => other.clone(),
    }
}

/// Names for ids that are random: the same id has the same name in all answers of a tool.
#[derive(Debug, Default)]
pub(super) struct Ids(BTreeMap<String, String>);

impl Ids {
    /// Learns the ids of a state, in the order of addresses.
    pub(super) fn learn(&mut self, state: &Json) {
        let mut all = Vec::new();
        instances(&state["values"]["root_module"], &mut all);
        all.sort_by_key(|r| {
            let is = |name: &str| r[name].as_str().unwrap_or_default().to_owned();
            // Of two objects at one address, the older is known already.
            (is("address"), r.get("deposed_key").is_some())
        });
        for row in all {
            if let Some(id) = row["values"]["id"].as_str()
                && is_uuid(id)
                && !self.0.contains_key(id)
            {
                let name = format!("id-{}", self.0.len() + 1);
                self.0.insert(id.to_owned(), name);
            }
        }
    }

    /// The text with names for ids.
    fn named(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let id = rest.get(..36).filter(|t| is_uuid(t));
            let (piece, len) = match id {
                Some(id) => (self.0.get(id).map_or("id-?", String::as_str), 36),
                None => (&rest[..c.len_utf8()], c.len_utf8()),
            };
            out.push_str(piece);
            rest = &rest[len..];
        }
        out
    }

    /// The document with names for ids, without versions and times.
    pub(super) fn normal(&self, value: &Json) -> Json {
        match value {
            Json::String(s) => self.named(s).into(),
            Json::Array(items) => items.iter().map(|i| self.normal(i)).collect(),
            Json::Object(pairs) => {
                let pairs = pairs
                    .iter()
                    .filter(|(k, _)| !VOLATILE.contains(&k.as_str()));
                let one = |(k, v): (&String, &Json)| match k.as_str() {
                    "deposed" | "deposed_key" => (k.clone(), "key".into()),
                    _ => (self.named(k), self.normal(v)),
                };
                Json::Object(pairs.map(one).collect::<Map<_, _>>())
            }
            other => other.clone(),
        }
    }
}

const VOLATILE: [&str; 3] = ["terraform_version", "weir_version", "timestamp"];

pub(crate) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.char_indices().all(|(i, c)| match i {
            8 | 13 | 18 | 23 => c == '-',
            _ => c.is_ascii_hexdigit(),
        })
}

/// Modules, checks and relevant attributes: lists of them have no order of their own.
fn is_row(value: &Json) -> bool {
    (value.as_object()).is_some_and(|o| {
        let is_module = o.contains_key("address") && !o.contains_key("type");
        is_module || (o.contains_key("resource") && o.contains_key("attribute"))
    })
}

fn row_key(value: &Json) -> String {
    let address = match &value["address"] {
        Json::String(s) => s.clone(),
        Json::Object(o) => o.get("to_display").map_or(String::new(), Json::to_string),
        _ => value.to_string(),
    };
    format!("{address} {}", value.get("deposed").is_some())
}

/// All resource instances of a module tree.
pub(super) fn instances<'a>(module: &'a Json, out: &mut Vec<&'a Json>) {
    out.extend(module["resources"].as_array().into_iter().flatten());
    for child in module["child_modules"].as_array().into_iter().flatten() {
        instances(child, out);
    }
}
