//! Terraform's state file, format 4: [`read()`] takes one for weir's state, [`write()`] gives one, and
//! [`outputs()`] looks for no more than these.
//!
//! What weir's state has no place for stays beside each object as a note ([`Notes`]) and goes back
//! as it came: the provider's source address, what only the provider's schema tells (weir may have
//! no such provider), and what a later Terraform adds to an instance. What can't be kept is
//! refused. Terraform records what an object depends on by any way, weir what it depends on
//! directly: [`edges`] turns one into the other.

mod attributes;
mod edges;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub(crate) use read::{Taken, outputs, read};
pub(crate) use write::write;

use crate::render::json::provider_source;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use weir_core::{
    address::ProviderRef,
    snapshot::{Foreign, Resource},
};

/// What is kept of an instance beside what weir's state has.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Notes {
    /// The provider's source address, where it is not that which its name stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    /// What tells the form of attributes where no schema does.
    #[serde(skip_serializing_if = "Option::is_none")]
    form: Option<FormNotes>,
    /// What it depends on that is not in state.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    absent: Vec<String>,
    /// Fields of the instance as they were.
    #[serde(skip_serializing_if = "Map::is_empty")]
    rest: Map<String, Json>,
}

/// The form of attributes that no schema tells.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct FormNotes {
    /// Attributes that have their type beside their value.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    open: Vec<String>,
    /// Where values are sensitive.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sensitive: Vec<Json>,
}

impl Notes {
    fn of(foreign: Option<&Foreign>) -> Notes {
        let text = foreign.map_or("{}", |f| &f.0);
        // Written by this very type; what a later weir adds to it is not lost on a way that only
        // it knows.
        serde_json::from_str(text).unwrap_or_default()
    }

    fn into_foreign(self) -> Option<Foreign> {
        if self == Notes::default() {
            return None;
        }
        let text = serde_json::to_string(&self).ok()?;
        Some(Foreign(text.into()))
    }
}

/// The source address of the provider that an object is of.
pub(crate) fn source(resource: &Resource) -> String {
    own_source(resource).unwrap_or_else(|| provider_source(&resource.provider.name))
}

/// That address where it came with the object, as the provider's name does not tell it.
pub(crate) fn own_source(resource: &Resource) -> Option<String> {
    Notes::of(resource.foreign.as_ref()).source
}

/// The object with another provider: a configuration of it, and its source address.
pub(crate) fn served_by(resource: &Resource, provider: ProviderRef, source: &str) -> Resource {
    let mut notes = Notes::of(resource.foreign.as_ref());
    let told = provider_source(&provider.name) == source;
    notes.source = (!told).then(|| source.to_owned());
    Resource {
        provider,
        foreign: notes.into_foreign(),
        ..resource.clone()
    }
}

/// `provider["registry.terraform.io/hashicorp/aws"].west`
fn provider_text(provider: &ProviderRef, source: Option<&str>) -> String {
    let source = source.map_or_else(|| provider_source(&provider.name), str::to_owned);
    let module = match provider.module.is_root() {
        true => String::new(),
        false => format!("{}.", provider.module),
    };
    let alias = provider.alias.as_ref();
    let alias = alias.map_or(String::new(), |a| format!(".{a}"));
    let key = provider.key.as_ref();
    let key = key.map_or(String::new(), |k| format!("[{}]", Json::from(k.as_str())));
    format!("{module}provider[\"{source}\"]{alias}{key}")
}

/// The configuration of a provider that such a text names, and its source address where its name
/// does not tell it. Old files have `provider.aws.west`.
pub(crate) fn provider_of(text: &str) -> Option<(ProviderRef, Option<String>)> {
    let at = match text.starts_with("provider") {
        true => 0,
        false => text.find(".provider")? + 1,
    };
    let module = text[..at].trim_end_matches('.');
    let rest = &text[at..]["provider".len()..];
    let (source, tail) = match rest.strip_prefix("[\"") {
        Some(quoted) => {
            let (source, tail) = quoted.split_once("\"]")?;
            (Some(source), tail)
        }
        None => (None, rest),
    };
    let name = source.map(|s| s.rsplit('/').next().unwrap_or(s));
    let module = match module {
        "" => String::new(),
        some => format!("{some}."),
    };
    let provider: ProviderRef = match name {
        Some(name) => format!("{module}{name}{tail}"),
        None => format!("{module}{}", tail.strip_prefix('.')?),
    }
    .parse()
    .ok()?;
    let source = source.filter(|s| *s != provider_source(&provider.name));
    Some((provider, source.map(str::to_owned)))
}
