//! Ids of resources and what paths ask for.

use super::kinds::{self, Kind};

/// The id of a resource below a resource group. Two that differ in case alone are the same.
#[derive(Debug, Clone)]
pub(super) struct Id {
    pub(super) subscription: String,
    pub(super) group: String,
    pub(super) kind: &'static Kind,
    /// A name for each part of the type.
    pub(super) names: Vec<String>,
}

impl Id {
    /// As the API writes it.
    pub(super) fn text(&self) -> String {
        let mut text = format!("{}/providers/{}", self.group_id(), self.kind.namespace);
        for (part, name) in self.kind.path.iter().zip(&self.names) {
            text.push_str(&format!("/{part}/{name}"));
        }
        text
    }

    /// As it is kept.
    pub(super) fn key(&self) -> String {
        self.text().to_lowercase()
    }

    pub(super) fn group_id(&self) -> String {
        format!(
            "/subscriptions/{}/resourceGroups/{}",
            self.subscription, self.group
        )
    }

    /// Its own name.
    pub(super) fn name(&self) -> &str {
        self.names.last().map_or("", String::as_str)
    }

    /// That of the resource around it.
    pub(super) fn parent(&self) -> Option<Id> {
        let kind = self.kind.parent()?;
        Some(Id {
            kind,
            names: self.names[..kind.path.len()].to_vec(),
            ..self.clone()
        })
    }

    /// That of a resource below it.
    pub(super) fn child(&self, kind: &'static Kind, name: &str) -> Id {
        let mut names = self.names.clone();
        names.push(name.to_owned());
        Id {
            kind,
            names,
            ..self.clone()
        }
    }

    /// That of a sibling of another kind in the same group.
    pub(super) fn beside(&self, kind: &'static Kind, name: &str) -> Id {
        Id {
            kind,
            names: vec![name.to_owned()],
            ..self.clone()
        }
    }
}

/// What a path asks for.
#[derive(Debug, Clone)]
pub(super) enum Target {
    Subscriptions,
    Subscription,
    Locations,
    /// Providers of resources: all, or one, and whether it is to be registered.
    Providers(Option<String>),
    Groups,
    Group(String),
    /// All that is in a group.
    Resources(String),
    Thing {
        id: Id,
        action: Option<String>,
    },
    /// All of a kind: in a subscription, a group, or below a resource.
    List {
        kind: &'static Kind,
        group: Option<String>,
        names: Vec<String>,
    },
    /// What a provider has in a location: its namespace, the location, the rest.
    Regional(String, String, Vec<String>),
    Skus,
    /// The result of a group's deletion.
    Result(String),
}

/// The subscription of a path.
pub(super) fn subscription(parts: &[&str]) -> Option<String> {
    match parts {
        [first, id, ..] if is(first, "subscriptions") => Some((*id).to_owned()),
        _ => None,
    }
}

fn is(part: &str, word: &str) -> bool {
    part.eq_ignore_ascii_case(word)
}

/// What a path asks for; `None` where nothing is served there.
pub(super) fn target(parts: &[&str]) -> Option<Target> {
    let [first, rest @ ..] = parts else {
        return None;
    };
    if !is(first, "subscriptions") {
        return None;
    }
    let [subscription, rest @ ..] = rest else {
        return Some(Target::Subscriptions);
    };
    match rest {
        [] => Some(Target::Subscription),
        [w] if is(w, "locations") => Some(Target::Locations),
        [w, id] if is(w, "operationresults") => Some(Target::Result((*id).to_owned())),
        [w] if is(w, "resourcegroups") => Some(Target::Groups),
        [w, name] if is(w, "resourcegroups") => Some(Target::Group((*name).to_owned())),
        [w, name, r] if is(w, "resourcegroups") && is(r, "resources") => {
            Some(Target::Resources((*name).to_owned()))
        }
        [w, group, p, namespace, rest @ ..] if is(w, "resourcegroups") && is(p, "providers") => {
            below(subscription, Some(group), namespace, rest)
        }
        [w] if is(w, "providers") => Some(Target::Providers(None)),
        [w, one] | [w, one, _] if is(w, "providers") && !one_of_many(rest) => {
            Some(Target::Providers(Some((*one).to_owned())))
        }
        [w, namespace, l, location, rest @ ..] if is(w, "providers") && is(l, "locations") => {
            let rest = rest.iter().map(|r| (*r).to_owned()).collect();
            let (namespace, location) = ((*namespace).to_owned(), (*location).to_owned());
            Some(Target::Regional(namespace, location, rest))
        }
        [w, namespace, s] if is(w, "providers") && is(s, "skus") => {
            is(namespace, "Microsoft.Compute").then_some(Target::Skus)
        }
        [w, namespace, rest @ ..] if is(w, "providers") => {
            below(subscription, None, namespace, rest)
        }
        _ => None,
    }
}

/// Whether `providers/X/Y` asks for the resources Y and not for the provider X.
fn one_of_many(rest: &[&str]) -> bool {
    matches!(rest, [_, _, what] if !is(what, "register"))
}

/// Types and names in turn.
fn below(
    subscription: &str,
    group: Option<&str>,
    namespace: &str,
    rest: &[&str],
) -> Option<Target> {
    let types: Vec<&str> = rest.iter().step_by(2).copied().collect();
    let names: Vec<String> = (rest.iter().skip(1).step_by(2))
        .map(|n| (*n).to_owned())
        .collect();
    let kind = |n: usize| kinds::by_path(namespace, &types[..n]);
    let all = types.len();
    if all == names.len() {
        let id = Id {
            subscription: subscription.to_owned(),
            group: group?.to_owned(),
            kind: kind(all)?,
            names,
        };
        return Some(Target::Thing { id, action: None });
    }
    if let Some(kind) = kind(all) {
        let group = group.map(str::to_owned);
        return Some(Target::List { kind, group, names });
    }
    // A word after a resource that is no type is what is to be done with it.
    let id = Id {
        subscription: subscription.to_owned(),
        group: group?.to_owned(),
        kind: kind(all.checked_sub(1)?)?,
        names,
    };
    let action = types.last().map(|a| (*a).to_owned());
    Some(Target::Thing { id, action })
}
