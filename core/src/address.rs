//! Names of resource instances: one text form, parsed and printed here.
//!
//! | text | object |
//! |---|---|
//! | `aws_vpc.main`, `aws_vpc.main[0]`, `aws_vpc.main["eu"]` | a managed resource |
//! | `data.aws_ami.debian` | a data source |
//! | `ephemeral.vault_secret.db` | an ephemeral resource: open while a run lasts, never kept |
//! | `site.zurich.host["zrh-1"]` | an existing host and the agent on it |
//! | `service.web.pod.app["0"]` | an instance of a service's pod |
//! | `module.net["eu"].aws_vpc.main` | any of these inside a module |
//! | `cluster.main.pool.cloud.offer.fra.aws_instance.machine["0"]` | any of these where an offer of a pool makes machines |

mod ascending;
mod order;
mod step;

pub use ascending::Ascending;
pub use step::{OfferStep, step};

use smol_str::SmolStr;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

/// A name in an address. Short ones, which is most, lie in it, and long ones are shared: plans hold
/// each address many times over, look it up and copy it all the time.
pub type Name = SmolStr;

/// The address of one instance, ordered by module, object and key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// The module instance it lies in.
    pub module: ModulePath,
    /// What it is.
    pub object: Object,
    /// Which instance of it.
    pub key: Key,
}

/// What an address names, without the instance.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Object {
    /// `resource "ty" "name"`
    Managed {
        /// The resource type.
        ty: Name,
        /// The name in the configuration.
        name: Name,
    },
    /// `data "ty" "name"`
    Data {
        /// The data source's type.
        ty: Name,
        /// The name in the configuration.
        name: Name,
    },
    /// `ephemeral "ty" "name"`: never in state, never among the changes of a plan.
    Ephemeral {
        /// The ephemeral resource's type.
        ty: Name,
        /// The name in the configuration.
        name: Name,
    },
    /// `host "key"` in `site "site"`; the key is the host's name.
    Host {
        /// The site.
        site: Name,
    },
    /// `pod "pod"` in `service "service"`; the key is the instance.
    Pod {
        /// The service.
        service: Name,
        /// The pod.
        pod: Name,
    },
}

/// Which instance: none, of `count`, or of `for_each`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    /// The only instance.
    None,
    /// An instance by number.
    Index(u64),
    /// An instance by key.
    Name(Name),
}

/// The way to a module instance from the root, empty for the root itself. A step is called as its
/// `module` block is, or as [`OfferStep`] has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModulePath(pub Vec<(Name, Key)>);

/// A configuration of a provider: where it stands, which provider, which alias, which instance.
///
/// Its text is `aws`, `aws.west`, `aws.by_region["eu"]`, `module.net.aws.west`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProviderRef {
    /// The module its block stands in. Such a module has no `count` and no `for_each`, so no step
    /// has a key.
    pub module: ModulePath,
    /// The provider's local name (`aws`).
    pub name: Name,
    /// The alias, where the configuration has one.
    pub alias: Option<Name>,
    /// Which instance of a block with `for_each`.
    pub key: Option<Name>,
}

/// The text is not an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not an address: {cause}")]
pub struct ParseAddressError {
    /// The text.
    pub text: String,
    /// What is wrong with it.
    pub cause: String,
}

impl ModulePath {
    /// The root module.
    pub fn root() -> ModulePath {
        ModulePath::default()
    }
    /// The module `name[key]` inside this one.
    pub fn child(&self, name: impl Into<Name>, key: Key) -> ModulePath {
        let mut steps = self.0.clone();
        steps.push((name.into(), key));
        ModulePath(steps)
    }
    /// Whether this is the root.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }
}

impl ProviderRef {
    /// The configuration without alias in the root module.
    pub fn new(name: impl Into<Name>) -> ProviderRef {
        ProviderRef {
            module: ModulePath::root(),
            name: name.into(),
            alias: None,
            key: None,
        }
    }
    /// The configuration of the same provider and module with this alias.
    pub fn aliased(self, alias: impl Into<Name>) -> ProviderRef {
        ProviderRef {
            alias: Some(alias.into()),
            ..self
        }
    }
    /// The block that made it: without the key of the instance.
    pub fn block(&self) -> ProviderRef {
        ProviderRef {
            key: None,
            ..self.clone()
        }
    }
}

impl Object {
    /// The type under which a provider serves it.
    pub fn type_name(&self) -> &str {
        match self {
            Object::Managed { ty, .. } | Object::Data { ty, .. } | Object::Ephemeral { ty, .. } => {
                ty
            }
            Object::Host { .. } => "weir_host",
            Object::Pod { .. } => "weir_pod",
        }
    }
}

