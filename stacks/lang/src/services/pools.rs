//! Pools whose machines a cloud makes: what is needed, who offers it, and which type it will be.
//! Which offer makes which machine is the evaluator's business; what it is told, [`super::offers`]'.
//!
//! 1. [`read`] holds a pool's parts against each other and reads its `machine`;
//! 2. each offer gets its region, its image and the type that [`choose`] finds;
//! 3. [`MachinePool::ranked`] says in which order the offers are tried.

use super::{field, hosts::Unknown, pool_errors as errors, schema::SHAPES, text};
use crate::{
    decode::{Expanded, Expansion, decode, expand, parse_size},
    eval::{NodeId, Scope},
    ir::{Attribute, Block, Body},
    machines::{
        Arch, Burstable, Catalogue, Choice, Cloud, Gpus, ImageLookup, Machine, Market, NoChoice,
        NoImage, Price, Requirement, Wish, choose, image,
    },
};
use std::{collections::BTreeMap, sync::Arc};
use weir_core::{Diagnostic, Span, Value};

/// The attribute that names an offer's provider.
pub(crate) const PROVIDER: &str = "provider";
/// What type of provider that is; set by [`crate::config`], never by the user.
pub(crate) const CLOUD: &str = "cloud";
/// Where the provider of an offer works that names a region itself; set by [`crate::config`].
pub(crate) const PROVIDER_REGION: &str = "provider_region";
/// The attribute that says where an offer's machines stand.
pub(crate) const REGION: &str = "region";

/// What a machine boots where nothing is said.
const IMAGE: &str = "debian-12";
/// How long it may take until it lets weir in, where nothing is said.
const BOOT_TIMEOUT: &str = "10m";
/// The size of its disk where nothing is said, in GiB.
const DISK_GIB: u64 = 20;

/// US dollars an hour: more than any machine costs.
const HIGHEST: f64 = 1e6;

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// A pool whose machines a cloud makes.
#[derive(Debug, Clone, PartialEq)]
pub struct MachinePool {
    /// Its cluster: `cluster.main`, or `module.eu.cluster.main`.
    pub cluster: String,
    /// Its name.
    pub name: Arc<str>,
    /// How many machines it wants; `None` where that is not known yet.
    pub count: Option<u64>,
    /// What each must have; `None` where that is not known yet.
    pub requirement: Option<Requirement>,
    /// The name of the image they boot; `None` where that is not known yet.
    pub image: Option<String>,
    /// The size of each machine's disk, in GiB, rounded up.
    pub disk_gib: u64,
    /// Which offer is tried first.
    pub prefer: Prefer,
    /// From where its machines may be reached by SSH, as CIDR blocks; empty where that is not known
    /// yet, `None` where it is not said: from where weir comes.
    pub ssh_from: Option<Vec<String>>,
    /// How long a machine may take until it lets weir in, as it is written: `10m`.
    pub boot_timeout: String,
    /// The offers, as they are written.
    pub offers: Vec<MachineOffer>,
    /// Where its block starts.
    pub span: Span,
}

/// Which of a pool's offers is tried first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Prefer {
    /// The one that is written first.
    #[default]
    Order,
    /// The cheapest.
    Price,
}

/// A cloud that may make a pool's machines.
#[derive(Debug, Clone, PartialEq)]
pub struct MachineOffer {
    /// Its name in the pool.
    pub name: Arc<str>,
    /// The provider as the module names it: `aws.fra`.
    pub provider: String,
    /// Whose machines they are.
    pub cloud: Cloud,
    /// Which of the region's zones; any, where this is empty.
    pub zones: Vec<String>,
    /// What was asked of the catalogue; `None` where not all of it is known yet.
    pub wish: Option<Wish>,
    /// What it answered.
    pub choice: Option<Result<Choice, NoChoice>>,
    /// Where the image is looked up.
    pub image: Option<Result<&'static ImageLookup, NoImage>>,
    /// The image by the cloud's own id, instead.
    pub image_id: Option<String>,
    /// The network the machines stand in, by id; one is made where there is none.
    pub subnet: Option<String>,
    /// What guards the machines, by ids; made where there are none.
    pub security_groups: Vec<String>,
    /// Tags or labels of everything that is made.
    pub tags: BTreeMap<String, String>,
    /// Where its block starts.
    pub span: Span,
}

impl MachineOffer {
    /// The price of an hour of the type that was chosen, on demand, where it is known.
    pub fn price(&self) -> Option<Price> {
        self.choice.as_ref()?.as_ref().ok()?.best().price
    }
}

