//! Sites and clusters: which hosts there are.

use super::{
    field, pool_errors,
    pools::{self, MachinePool},
    schema::SHAPES,
    text,
};
use crate::{
    config::blocks::{Cluster, Site},
    decode::{Expanded, Expansion, article, decode, expand},
    eval::{NodeId, Scope},
    hints,
    ir::{Attribute, Expr},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use weir_core::{Diagnostic, Entries, Kind, ModulePath, Span, Type, Value, address::OfferStep};

/// The hosts of a site.
pub(crate) struct SiteHosts {
    pub(crate) names: Vec<Arc<str>>,
    /// The configuration of each host's agent, without what only the provider sets.
    pub(crate) configs: Vec<Value>,
    /// `site.NAME`
    pub(crate) value: Value,
}

/// A host, as values of sites and clusters have it.
#[derive(Debug, Clone)]
pub(crate) struct Host {
    pub(crate) name: String,
    pub(crate) site: String,
    pub(crate) address: Value,
    pub(crate) labels: BTreeMap<String, String>,
    /// The address of its agent's instance.
    pub(crate) agent: String,
}

/// Makes the error for a number that is not known yet: attribute, title, expression.
pub(crate) type Unknown<'a> = &'a dyn Fn(&str, &str, &Expr) -> Diagnostic;

/// The port of SSH.
const SSH_PORT: i64 = 22;

/// Where a local host is reached: by itself.
const LOOPBACK: &str = "127.0.0.1";

/// The type of a host in values.
fn host_type() -> Type {
    Type::object([
        ("name", Type::String),
        ("site", Type::String),
        ("address", Type::String),
        ("labels", Type::map(Type::String)),
        ("agent", Type::String),
    ])
}

/// The type of a bastion in a host's configuration.
fn bastion_type() -> Type {
    Type::object([
        ("address", Type::String),
        ("port", Type::Number),
        ("user", Type::String),
        ("private_key_file", Type::String),
        ("host_key", Type::list(Type::String)),
    ])
}

/// The hosts of a site.
///
/// # Errors
/// The node that has no value yet.
pub(crate) fn site(
    site: &Site,
    module: &ModulePath,
    scope: &dyn Scope,
    unknown: Unknown<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Result<SiteHosts, NodeId> {
    let at = |d: Diagnostic, span: &Span| scope.context().sources.point(d, span);
    let mut defaults = Value::object::<&str>([]);
    if let Some(ssh) = site.body.blocks("ssh").next() {
        defaults = decode(&ssh.body, &SHAPES.ssh, &ssh.span, scope, problems)?;
        let defaults_of = &ssh.body.attributes;
        defaults = normal(defaults, defaults_of, scope, problems);
    }
    let mut out = SiteHosts {
        names: Vec::new(),
        configs: Vec::new(),
        value: Value::null(),
    };
    let mut values = Vec::new();
    let shown_site = site_name(site, module);
    let title = format!("the hosts of site.{}", site.name);
    let hosts = match expand(&site.body, "host", 1, scope, problems)? {
        Expansion::Known(hosts) => hosts,
        Expansion::Unknown(expr) => {
            problems.push(at(unknown("for_each", &title, expr), &expr.span));
            Vec::new()
        }
    };
    for block in &hosts {
        let Some(name) = block.labels.first().cloned() else {
            let d = Diagnostic::error(format!("A host of site `{}` has no name", site.name))
                .help("Add `labels = [host.key]` to the `dynamic` block.");
            problems.push(at(d, &block.span));
            continue;
        };
        if out.names.contains(&name) {
            let d = Diagnostic::error(format!("Site `{}` has two hosts `{name}`", site.name))
                .because("A host is known by its name within its site.")
                .help("Rename one of them, or remove it.");
            problems.push(at(d, &block.span));
            continue;
        }
        let own = block.in_scope(scope, |scope| {
            let own = decode(block.body, &SHAPES.host, &block.span, scope, problems)?;
            Ok::<_, NodeId>(normal(own, &block.body.attributes, scope, problems))
        })?;
        let config = host(site, &name, block, &own, &defaults, scope, problems)
            .with("site", Value::string(shown_site.as_str()));
        let prefix = if module.is_root() {
            String::new()
        } else {
            format!("{module}.")
        };
        let agent = format!(
            "{prefix}site.{}.host[{}]",
            site.name,
            serde_json::Value::from(&*name)
        );
        let shown = |field: &str| config.get(field).cloned().unwrap_or_else(Value::null);
        values.push(Value::object([
            ("name", shown("name")),
            ("site", shown("site")),
            ("address", shown("address")),
            ("labels", shown("labels")),
            ("agent", Value::string(agent)),
        ]));
        out.names.push(name);
        out.configs.push(config);
    }
    out.value = Value::object([
        ("name", Value::string(site.name.clone())),
        ("hosts", Value::list(host_type(), values)),
    ]);
    Ok(out)
}

/// What a site is called where its hosts are told apart. The hosts that an offer of a pool made
/// stand at the offer.
fn site_name(site: &Site, module: &ModulePath) -> String {
    let Some(((last, _), above)) = module.0.split_last() else {
        return site.name.to_string();
    };
    match OfferStep::of(last) {
        None => site.name.to_string(),
        Some(step) if above.is_empty() => step.offer.to_owned(),
        Some(step) => format!("{}.{}", ModulePath(above.to_vec()), step.offer),
    }
}

/// The configuration of one host: its own attributes over those of its site.
fn host(
    site: &Site,
    name: &Arc<str>,
    block: &Expanded<'_>,
    own: &Value,
    defaults: &Value,
    scope: &dyn Scope,
    problems: &mut Vec<Diagnostic>,
) -> Value {
    let local = text(own, "connection") == Some("local");
    let pick = |attribute: &str, otherwise: Value| {
        let found = field(own, attribute).or_else(|| field(defaults, attribute).filter(|_| !local));
        found.cloned().unwrap_or(otherwise)
    };
    let address = match field(own, "address") {
        Some(address) => address.clone(),
        None if local => Value::string(LOOPBACK),
        None => {
            let d = Diagnostic::error(format!(
                "Host `{name}` of site `{}` has no address",
                site.name
            ))
            .because("weir reaches it there by SSH.")
            .help("Add `address = \"...\"`, or `connection = \"local\"` where it is this machine.");
            problems.push(scope.context().sources.point(d, &block.span));
            Value::unknown(Type::String)
        }
    };
    if !local && field(own, "home").is_some() {
        let d = Diagnostic::error(format!(
            "Host `{name}` of site `{}` can't set `home`",
            site.name
        ))
        .because("Only the agent of a local host can live elsewhere than in its usual place.")
        .help("Remove the attribute, or set `connection = \"local\"`.");
        let span = block
            .body
            .attribute("home")
            .map_or(&block.span, |a| &a.name_span);
        problems.push(scope.context().sources.point(d, span));
    }
    let null = Value::null_of(Type::String);
    Value::object([
        ("name", Value::string(name.clone())),
        ("site", Value::string(site.name.clone())),
        (
            "connection",
            Value::string(if local { "local" } else { "ssh" }),
        ),
        ("address", address),
        ("port", pick("port", Value::number(SSH_PORT))),
        ("user", pick("user", null.clone())),
        ("private_key_file", pick("private_key_file", null.clone())),
        (
            "host_key",
            pick("host_key", Value::list(Type::String, Vec::new())),
        ),
        (
            "trust_on_first_use",
            pick("trust_on_first_use", Value::bool(false)),
        ),
        (
            "bastion",
            pick("bastion", Value::list(bastion_type(), Vec::new())),
        ),
        ("private_key", pick("private_key", null.clone())),
        ("boot_timeout", pick("boot_timeout", null.clone())),
        ("home", field(own, "home").cloned().unwrap_or(null)),
        (
            "labels",
            field(own, "labels").cloned().unwrap_or_else(no_labels),
        ),
    ])
}

fn no_labels() -> Value {
    Value::map(Type::String, Entries::new())
}

/// `host_key` and `bastion` in their long form.
fn normal(
    mut value: Value,
    attributes: &[Attribute],
    scope: &dyn Scope,
    problems: &mut Vec<Diagnostic>,
) -> Value {
    for a in attributes {
        let Some(given) = field(&value, &a.name).cloned() else {
            continue;
        };
        let result = match &*a.name {
            "host_key" => texts(&given).ok_or("It must be text, or a list of text.".to_owned()),
            "bastion" => bastions(&given),
            _ => continue,
        };
        match result {
            Ok(normal) => value = value.with(&a.name, normal),
            Err(why) => {
                let d = Diagnostic::error(format!("`{}` is {}", a.name, article(&given.ty())))
                    .because(why)
                    .help(match &*a.name {
                        "host_key" => "Write `host_key = \"ssh-ed25519 ...\"`, or a list of such.",
                        _ => "Write `bastion = { address = \"...\" }`, or a list of such.",
                    });
                problems.push(scope.context().sources.point(d, &a.expr.span));
                value = value.with(&a.name, Value::null());
            }
        }
    }
    value
}

/// Text, or a list of it, as a list.
fn texts(value: &Value) -> Option<Value> {
    match value.kind() {
        Kind::Unknown(Type::String, _) | Kind::String(_) => {
            Some(Value::list(Type::String, vec![value.clone()]))
        }
        _ => weir_core::convert::convert(value, &Type::list(Type::String)).ok(),
    }
}

/// `"user@host:port"`, an object, or a list of these, as a list of objects.
fn bastions(value: &Value) -> Result<Value, String> {
    let form = "It must be `\"user@host:port\"` (user and port may be left out), an object with \
                `address`, or a list of these, the outermost first.";
    let items = match value.kind() {
        Kind::Unknown(Type::String, _) => vec![value],
        Kind::Unknown(..) => return Ok(Value::unknown(Type::list(bastion_type()))),
        Kind::List(..) | Kind::Tuple(_) => value.elements().unwrap_or_default(),
        _ => vec![value],
    };
    let null = |ty: Type| Value::null_of(ty);
    let mut out = Vec::new();
    for item in items {
        let mut bastion: Vec<(&str, Value)> = Vec::new();
        match item.kind() {
            Kind::Unknown(..) => bastion.push(("address", Value::unknown(Type::String))),
            Kind::String(s) => {
                let (user, rest) = s
                    .split_once('@')
                    .map_or((None, &**s), |(u, r)| (Some(u), r));
                let (address, port) = match rest.rsplit_once(':') {
                    // More colons than one are an IPv6 address without a port.
                    Some((address, port)) if !address.contains(':') || address.ends_with(']') => {
                        let port = port.parse::<u16>().map_err(|_| form.to_owned())?;
                        (address, Some(port))
                    }
                    _ => (rest, None),
                };
                let address = address.trim_start_matches('[').trim_end_matches(']');
                if address.is_empty() {
                    return Err(form.to_owned());
                }
                bastion.push(("address", Value::string(address)));
                bastion.extend(user.map(|u| ("user", Value::string(u))));
                bastion.extend(port.map(|p| ("port", Value::number(i64::from(p)))));
            }
            Kind::Object(fields) | Kind::Map(_, fields) => {
                const KNOWN: [&str; 5] =
                    ["address", "port", "user", "private_key_file", "host_key"];
                for (name, v) in fields.iter().filter(|(_, v)| !v.is_null()) {
                    let Some(known) = KNOWN.iter().find(|k| ***k == **name) else {
                        return Err(match hints::suggest(name, KNOWN, str::to_owned) {
                            Some(help) => format!("A bastion has no `{name}`. {help}"),
                            None => form.to_owned(),
                        });
                    };
                    let v = if *known == "host_key" {
                        texts(v).ok_or(form)?
                    } else {
                        v.clone()
                    };
                    bastion.push((known, v));
                }
                if !bastion.iter().any(|(k, _)| *k == "address") {
                    return Err(form.to_owned());
                }
            }
            _ => return Err(form.to_owned()),
        }
        let or = |name: &str, otherwise: Value| {
            bastion
                .iter()
                .find(|(k, _)| *k == name)
                .map_or(otherwise, |(_, v)| v.clone())
        };
        let object = Value::object([
            ("address", or("address", null(Type::String))),
            ("port", or("port", Value::number(SSH_PORT))),
            ("user", or("user", null(Type::String))),
            (
                "private_key_file",
                or("private_key_file", null(Type::String)),
            ),
            (
                "host_key",
                or("host_key", Value::list(Type::String, Vec::new())),
            ),
        ]);
        let ty = bastion_type();
        out.push(weir_core::convert::convert(&object, &ty).map_err(|e| format!("{e}. {form}"))?);
    }
    Ok(Value::list(bastion_type(), out))
}

/// The pools of a cluster whose machines a cloud makes; where how many there are must be known,
/// `unknown` makes the error for one that is not.
///
/// # Errors
/// The node that has no value yet.
pub(crate) fn machine_pools(
    cluster: &Cluster,
    module: &ModulePath,
    scope: &dyn Scope,
    unknown: Option<Unknown<'_>>,
    problems: &mut Vec<Diagnostic>,
) -> Result<Vec<MachinePool>, NodeId> {
    let id = cluster_id(cluster, module);
    let mut machines: Vec<MachinePool> = Vec::new();
    let Expansion::Known(blocks) = expand(&cluster.body, "pool", 1, scope, problems)? else {
        return Ok(machines);
    };
    for pool in &blocks {
        let found = pool.in_scope(scope, |scope| {
            if !pools::mentions_machines(pool) {
                return Ok(None);
            }
            let value = decode(pool.body, &SHAPES.pool, &pool.span, scope, problems)?;
            pools::read(&id, pool, &value, scope, unknown, problems)
        })?;
        let Some(found) = found else { continue };
        if machines.iter().any(|p| p.name == found.name) {
            let d = pool_errors::two_pools(&cluster.name, &found.name);
            problems.push(scope.context().sources.point(d, &pool.span));
            continue;
        }
        machines.push(found);
    }
    Ok(machines)
}

/// `cluster.main`, or `module.eu.cluster.main`.
fn cluster_id(cluster: &Cluster, module: &ModulePath) -> String {
    match module.is_root() {
        true => format!("cluster.{}", cluster.name),
        false => format!("{module}.cluster.{}", cluster.name),
    }
}

/// `cluster.NAME`: the hosts of its pools, with those that were made for them, by pool.
///
/// # Errors
/// The node that has no value yet.
pub(crate) fn cluster(
    cluster: &Cluster,
    module: &ModulePath,
    scope: &dyn Scope,
    made: &BTreeMap<Arc<str>, Vec<Value>>,
    problems: &mut Vec<Diagnostic>,
) -> Result<Value, NodeId> {
    let id = cluster_id(cluster, module);
    let mut hosts: Vec<Value> = Vec::new();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let Expansion::Known(blocks) = expand(&cluster.body, "pool", 1, scope, problems)? else {
        return Ok(Value::unknown(Type::Dynamic));
    };
    for pool in &blocks {
        let name = pool.labels.first().cloned().unwrap_or_default();
        let (value, found) = pool.in_scope(scope, |scope| {
            let value = decode(pool.body, &SHAPES.pool, &pool.span, scope, problems)?;
            let found = match pools::mentions_machines(pool) {
                true => Ok(made.get(&name).cloned().unwrap_or_default()),
                false => pool_hosts(&value),
            };
            Ok::<_, NodeId>((value, found))
        })?;
        let found = match found {
            Ok(found) => found,
            Err((attribute, why, help)) => {
                let d =
                    Diagnostic::error(format!("Pool `{name}` of cluster `{}` {why}", cluster.name));
                let span = pool
                    .body
                    .attribute(attribute)
                    .map_or(&pool.span, |a| &a.expr.span);
                problems.push(
                    scope
                        .context()
                        .sources
                        .point(Diagnostic { help, ..d }, span),
                );
                continue;
            }
        };
        for host in found {
            let id = format!(
                "{}/{}",
                text(&host, "site").unwrap_or_default(),
                text(&host, "name").unwrap_or_default()
            );
            if !seen.insert(id.clone()) {
                let d =
                    Diagnostic::error(format!("Host {id} is in cluster `{}` twice", cluster.name))
                        .because("A host belongs to one pool of a cluster.")
                        .help("Leave it out of one of the pools.");
                problems.push(scope.context().sources.point(d, &pool.span));
                continue;
            }
            hosts.push(with_labels(host, field(&value, "labels")));
        }
    }
    Ok(Value::object([
        ("id", Value::string(id)),
        ("name", Value::string(cluster.name.clone())),
        ("hosts", Value::list(host_type(), hosts)),
    ]))
}

type Refused = (&'static str, String, Option<String>);

/// The hosts a pool names.
fn pool_hosts(pool: &Value) -> Result<Vec<Value>, Refused> {
    let refused =
        |attribute, why: &str, help: &str| Err((attribute, why.to_owned(), Some(help.to_owned())));
    let of_site = match field(pool, "site") {
        None => None,
        Some(site) => match field(site, "hosts").and_then(Value::elements) {
            Some(hosts) => Some(hosts.into_iter().cloned().collect::<Vec<_>>()),
            None => {
                return refused(
                    "site",
                    "has a `site` that is no site",
                    "Write `site = site.NAME`.",
                );
            }
        },
    };
    let wanted = match field(pool, "hosts") {
        None => None,
        Some(hosts) => match hosts.elements() {
            Some(items) => Some(items.into_iter().cloned().collect::<Vec<_>>()),
            None => {
                return refused(
                    "hosts",
                    "has `hosts` that is no list",
                    "Write `hosts = [\"name\", ...]`.",
                );
            }
        },
    };
    match (of_site, wanted) {
        (None, None) => refused(
            "site",
            "has no hosts",
            "Write `site = site.NAME`, and `hosts = [...]` for some of them.",
        ),
        (Some(all), None) => Ok(all),
        (None, Some(wanted)) => match wanted.iter().all(|h| field(h, "agent").is_some()) {
            true => Ok(wanted),
            false => refused(
                "hosts",
                "names hosts, but not their site",
                "Add `site = site.NAME`, or give hosts themselves: `site.NAME.hosts[0]`.",
            ),
        },
        (Some(all), Some(wanted)) => {
            let mut out = Vec::new();
            for name in &wanted {
                let name = name
                    .as_str()
                    .or_else(|| text(name, "name"))
                    .unwrap_or_default();
                match all.iter().find(|h| text(h, "name") == Some(name)) {
                    Some(host) => out.push(host.clone()),
                    None => {
                        let names = all.iter().filter_map(|h| text(h, "name"));
                        let help = hints::suggest(name, names, str::to_owned);
                        return Err((
                            "hosts",
                            format!("names the host `{name}`, which its site does not have"),
                            help,
                        ));
                    }
                }
            }
            Ok(out)
        }
    }
}

fn with_labels(host: Value, more: Option<&Value>) -> Value {
    let Some(more) = more.and_then(Value::as_entries) else {
        return host;
    };
    let mut labels = host
        .get("labels")
        .and_then(Value::as_entries)
        .cloned()
        .unwrap_or_default();
    for (k, v) in more {
        labels.entry(k.clone()).or_insert_with(|| v.clone());
    }
    host.with("labels", Value::map(Type::String, labels))
}

impl Host {
    /// Reads a host out of a cluster's value.
    pub(crate) fn of(value: &Value) -> Option<Host> {
        let labels = value.get("labels").and_then(Value::as_entries);
        let labels = labels.into_iter().flatten();
        Some(Host {
            name: text(value, "name")?.to_owned(),
            site: text(value, "site")?.to_owned(),
            address: value.get("address")?.clone(),
            labels: labels
                .filter_map(|(k, v)| Some((k.to_string(), v.as_str()?.to_owned())))
                .collect(),
            agent: text(value, "agent")?.to_owned(),
        })
    }

    /// `site/name`
    pub(crate) fn id(&self) -> String {
        format!("{}/{}", self.site, self.name)
    }
}