impl Address {
    /// The address without its key: the block that made it.
    pub fn block(&self) -> Address {
        Address {
            key: Key::None,
            ..self.clone()
        }
    }
    /// The address as its block is written: without its key and those of the modules around it.
    pub fn written(&self) -> Address {
        let calls = self.module.0.iter();
        Address {
            module: ModulePath(calls.map(|(name, _)| (name.clone(), Key::None)).collect()),
            object: self.object.clone(),
            key: Key::None,
        }
    }
    /// Whether `self` is `other` or one of its instances, or lies in it where `other` is the
    /// block of all.
    pub fn is_in(&self, other: &Address) -> bool {
        self.module == other.module
            && self.object == other.object
            && (other.key == Key::None || self.key == other.key)
    }
}

/// What a dependency stands for: the instance it names; without a key, all instances of the block.
/// Addresses are ordered so that the instances of a block stand together.
pub fn members<'a, V>(
    of: &'a BTreeMap<Address, V>,
    dependency: &'a Address,
) -> impl Iterator<Item = (&'a Address, &'a V)> {
    of.range(dependency..)
        .take_while(move |(address, _)| address.is_in(dependency))
}

/// As [`members`], of a set.
pub fn members_of<'a>(
    of: &'a BTreeSet<Address>,
    dependency: &'a Address,
) -> impl Iterator<Item = &'a Address> {
    of.range(dependency..)
        .take_while(move |address| address.is_in(dependency))
}

/// Whether the text is an identifier of the language (UAX #31 with `-`, as HCL has it).
pub fn is_identifier(s: &str) -> bool {
    let mut chars = s.chars();
    chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && chars.all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::None => Ok(()),
            Key::Index(i) => write!(f, "[{i}]"),
            Key::Name(k) => write!(f, "[{}]", quoted(k)),
        }
    }
}

/// The text as a string of the language: a template begins in none of it.
fn quoted(text: &str) -> String {
    let text = serde_json::Value::from(text).to_string();
    text.replace("${", "$${").replace("%{", "%%{")
}

/// The text of such a string.
fn unquoted(text: &str) -> String {
    text.replace("$${", "${").replace("%%{", "%{")
}

// Piece by piece: every instance's address is written several times in a run.
impl fmt::Display for ModulePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (name, key)) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(".")?;
            }
            pieces(f, [step::keyword(name), name, "", ""])?;
            key.fmt(f)?;
        }
        Ok(())
    }
}
impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Object::Managed { ty, name } => [ty, ".", name, ""],
            Object::Data { ty, name } => ["data.", ty, ".", name],
            Object::Ephemeral { ty, name } => ["ephemeral.", ty, ".", name],
            Object::Host { site } => ["site.", site, ".host", ""],
            Object::Pod { service, pod } => ["service.", service, ".pod.", pod],
        };
        pieces(f, text)
    }
}
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.module.is_root() {
            self.module.fmt(f)?;
            f.write_str(".")?;
        }
        self.object.fmt(f)?;
        self.key.fmt(f)
    }
}
fn pieces(f: &mut fmt::Formatter<'_>, pieces: [&str; 4]) -> fmt::Result {
    pieces.into_iter().try_for_each(|piece| f.write_str(piece))
}
impl fmt::Display for ProviderRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.module.is_root() {
            write!(f, "{}.", self.module)?;
        }
        f.write_str(&self.name)?;
        if let Some(alias) = &self.alias {
            write!(f, ".{alias}")?;
        }
        match &self.key {
            None => Ok(()),
            Some(key) => write!(f, "[{}]", serde_json::Value::from(key.as_str())),
        }
    }
}

impl FromStr for ProviderRef {
    type Err = ParseAddressError;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        provider_ref(s).ok_or_else(|| ParseAddressError {
            text: s.into(),
            cause: "write `name`, `name.alias` or `name.alias[\"key\"]`, the module before it"
                .into(),
        })
    }
}

fn provider_ref(text: &str) -> Option<ProviderRef> {
    let mut segments = segments(text).ok()?;
    let mut module = ModulePath::root();
    loop {
        if let Some((name, taken)) = step::offer_at(&segments) {
            segments.drain(..taken);
            module = module.child(name, Key::None);
            continue;
        }
        if segments.len() < 3 || segments[0] != (Name::new_static("module"), Key::None) {
            break;
        }
        let (name, key) = segments.remove(1);
        segments.remove(0);
        if key != Key::None {
            return None;
        }
        module = module.child(name, key);
    }
    let mut rest = segments.into_iter();
    let (name, Key::None) = rest.next()? else {
        return None;
    };
    let (alias, key) = match rest.next() {
        None => (None, None),
        Some((alias, Key::None)) => (Some(alias), None),
        Some((alias, Key::Name(key))) => (Some(alias), Some(key)),
        Some((_, Key::Index(_))) => return None,
    };
    rest.next().is_none().then_some(ProviderRef {
        module,
        name,
        alias,
        key,
    })
}

