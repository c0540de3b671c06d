//! What the fake cloud's own log says was done: the truth that state is held against.

use serde_json::Value as Json;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// So many things that depend on one another in chains of three.
pub(crate) fn things(count: usize) -> String {
    format!(
        r#"resource "fake_thing" "base" {{
  count = {n}
  name  = "base-${{count.index}}"
  zone  = "a"
}}

resource "fake_thing" "middle" {{
  count = {n}
  name  = "middle-${{count.index}}"
  zone  = "a"
  tags  = {{ of = fake_thing.base[count.index].id }}
}}

resource "fake_thing" "top" {{
  count = {n}
  name  = "top-${{count.index}}"
  zone  = "a"
  tags  = {{ of = fake_thing.middle[count.index].id }}
}}
"#,
        n = count / 3
    )
}

/// The entries of the log, in order: their kinds and what they say.
pub(crate) fn entries(log: &Path) -> Vec<(String, Json)> {
    let text = fs::read_to_string(log).unwrap_or_default();
    // A line that the kill cut short was never promised to anybody.
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole
        .lines()
        .map(|line| {
            let entry: BTreeMap<String, Json> =
                serde_json::from_str(line).expect("a whole line of the log");
            entry.into_iter().next().expect("an entry has a kind")
        })
        .collect()
}

/// What stands in the cloud after all of its log.
#[derive(Debug, Default)]
pub(crate) struct Cloud {
    /// The objects that are there, by id: their names.
    pub(crate) live: BTreeMap<String, String>,
    /// Operations that made more than one object.
    pub(crate) repeated: BTreeSet<String>,
}

impl Cloud {
    pub(crate) fn read(log: &Path) -> Cloud {
        let mut cloud = Cloud::default();
        let mut operations = BTreeSet::new();
        for (kind, entry) in entries(log) {
            let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
            match &*kind {
                "Created" => {
                    let operation = text("operation");
                    if !operations.insert(operation.clone()) {
                        cloud.repeated.insert(operation);
                    }
                    let name = name(&entry["value"]);
                    cloud.live.insert(text("id"), name);
                }
                "Deleted" => drop(cloud.live.remove(&text("id"))),
                _ => {}
            }
        }
        cloud
    }

    /// Things that were made more than once: by one operation, or under one name.
    pub(crate) fn made_twice(&self) -> usize {
        let names: BTreeSet<&String> = self.live.values().collect();
        self.repeated.len() + self.live.len() - names.len()
    }
}

/// The name among the attributes, however they are encoded.
fn name(value: &Json) -> String {
    match value {
        Json::Object(fields) => match fields.get("name") {
            Some(Json::String(name)) => name.clone(),
            Some(other) => other.to_string(),
            None => fields
                .values()
                .map(name)
                .find(|n| !n.is_empty())
                .unwrap_or_default(),
        },
        _ => String::new(),
    }
}