impl MachinePool {
    /// `cluster.main.pool.cloud`
    pub fn address(&self) -> String {
        format!("{}.pool.{}", self.cluster, self.name)
    }

    /// The offers that have a machine that fits, in the order in which they are tried.
    pub fn ranked(&self) -> Vec<&MachineOffer> {
        let fitting = self.offers.iter();
        let mut fitting: Vec<&MachineOffer> = fitting
            .filter(|o| matches!(o.choice, Some(Ok(_))))
            .collect();
        if self.prefer == Prefer::Price {
            // Stable: of equal prices the one that is written first.
            fitting.sort_by_key(|o| (o.price().is_none(), o.price()));
        }
        fitting
    }

    /// What an hour of the whole pool costs with the first of its offers, on demand; `None` where
    /// the price or the number of machines is not known.
    pub fn cost(&self) -> Option<Price> {
        Some(self.ranked().first()?.price()?.times(self.count?))
    }
}

/// Whether a pool's block says anything of machines that are made.
pub(crate) fn mentions_machines(pool: &Expanded<'_>) -> bool {
    let machine = |b: &Block| {
        &*b.ident == "machine" || (&*b.ident == "dynamic" && b.label(0) == Some("machine"))
    };
    pool.body.blocks.iter().any(machine) || !leftovers(pool).is_empty()
}

/// What a pool says of machines that are made, beside `machine` and its offers.
const OF_MACHINES: [&str; 4] = ["boot_timeout", "count", "prefer", "ssh_from"];

/// What stands in a pool for its machines' sake beside `machine`: name and place.
fn leftovers<'a>(pool: &'a Expanded<'_>) -> Vec<(&'a str, &'a Span)> {
    let attributes = pool.body.attributes.iter();
    let attributes = attributes.filter(|a| OF_MACHINES.contains(&&*a.name));
    let blocks = pool.body.blocks.iter();
    let blocks = blocks.filter(|b| {
        &*b.ident == "offer" || (&*b.ident == "dynamic" && b.label(0) == Some("offer"))
    });
    let named = attributes.map(|a| (&*a.name, &a.name_span));
    named.chain(blocks.map(|b| ("offer", &b.span))).collect()
}

/// A pool whose machines are made. What is wrong goes to `problems`; `None` where it is too much.
///
/// # Errors
/// The node that has no value yet.
pub(crate) fn read(
    cluster: &str,
    pool: &Expanded<'_>,
    value: &Value,
    scope: &dyn Scope,
    unknown: Option<Unknown<'_>>,
    problems: &mut Vec<Diagnostic>,
) -> Result<Option<MachinePool>, NodeId> {
    let name = pool.labels.first().cloned().unwrap_or_default();
    let at = |d: Diagnostic, span: &Span| scope.context().sources.point(d, span);
    let title = format!("Pool `{name}` of {cluster}");
    let Some(machine) = field(value, "machine") else {
        let (what, span) = leftovers(pool).first().copied().unwrap_or(("", &pool.span));
        problems.push(at(errors::no_machine(&title, what), span));
        return Ok(None);
    };
    for host in ["site", "hosts"] {
        if let Some(a) = pool.body.attribute(host) {
            problems.push(at(errors::both(&title), &a.name_span));
            return Ok(None);
        }
    }
    let block = pool.body.blocks("machine").next().map(|b| &b.body);
    for (body, value) in [(Some(pool.body), value), (block, machine)] {
        if let Some(a) = body.and_then(|body| marked(body, value)) {
            let what = format!("pool `{name}` of {cluster}");
            problems.push(at(errors::secret(&what, &a.name), &a.expr.span));
            return Ok(None);
        }
    }
    let count = match (field(value, "count"), unknown) {
        (Some(count), Some(unknown)) if count.is_unknown() => {
            if let Some(a) = pool.body.attribute("count") {
                let what = format!("pool `{name}` of {cluster}");
                problems.push(at(unknown("count", &what, &a.expr), &a.expr.span));
            }
            None
        }
        (Some(count), _) => count.as_i64().and_then(|n| u64::try_from(n).ok()),
        (None, _) => {
            problems.push(at(errors::no_count(&title), &pool.span));
            None
        }
    };
    let known = |name: &str, otherwise: &str| match field(machine, name) {
        None => Some(otherwise.to_owned()),
        Some(value) => value.as_str().map(str::to_owned),
    };
    let disk = field(machine, "disk").and_then(Value::as_str);
    let disk = disk.and_then(parse_size).map(|b| b.div_ceil(GIB));
    let mut found = MachinePool {
        cluster: cluster.to_owned(),
        name,
        count,
        requirement: requirement(machine),
        image: known("image", IMAGE),
        disk_gib: disk.unwrap_or(DISK_GIB),
        prefer: match text(value, "prefer") {
            Some("price") => Prefer::Price,
            _ => Prefer::Order,
        },
        ssh_from: field(value, "ssh_from").map(|_| texts(value, "ssh_from").unwrap_or_default()),
        boot_timeout: text(value, "boot_timeout")
            .unwrap_or(BOOT_TIMEOUT)
            .to_owned(),
        offers: Vec::new(),
        span: pool.span.clone(),
    };
    let Expansion::Known(offers) = expand(pool.body, "offer", 1, scope, problems)? else {
        return Ok(Some(found));
    };
    if offers.is_empty() {
        problems.push(at(errors::no_offer(&title), &pool.span));
    }
    for block in &offers {
        let name = block.labels.first().cloned().unwrap_or_default();
        if found.offers.iter().any(|o| o.name == name) {
            problems.push(at(errors::two_offers(&title, &name), &block.span));
            continue;
        }
        let offer = block.in_scope(scope, |scope| {
            let value = decode(block.body, &SHAPES.offer, &block.span, scope, problems)?;
            let sources = &scope.context().sources;
            if let Some(a) = marked(block.body, &value) {
                let d = errors::secret(&format!("offer `{name}`"), &a.name);
                problems.push(sources.point(d, &a.expr.span));
                return Ok(None);
            }
            let mut report = |d: Diagnostic, attribute: &str| {
                let attribute = block.body.attribute(attribute);
                let span = attribute.map_or(&block.span, |a| &a.expr.span);
                problems.push(sources.point(d, span));
            };
            Ok::<_, NodeId>(offer(&found, name, block, &value, &mut report))
        })?;
        found.offers.extend(offer);
    }
    Ok(Some(found))
}