impl FromStr for Address {
    type Err = ParseAddressError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let err = |cause: &str| ParseAddressError {
            text: text.into(),
            cause: cause.into(),
        };
        let mut segments = segments(text).map_err(|cause| err(&cause))?.into_iter();
        let mut module = ModulePath::root();
        loop {
            if let Some((name, taken)) = step::offer_at(segments.as_slice()) {
                segments.nth(taken - 1);
                module = module.child(name, Key::None);
            } else if let [(word, _), (name, key), ..] = segments.as_slice()
                && word == "module"
            {
                module = module.child(name.clone(), key.clone());
                segments.nth(1);
            } else {
                break;
            }
        }
        let first = match module.is_root() {
            true => "the type",
            false => "what is in the module",
        };
        let mut next = |what: &str| {
            segments
                .next()
                .ok_or_else(|| err(&format!("{what} is missing")))
        };
        let head = next(first)?;
        if head.0 == "module" {
            return Err(err("the module's name is missing"));
        }
        if head.1 != Key::None {
            return Err(err("an instance key stands after the name"));
        }
        let (object, key) = match head.0.as_str() {
            "data" => {
                let (ty, _) = next("the data source's type")?;
                let (name, key) = next("the name")?;
                (Object::Data { ty, name }, key)
            }
            "ephemeral" => {
                let (ty, _) = next("the ephemeral resource's type")?;
                let (name, key) = next("the name")?;
                (Object::Ephemeral { ty, name }, key)
            }
            "site" => {
                let (site, _) = next("the site's name")?;
                match next("`host`")? {
                    (word, key) if word == "host" => (Object::Host { site }, key),
                    (word, _) => return Err(err(&format!("`{word}` stands where `host` must"))),
                }
            }
            "service" => {
                let (service, _) = next("the service's name")?;
                let (word, _) = next("`pod`")?;
                if word != "pod" {
                    return Err(err(&format!("`{word}` stands where `pod` must")));
                }
                let (pod, key) = next("the pod's name")?;
                (Object::Pod { service, pod }, key)
            }
            _ => {
                let (name, key) = next("the name")?;
                (Object::Managed { ty: head.0, name }, key)
            }
        };
        if segments.next().is_some() {
            return Err(err("something stands after the end"));
        }
        Ok(Address {
            module,
            object,
            key,
        })
    }
}

/// Splits `a.b["x.y"].c[0]` into names with their keys.
fn segments(text: &str) -> Result<Vec<(Name, Key)>, String> {
    let mut out = Vec::with_capacity(4);
    let mut rest = text;
    loop {
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let (name, tail) = rest.split_at(end);
        if !is_identifier(name) {
            return Err(format!("{name:?} is not a name"));
        }
        let (key, tail) = instance_key(tail)?;
        out.push((Name::new(name), key));
        match tail.strip_prefix('.') {
            Some(more) => rest = more,
            None if tail.is_empty() => return Ok(out),
            None => return Err(format!("{tail:?} is not expected here")),
        }
    }
}

/// Reads `[0]` or `["key"]` at the start of the text, if one is there.
fn instance_key(text: &str) -> Result<(Key, &str), String> {
    let Some(inner) = text.strip_prefix('[') else {
        return Ok((Key::None, text));
    };
    if inner.starts_with('"') {
        let mut stream =
            serde_json::Deserializer::from_str(inner).into_iter::<std::borrow::Cow<'_, str>>();
        let name = match stream.next() {
            Some(Ok(name)) => Name::from(unquoted(&name)),
            _ => return Err("the quoted key does not end".into()),
        };
        let tail = inner[stream.byte_offset()..].strip_prefix(']');
        return tail
            .map(|t| (Key::Name(name), t))
            .ok_or_else(|| "`]` is missing".into());
    }
    let (number, tail) = inner.split_once(']').ok_or("`]` is missing")?;
    match number.parse() {
        Ok(i) => Ok((Key::Index(i), tail)),
        Err(_) => Err(format!("the key {number:?} is neither a number nor quoted")),
    }
}

macro_rules! serde_as_text {
    ($($t:ty),*) => {$(
        impl serde::Serialize for $t {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }
        impl<'de> serde::Deserialize<'de> for $t {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}
serde_as_text!(Address, ProviderRef);
