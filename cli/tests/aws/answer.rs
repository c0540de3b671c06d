//! What a tool planned and what it left, in a form that two of them share.

use regex::Regex;
use serde_json::{Map, Value as Json, json};
use std::{collections::BTreeMap, fmt::Write as _, sync::LazyLock};

/// A step's outcome.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answer {
    /// What is done to each address that something is done to.
    pub actions: BTreeMap<String, String>,
    /// Attributes of what is there after it.
    pub state: BTreeMap<String, Map<String, Json>>,
}

/// Attributes that are not compared: the type (any where it is `*`), the attribute, and why.
const LISTED: &[(&str, &str, &str)] = &[
    ("*", "timeouts", "of the configuration alone"),
    ("*", "mac_address", "the emulator draws it"),
    (
        "aws_instance",
        "credit_specification",
        "weir does not serve it",
    ),
    (
        "aws_instance",
        "associate_public_ip_address",
        "the emulator speaks of an address and shows none",
    ),
    (
        "aws_instance",
        "user_data",
        "Terraform keeps a digest of it",
    ),
    (
        "aws_eip",
        "private_dns",
        "Terraform keeps the name after the association is gone",
    ),
    (
        "aws_security_group",
        "name_prefix",
        "where nobody names one, names begin with the tool's",
    ),
];

/// Fields of blocks that are not compared: weir does not serve tags of disks.
const UNSERVED: [&str; 2] = ["tags", "tags_all"];

impl Answer {
    /// Takes an action of a plan, by the words of either tool.
    pub fn acts(&mut self, address: &str, words: &str) {
        let word = match words {
            "no-op" | "noop" | "read" | "move" => return,
            "delete create" | "create delete" => "replace",
            word => word,
        };
        self.actions.insert(address.to_owned(), word.to_owned());
    }

    /// Takes an object of the state.
    pub fn holds(&mut self, address: &str, kind: &str, attributes: &Json) {
        let mut all = attributes.as_object().cloned().unwrap_or_default();
        all.retain(|name, _| {
            !LISTED
                .iter()
                .any(|(k, a, _)| (*k == "*" || *k == kind) && a == name)
        });
        self.state.insert(address.to_owned(), all);
    }

    /// The same without what chance decides: ids say whose they are, and what the emulator draws
    /// is a star. `said` is the text of the configuration, whose addresses stay.
    pub fn normal(self, said: &str) -> Answer {
        let mut ids: Vec<(String, String)> = Vec::new();
        for (address, attributes) in &self.state {
            let id = attributes.get("id").and_then(Json::as_str);
            ids.extend(
                id.filter(|id| DRAWN.is_match(id))
                    .map(|id| (id.to_owned(), format!("{{{address}}}"))),
            );
        }
        let mut state = BTreeMap::new();
        for (address, mut attributes) in self.state {
            // A zone that nobody names is the emulator's choice.
            if !said.contains("availability_zone") {
                attributes.retain(|name, _| !name.starts_with("availability_zone"));
            }
            let one = |(k, v)| (k, steady(v, &ids, said));
            state.insert(address, attributes.into_iter().map(one).collect());
        }
        Answer {
            actions: self.actions,
            state,
        }
    }