/// An attribute whose value must not be shown; labels are none of the machines' business.
fn marked<'b>(body: &'b Body, value: &Value) -> Option<&'b Attribute> {
    body.attributes.iter().find(|a| {
        let value = value.get(&a.name).filter(|_| &*a.name != "labels");
        value.is_some_and(|v| !v.marks_deep().is_empty())
    })
}

/// Takes what is wrong, and the attribute it stands at.
type Complain<'a> = &'a mut dyn FnMut(Diagnostic, &str);

fn offer(
    pool: &MachinePool,
    name: Arc<str>,
    block: &Expanded<'_>,
    value: &Value,
    complain: Complain<'_>,
) -> Option<MachineOffer> {
    let provider = text(value, PROVIDER)?.to_owned();
    let Some(cloud) = Cloud::of_provider(text(value, CLOUD).unwrap_or_default()) else {
        complain(errors::no_cloud(&name, &provider), PROVIDER);
        return None;
    };
    let mut offer = MachineOffer {
        name,
        provider,
        cloud,
        zones: texts(value, "zones").unwrap_or_default(),
        wish: None,
        choice: None,
        image: None,
        image_id: text(value, "image").map(str::to_owned),
        subnet: text(value, "subnet").map(str::to_owned),
        security_groups: texts(value, "security_groups").unwrap_or_default(),
        tags: tags(value),
        span: block.span.clone(),
    };
    if field(value, REGION).is_none() {
        complain(errors::no_region(&offer), REGION);
        return Some(offer);
    }
    // A provider of Amazon works in one region; the others' go where they are told.
    let (own, works) = (text(value, REGION), text(value, PROVIDER_REGION));
    if let (Cloud::Aws, Some(own), Some(works)) = (cloud, own, works)
        && own != works
    {
        complain(errors::other_region(&offer, own, works), REGION);
    }
    if let Some(requirement) = &pool.requirement {
        offer.wish = wish(requirement, value);
        if let Some(name) = pool.image.as_ref().filter(|_| offer.image_id.is_none()) {
            let found = image(name, cloud, requirement.arch);
            if let Err(why) = &found {
                complain(
                    errors::no_image(&offer, name, requirement.arch, why),
                    "image",
                );
            }
            offer.image = Some(found);
        }
    }
    let Some(wish) = &offer.wish else {
        return Some(offer);
    };
    for zone in &offer.zones {
        if !is_in(zone, &wish.region, cloud) {
            complain(errors::foreign_zone(&offer, zone, &wish.region), "zones");
        }
    }
    let catalogue = Catalogue::of(cloud);
    let choice = choose(catalogue, wish);
    match &choice {
        Ok(_) => {}
        Err(NoChoice::Region) => complain(errors::unknown_region(catalogue, &wish.region), REGION),
        Err(NoChoice::NothingFits(passed)) => {
            complain(errors::nothing_fits(&offer, wish, passed), "");
        }
    }
    offer.choice = Some(choice);
    Some(offer)
}

