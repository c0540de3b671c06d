//! What there is, and how far what was begun is by now.

use super::{error::ArmError, id::Id, kinds::Kind};
use serde_json::{Value as Json, json};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// What is being done to something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Creating,
    Updating,
    Deleting,
}

impl Verb {
    fn text(self) -> &'static str {
        match self {
            Verb::Creating => "Creating",
            Verb::Updating => "Updating",
            Verb::Deleting => "Deleting",
        }
    }
}

/// How far something is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum State {
    Succeeded,
    Failed,
    Working {
        verb: Verb,
        until: Instant,
        fate: Option<ArmError>,
    },
}

impl State {
    /// As `provisioningState` says it.
    pub(super) fn text(&self) -> &'static str {
        match self {
            State::Succeeded => "Succeeded",
            State::Failed => "Failed",
            State::Working { verb, .. } => verb.text(),
        }
    }
}

/// A resource.
#[derive(Debug, Clone)]
pub(super) struct Thing {
    pub(super) id: Id,
    /// As it was asked for, and what was left out.
    pub(super) body: Json,
    pub(super) state: State,
    pub(super) born: Instant,
    pub(super) version: u64,
}

/// A resource group.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) location: String,
    pub(super) tags: Json,
    pub(super) managed_by: Json,
    pub(super) born: Instant,
    /// When it is gone, once it is being deleted.
    pub(super) ends: Option<Instant>,
}

/// Something that goes on in the background.
#[derive(Debug, Clone)]
pub(super) struct Operation {
    pub(super) until: Instant,
    pub(super) fate: Option<ArmError>,
    /// What a caller may read at its end, by key.
    pub(super) of: Option<String>,
}

/// One subscription's world, and that of all others: ids are whole.
#[derive(Debug, Default)]
pub(super) struct World {
    pub(super) groups: BTreeMap<String, Group>,
    pub(super) things: BTreeMap<String, Thing>,
    pub(super) operations: BTreeMap<String, Operation>,
    /// Namespaces that were registered, by subscription.
    pub(super) registered: Vec<String>,
    counter: u64,
}

impl World {
    /// A number that was never given before.
    pub(super) fn number(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    /// A UUID that was never given before.
    pub(super) fn uuid(&mut self) -> String {
        let n = self.number();
        format!("{:08x}-0000-4000-8000-{n:012x}", 0x5eed_0000_u64 + n)
    }

    /// Ends what is over by now.
    pub(super) fn settle(&mut self, now: Instant) {
        let over = |s: &State| matches!(s, State::Working { until, .. } if *until <= now);
        let ended: Vec<String> = (self.things.iter().filter(|(_, t)| over(&t.state)))
            .map(|(k, _)| k.clone())
            .collect();
        for key in ended {
            let Some(thing) = self.things.get_mut(&key) else {
                continue;
            };
            match thing.state.clone() {
                State::Working {
                    verb: Verb::Deleting,
                    fate: None,
                    ..
                } => self.remove(&key),
                State::Working { fate: Some(_), .. } => thing.state = State::Failed,
                _ => thing.state = State::Succeeded,
            }
        }
        let gone: Vec<String> = (self.groups.iter())
            .filter(|(_, g)| g.ends.is_some_and(|e| e <= now))
            .map(|(k, _)| k.clone())
            .collect();
        for key in gone {
            self.groups.remove(&key);
            let inside = format!("{key}/");
            self.things.retain(|k, _| !k.starts_with(&inside));
        }
    }

    /// Takes it and all below it away at once.
    pub(super) fn remove(&mut self, key: &str) {
        if let Some(thing) = self.things.remove(key) {
            let inside = format!("{key}/");
            self.things.retain(|k, _| !k.starts_with(&inside));
            thing.id.kind.rules.gone(self, &thing);
        }
    }

    /// The thing of that id, as text.
    pub(super) fn find(&self, id: &str) -> Option<&Thing> {
        self.things.get(&id.to_lowercase())
    }

    /// All of a kind.
    pub(super) fn of_kind<'a>(&'a self, kind: &'a Kind) -> impl Iterator<Item = &'a Thing> {
        self.things.values().filter(move |t| t.id.kind.is(kind))
    }

    /// All of a kind right below a resource.
    pub(super) fn below<'a>(&'a self, parent: &Id, kind: &'a Kind) -> Vec<&'a Thing> {
        let inside = format!("{}/", parent.key());
        self.of_kind(kind)
            .filter(|t| t.id.key().starts_with(&inside))
            .collect()
    }

    /// Begins something; the operation's id.
    pub(super) fn begin(
        &mut self,
        now: Instant,
        slow: Duration,
        fate: Option<ArmError>,
        of: Option<String>,
    ) -> String {
        let id = self.uuid();
        let until = now + slow;
        let operation = Operation { until, fate, of };
        self.operations.insert(id.clone(), operation);
        id
    }

    /// The thing as the API shows it.
    pub(super) fn view(&self, thing: &Thing) -> Json {
        let mut body = thing.body.clone();
        let kind = thing.id.kind;
        thing_fields(&mut body, thing);
        if kind.namespace == "Microsoft.Network" {
            body["etag"] = json!(format!("W/\"{}\"", thing.version));
        }
        kind.rules.view(self, thing, &mut body);
        body
    }
}

fn thing_fields(body: &mut Json, thing: &Thing) {
    body["id"] = json!(thing.id.text());
    body["name"] = json!(thing.id.name());
    body["type"] = json!(thing.id.kind.type_name());
    if !body["properties"].is_object() {
        body["properties"] = json!({});
    }
    if thing.id.kind.has_state {
        body["properties"]["provisioningState"] = json!(thing.state.text());
    }
}