    /// As lines of a file.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (address, action) in &self.actions {
            let _ = writeln!(text, "plan {address} {action}");
        }
        for (address, attributes) in &self.state {
            let attributes = Json::Object(attributes.clone());
            let _ = writeln!(text, "state {address} {attributes}");
        }
        text
    }

    /// From lines of a file.
    pub fn read(lines: &[&str]) -> Answer {
        let mut answer = Answer::default();
        for line in lines {
            if let Some((address, action)) =
                line.strip_prefix("plan ").and_then(|l| l.rsplit_once(' '))
            {
                answer.actions.insert(address.to_owned(), action.to_owned());
            } else if let Some((address, attributes)) =
                line.strip_prefix("state ").and_then(|l| l.split_once(" {"))
            {
                let attributes = format!("{{{attributes}");
                let attributes = serde_json::from_str(&attributes).unwrap();
                answer.state.insert(address.to_owned(), attributes);
            }
        }
        answer
    }

    /// What differs, a line each.
    pub fn difference(&self, ours: &Answer) -> Vec<String> {
        let mut found = Vec::new();
        let addresses = self.actions.keys().chain(ours.actions.keys());
        let addresses: std::collections::BTreeSet<&String> = addresses.collect();
        for address in addresses {
            let (theirs, ours) = (self.actions.get(address), ours.actions.get(address));
            if theirs != ours {
                found.push(format!(
                    "{address}: Terraform plans {theirs:?}, weir {ours:?}"
                ));
            }
        }
        if !self.state.keys().eq(ours.state.keys()) {
            found.push(format!(
                "state: Terraform has {:?}, weir {:?}",
                self.state.keys().collect::<Vec<_>>(),
                ours.state.keys().collect::<Vec<_>>()
            ));
        }
        for (address, theirs) in &self.state {
            let Some(ours) = ours.state.get(address) else {
                continue;
            };
            for (name, theirs) in theirs {
                let theirs = &lean(theirs, 0);
                // What is listed is left out of ours, and was stored before it was.
                let Some(ours) = ours.get(name).map(|ours| lean(ours, 0)) else {
                    continue;
                };
                let ours = &ours;
                if theirs != ours {
                    found.push(format!("{address}.{name}: Terraform {theirs}, weir {ours}"));
                }
            }
        }
        found
    }
}

/// A value without what nobody set: Terraform's older types keep that as null or as the zero of
/// their type, as it comes; weir keeps null.
fn lean(value: &Json, depth: usize) -> Json {
    let none = [
        Json::Null,
        json!(""),
        json!(false),
        json!(0),
        json!([]),
        json!({}),
    ];
    match value {
        Json::Array(items) => {
            let mut items: Vec<Json> = items.iter().map(|i| lean(i, depth + 1)).collect();
            items.sort_by_key(ToString::to_string);
            match items.is_empty() {
                true => Json::Null,
                false => Json::from(items),
            }
        }
        Json::Object(fields) => {
            let served = |name: &str| depth == 0 || !UNSERVED.contains(&name);
            let fields = fields.iter().filter(|(name, _)| served(name));
            let fields: Map<String, Json> = fields
                .map(|(name, v)| (name.clone(), lean(v, depth + 1)))
                .filter(|(_, v)| !v.is_null())
                .collect();
            match fields.is_empty() {
                true => Json::Null,
                false => Json::Object(fields),
            }
        }
        other if none.contains(other) => Json::Null,
        other => other.clone(),
    }
}

/// What the emulator draws: ids, their checksums, times, names with an end of their own.
static DRAWN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?x)\b(?: (?:[a-z]+)-[0-9a-f]{8,17} | (?:vai|sgrule|nacl|r-rtb)-[0-9a-f]+
        | [0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z? | [0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}
        | (?:terraform|weir|app|api|team)-[0-9a-f]{26} )\b",
    )
    .unwrap()
});

/// Addresses that the emulator draws, and the names made of them.
static ADDRESS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\b(?:[0-9]+[.-]){3}[0-9]+\b(?:/[0-9]+)?").unwrap());

fn steady(value: Json, ids: &[(String, String)], said: &str) -> Json {
    match value {
        Json::String(text) => {
            let mut text = text;
            for (id, address) in ids {
                text = text.replace(id.as_str(), address);
            }
            let text = DRAWN.replace_all(&text, "*");
            let text = ADDRESS.replace_all(&text, |found: &regex::Captures<'_>| {
                match found[0].contains('/') || said.contains(&found[0]) {
                    true => found[0].to_owned(),
                    false => "*".to_owned(),
                }
            });
            Json::from(text.into_owned())
        }
        Json::Array(items) => {
            let mut items: Vec<Json> = items.into_iter().map(|i| steady(i, ids, said)).collect();
            items.sort_by_key(ToString::to_string);
            Json::from(items)
        }
        Json::Object(fields) => {
            let one = |(k, v)| (k, steady(v, ids, said));
            Json::Object(fields.into_iter().map(one).collect())
        }
        other => other,
    }
}