/// Whether a zone lies in a region, by its name.
pub(crate) fn is_in(zone: &str, region: &str, cloud: Cloud) -> bool {
    match cloud {
        Cloud::Aws => zone.len() > region.len() && zone.starts_with(region),
        Cloud::Google => zone
            .strip_prefix(region)
            .is_some_and(|z| z.len() == 2 && z.starts_with('-')),
        Cloud::Azure => matches!(zone, "1" | "2" | "3"),
    }
}

/// The tags of an offer, as far as they are known.
fn tags(value: &Value) -> BTreeMap<String, String> {
    let tags = field(value, "tags").and_then(Value::as_entries);
    let tags = tags.into_iter().flatten();
    tags.filter_map(|(k, v)| Some((k.to_string(), v.as_str()?.to_owned())))
        .collect()
}

/// What an offer asks of the catalogue; `None` where not all of it is known.
fn wish(requirement: &Requirement, value: &Value) -> Option<Wish> {
    let max_price = match field(value, "max_price") {
        None => None,
        Some(price) => Some(price_of(price)?),
    };
    let own = field(value, "type").and_then(Value::as_entries);
    let own = own.into_iter().flatten().map(|(name, ty)| {
        let has = self::requirement(ty)?;
        let machine = Machine {
            name: name.to_string(),
            cpus: has.cpus,
            memory_mib: has.memory_mib,
            arch: has.arch,
            gpus: Gpus {
                count: has.gpus,
                model: has.gpu_model.unwrap_or_default(),
            },
            burstable: match field(ty, "burstable").and_then(Value::as_bool) {
                Some(true) => Burstable::Yes,
                _ => Burstable::No,
            },
        };
        Some((machine, price_of(field(ty, "price")?)?))
    });
    Some(Wish {
        requirement: requirement.clone(),
        region: text(value, REGION)?.to_owned(),
        market: match field(value, "market") {
            None => Market::OnDemand,
            Some(market) if market.as_str()? == Market::Spot.as_str() => Market::Spot,
            Some(_) => Market::OnDemand,
        },
        types: texts(value, "types")?,
        max_price,
        own: own.collect::<Option<Vec<_>>>()?,
    })
}

/// A price; what is beyond any is the highest there is.
fn price_of(value: &Value) -> Option<Price> {
    Price::from_dollars(value.as_number()?.to_f64().min(HIGHEST))
}

/// The text of a list without nulls; `None` where not all of it is known.
fn texts(value: &Value, name: &str) -> Option<Vec<String>> {
    let Some(list) = field(value, name) else {
        return Some(Vec::new());
    };
    let items = list.elements()?.into_iter().filter(|v| !v.is_null());
    items.map(|v| v.as_str().map(str::to_owned)).collect()
}

/// What a `machine` asks for, or a `type` has; `None` where not all of it is known.
fn requirement(value: &Value) -> Option<Requirement> {
    // What is below zero was reported; nothing has as many as what is beyond.
    let whole = |value: &Value| match value.as_number()?.to_f64() {
        n if n < 0.0 => None,
        n => Some(n.min(f64::from(u32::MAX)) as u32),
    };
    let memory = parse_size(text(value, "memory")?)?;
    let gpu_model = match field(value, "gpu_model") {
        None => None,
        Some(model) => Some(model.as_str()?.to_owned()),
    };
    let gpus = match field(value, "gpu") {
        None => u32::from(gpu_model.is_some()),
        Some(gpus) => whole(gpus)?,
    };
    Some(Requirement {
        cpus: whole(field(value, "cpus")?)?,
        memory_mib: memory.div_ceil(MIB),
        arch: match field(value, "arch") {
            None => Arch::default(),
            Some(arch) => Arch::parse(arch.as_str()?)?,
        },
        gpus,
        gpu_model: gpu_model.filter(|_| gpus > 0),
        burstable: match field(value, "burstable") {
            None => Burstable::Yes,
            Some(lent) if lent.as_bool()? => Burstable::Yes,
            Some(_) => Burstable::No,
        },
    })
}
